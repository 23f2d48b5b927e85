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

from shipway.errors import SettingsError
from shipway.model.actions import Command, Effect, Json, NextVersion
from shipway.model.release import CHANGELOG, INSERTION_FLAG
from shipway.settings import ReleaseSettings
from shipway.tools.git_clone import AUTHOR, MAIL, release_subject

QUIET: Mapping[str, str] = {
    "GITHUB_OUTPUT": "",
    "GITHUB_ACTIONS": "",
    "GITHUB_API_URL": "",
    "GH_TOKEN": "",
    "NO_COLOR": "1",
    # It asks who works here for each annotated tag, and fails where the user has no account.
    "GIT_COMMITTER_NAME": AUTHOR,
    "GIT_COMMITTER_EMAIL": MAIL,
}
"""Keeps python-semantic-release from writing outputs of its own, and from asking an API.

Its outputs are wrong where nothing is due.
"""


_END = r"\Z"
"""Ends the expressions for branches, which python-semantic-release matches at the beginning."""
_EXCLUSIONS = "exclude_commit_patterns"
_TAG = "TAG"
_RELEASE_COMMIT = re.escape(release_subject(_TAG)).replace(_TAG, r"\S+") + rf"\s*{_END}"
"""Matches what shipway says in a release commit."""
_DEFAULT_BRANCHES: Mapping[str, Json] = {"main": {"match": "(main|master)"}}
"""Holds the branches that it releases where a project names none."""


def render_own_config(table: Mapping[str, object], repository: str) -> str:
    """Write a project's own ``[tool.semantic_release]`` as JSON; branches are compared whole.

    Links lead to the ``repository`` on GitHub, unless the project names a remote of its own: git
    may rewrite the address of the clone's.
    """
    branches = table.get("branches")
    if not isinstance(branches, dict):
        branches = _DEFAULT_BRANCHES
    anchored: dict[str, object] = {}
    for name, branch in branches.items():
        anchored[name] = _anchor(branch)
    remote = _render_remote(repository) if repository else {}
    settings = {
        "remote": remote,
        **table,
        "branches": anchored,
        "changelog": _leave_releases_out(table.get("changelog")),
    }
    document = {"semantic_release": settings}
    text = json.dumps(document, indent=2, default=str)
    return f"{text}\n"


def require_own_settings(table: Mapping[str, object], tag_format: str) -> None:
    """Make sure that a project's own settings mean what a release of shipway does.

    Raises ``SettingsError``.
    """
    own_format = table.get("tag_format", "v{version}")
    if own_format != tag_format:
        raise SettingsError(
            f"[tool.semantic_release] counts from tags like {own_format}, [tool.shipway.release] "
            f"names them {tag_format}",
            hint="set `tag_format` in the one and `tag-format` in the other to the same",
        )
    build = table.get("build_command")
    if build:
        raise SettingsError(
            f"the build_command of [tool.semantic_release] would not be run: {build}",
            hint='take it out (`build_command = ""`): shipway stamps uv.lock itself, and the '
            "image's Dockerfile builds the package",
        )


def _leave_releases_out(changelog: object) -> object:
    """Let a changelog tell of no release commit, which merges of other lines bring in."""
    if changelog is None:
        return {_EXCLUSIONS: [_RELEASE_COMMIT]}
    if not isinstance(changelog, dict):
        return changelog
    patterns = changelog.get(_EXCLUSIONS, [])
    if not isinstance(patterns, list):
        return changelog
    return {**changelog, _EXCLUSIONS: [*patterns, _RELEASE_COMMIT]}


def _anchor(branch: object) -> object:
    """Let a branch's expression match whole names; ``*`` matches every one anyway."""
    if not isinstance(branch, dict):
        return branch
    match = branch.get("match", "(main|master)")
    if not isinstance(match, str) or match == "*":
        return branch
    return {**branch, "match": f"(?:{match}){_END}"}


def makes_candidates(table: Mapping[str, object], branch: str) -> bool:
    """Tell from a project's own settings whether a branch makes pre-releases."""
    branches = table.get("branches")
    if not isinstance(branches, dict):
        return False
    for options in map(_anchor, branches.values()):
        if not isinstance(options, dict):
            continue
        if _is_match(options, branch):
            return bool(options.get("prerelease"))
    return False


def _is_match(options: Mapping[str, object], branch: str) -> bool:
    """Tell whether a branch is of a group; an expression that is none matches nothing."""
    match = options.get("match")
    try:
        return match == "*" or re.match(str(match), branch) is not None
    except re.error:
        return False


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
        "branches": {"release": {"match": rf"({branches}){_END}"}},
        "changelog": {
            "mode": "update",
            "insertion_flag": INSERTION_FLAG,
            _EXCLUSIONS: [_RELEASE_COMMIT],
            "default_templates": {"changelog_file": CHANGELOG},
        },
        "remote": _render_remote(repository or "owner/name"),
    }
    if paths:
        settings["commit_parser_options"] = {"path_filters": [*paths]}
    text = json.dumps({"semantic_release": settings}, indent=2)
    return f"{text}\n"


def _render_remote(repository: str) -> dict[str, Json]:
    return {
        "type": "github",
        "url": f"https://github.com/{repository}.git",
        "ignore_token_for_push": True,
    }


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
