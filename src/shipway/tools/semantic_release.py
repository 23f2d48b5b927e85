"""How python-semantic-release is asked which version is due, and driven to stamp it. Pure.

It is driven by its command line, which is its stable interface. It only computes and stamps; commit and tag are made
with dates taken from the parent commit, so that a rerun makes the same commit and finds the image of the first.
"""

from __future__ import annotations

import json
import re

from shipway.errors import StepFailed
from shipway.model.actions import Answer, Command, Effect
from shipway.model.release import CHANGELOG, Decision
from shipway.settings import ReleaseSettings

NAME = "version"


_QUIET = {
    "GITHUB_OUTPUT": "",
    "GITHUB_ACTIONS": "",
    "GITHUB_API_URL": "",
    "GH_TOKEN": "",
    "NO_COLOR": "1",
}
"""python-semantic-release writes outputs of its own, wrong ones when nothing is due, and must not see where. It asks no
API either."""


def render_config(release: ReleaseSettings, repository: str, *, inside: bool) -> str:
    """Settings for a project that has no ``[tool.semantic_release]`` of its own, as TOML.

    With paths, or ``inside`` a folder of its repository, commits count that change something there.
    """
    quoted = "|".join(re.escape(branch) for branch in release.branches)
    paths = release.paths or ((".",) if inside else ())
    return f"""[semantic_release]
version_toml = {"[]" if release.tag_only else '["pyproject.toml:project.version"]'}
tag_format = "{release.tag_format}"
commit_parser = "conventional{"-monorepo" * bool(paths)}"
allow_zero_version = true
major_on_zero = false
build_command = ""
{f"commit_parser_options = {{path_filters = {json.dumps(paths)}}}" if paths else ""}
[semantic_release.branches.release]
match = '({quoted})'
[semantic_release.changelog]
mode = "update"
insertion_flag = "<!-- version list -->"
[semantic_release.changelog.default_templates]
changelog_file = "{CHANGELOG}"
[semantic_release.remote]
type = "github"
url = "https://github.com/{repository or "owner/name"}.git"
ignore_token_for_push = true
"""


def question(folder: str, config: str, python: str, level: str = "") -> Command:
    """Which version is due, by python-semantic-release's rules (``shipway.effects.history``)."""
    return Command(
        name=NAME,
        why="ask python-semantic-release",
        folder=folder,
        env=_QUIET,
        effect=Effect.LOCAL,
        argv=(python, "-m", "shipway.effects.history", folder, config, *filter(None, [level])),
        expected=(0, 1),
    )


def stamp_command(folder: str, config: str, python: str, level: str = "") -> Command:
    """Write the version into the project's files and the changelog; commit nothing, push nothing."""
    words = (
        "--no-commit",
        "--no-tag",
        "--no-push",
        "--no-vcs-release",
        "--skip-build",
        "--changelog",
        *([f"--{level}"] if level else []),
    )
    return Command(
        name=NAME,
        why="stamp the version and write the changelog",
        folder=folder,
        env=_QUIET,
        effect=Effect.LOCAL,
        argv=(python, "-m", "semantic_release", "--config", config, "version", *words),
    )


def read_decision(answer: Answer) -> Decision:
    """The answer to the question; raises ``StepFailed`` where it is none."""
    if answer.code:
        reason = (answer.err.strip().splitlines() or ["it gave no reason"])[-1]
        raise StepFailed(
            f"python-semantic-release gave no version: {reason}",
            hint="check [tool.semantic_release] and its branches against the branch that is released",
        )
    found = json.loads(answer.out)
    return Decision(str(found["current"]), str(found["next"]))
