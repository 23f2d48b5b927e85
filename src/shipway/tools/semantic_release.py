"""This module writes how python-semantic-release is set up, asked and driven. Pure.

It only computes and stamps; commit and tag are made by shipway, with dates taken from the parent
commit, so that a rerun makes the same commit and finds the image of the first. Stamping is driven
by its command line, which is its stable interface.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from shipway.model.actions import Command, Effect, Json, NextVersion
from shipway.model.release import CHANGELOG
from shipway.settings import ReleaseSettings

QUIET: Mapping[str, str] = {
    "GITHUB_OUTPUT": "",
    "GITHUB_ACTIONS": "",
    "GITHUB_API_URL": "",
    "GH_TOKEN": "",
    "NO_COLOR": "1",
}
"""Keeps python-semantic-release from writing outputs of its own, and from asking an API.

Its outputs are wrong where nothing is due.
"""


def render_config(release: ReleaseSettings, repository: str, *, inside: bool) -> str:
    """Write the settings of a project without a ``[tool.semantic_release]`` of its own, as JSON.

    With paths, or ``inside`` a folder of its repository, commits count that change something there.
    """
    escaped = [re.escape(branch) for branch in release.branches]
    branches = "|".join(escaped)
    paths = list(release.paths)
    if inside and not paths:
        paths = ["."]
    settings: dict[str, Json] = {
        "version_toml": [] if release.tag_only else ["pyproject.toml:project.version"],
        "tag_format": release.tag_format,
        "commit_parser": "conventional-monorepo" if paths else "conventional",
        "allow_zero_version": True,
        "major_on_zero": False,
        "build_command": "",
        "branches": {"release": {"match": f"({branches})"}},
        "changelog": {
            "mode": "update",
            "insertion_flag": "<!-- version list -->",
            "default_templates": {"changelog_file": CHANGELOG},
        },
        "remote": {
            "type": "github",
            "url": f"https://github.com/{repository or 'owner/name'}.git",
            "ignore_token_for_push": True,
        },
    }
    if paths:
        settings["commit_parser_options"] = {"path_filters": [*paths]}
    return json.dumps({"semantic_release": settings}, indent=2) + "\n"


def next_version(folder: str | Path, config: str, level: str = "") -> NextVersion:
    """Ask which version is due."""
    return NextVersion(
        name="version",
        why="ask python-semantic-release",
        folder=str(folder),
        config=config,
        level=level,
    )


def stamp_version(folder: str | Path, config: str, python: str, level: str = "") -> Command:
    """Write the version into the project's files and the changelog; nothing is committed."""
    flags = [
        "--no-commit",
        "--no-tag",
        "--no-push",
        "--no-vcs-release",
        "--skip-build",
        "--changelog",
    ]
    if level:
        flags.append(f"--{level}")
    return Command(
        name="version",
        why="stamp the version and write the changelog",
        argv=(python, "-m", "semantic_release", "--config", config, "version", *flags),
        env=QUIET,
        effect=Effect.LOCAL,
        folder=str(folder),
    )
