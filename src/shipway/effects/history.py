"""Decides which version is due, told by the commits since the last release.

python-semantic-release decides, by its own rules and settings, on a clone that shows the commits
since the last release alone (see ``shown_history``).
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from shipway.effects.isolation import isolated
from shipway.effects.shown_history import (
    ShownHistory,
    needs_everything,
    no_version,
    show_older_releases,
    show_since_last_release,
)
from shipway.errors import ContextError, ShipwayError
from shipway.model.release import Change, Decision
from shipway.model.version import Version, parse_version
from shipway.tools.semantic_release import QUIET

if TYPE_CHECKING:
    from semantic_release.cli.config import RuntimeContext
    from semantic_release.version.version import Version as ToolVersion

_CHECK_SETTINGS = (
    "check [tool.semantic_release] and its branches against the branch that is released"
)


def decide(
    folder: Path, config: Path, level: str | None = None, *, environment: Mapping[str, str]
) -> Decision:
    """Tell the last version in the history of the clone ``folder``, and the one that is due.

    ``config`` holds the settings of python-semantic-release. With a ``level`` (``major``, ``minor``
    or ``patch``) the next version is of that level, whatever the commits say. Nothing but the
    variables of ``environment`` is seen meanwhile. Raises ``ContextError`` for a branch that
    the settings do not release; ``StepFailed`` for settings that make no sense, a broken
    repository, and whatever a project's own commit parser raises.
    """
    with isolated(folder, {**environment, **QUIET}):
        try:
            return _decide(folder, config, level)
        except ShipwayError:
            raise
        # A project's own parser may raise anything, and end the program too.
        except (Exception, SystemExit) as error:  # pylint: disable=broad-exception-caught
            raise _explain(error) from error


def _explain(error: BaseException) -> ShipwayError:
    """Give the error for whatever python-semantic-release raised."""
    from semantic_release.errors import NotAReleaseBranch

    if isinstance(error, NotAReleaseBranch):
        return ContextError(
            f"no branch of [tool.semantic_release.branches] is the one that is released: {error}",
            hint="add a branch there whose `match` is the branch's whole name",
        )
    return no_version(f"{type(error).__name__}: {error}", _CHECK_SETTINGS)


def _decide(folder: Path, config: Path, level: str | None) -> Decision:
    _silence()
    rules = read_release_rules(folder, config)
    history = show_since_last_release(folder, rules)
    last = history.last.version if history.last else None
    if level:
        upcoming = _raise_level(last, level, rules)
    else:
        upcoming = _ask_tool(folder, rules)
    last_name = _without_build(last)
    is_due = _without_build(upcoming) not in (last_name, "0.0.0")
    changes: tuple[Change, ...] = ()
    if is_due:
        changes = _list_changes(folder, rules, history)
    if needs_everything(folder, rules):
        show_older_releases(folder, history)
    released = _convert(last)
    due = _convert(upcoming) if is_due else None
    return Decision(released, due, changes)


def _without_build(version: ToolVersion | None) -> str:
    """Write a version without its build metadata, which the tool may leave out of its answer."""
    name, _, _ = str(version or "").partition("+")
    return name


def _silence() -> None:
    """Keep the tool's warnings from standard error, where they would look like shipway's own."""
    from logging import NullHandler

    from semantic_release.globals import logger

    if not logger.handlers:
        logger.addHandler(NullHandler())


def _ask_tool(folder: Path, rules: RuntimeContext) -> ToolVersion:
    from git import Repo
    from semantic_release.version.algorithm import next_version

    with Repo(folder, search_parent_directories=True) as repository:
        return next_version(
            repo=repository,
            translator=rules.version_translator,
            commit_parser=rules.commit_parser,
            prerelease=rules.prerelease,
            major_on_zero=rules.major_on_zero,
            allow_zero_version=rules.allow_zero_version,
        )


def _list_changes(folder: Path, rules: RuntimeContext, history: ShownHistory) -> tuple[Change, ...]:
    """List what calls for a version, as the project's parser reads it."""
    from git import Repo
    from semantic_release.commit_parser import ParsedCommit

    if history.last is None:
        return ()
    changes: list[Change] = []
    since = f"{history.last.commit}..HEAD"
    with Repo(folder, search_parent_directories=True) as repository:
        for commit in repository.iter_commits(since):
            parsed = rules.commit_parser.parse(commit)
            # A parser of the project's own may give one result for each change, or a single one.
            results = parsed if isinstance(parsed, (list, tuple)) else (parsed,)
            for result in results:
                if isinstance(result, ParsedCommit) and result.bump:
                    description = result.descriptions[0] if result.descriptions else ""
                    change = Change(commit.hexsha, description)
                    changes.append(change)
    return tuple(changes)


def _raise_level(last: ToolVersion | None, level: str, rules: RuntimeContext) -> ToolVersion:
    from semantic_release.enums import LevelBump
    from semantic_release.version.version import Version as Parser

    if rules.prerelease:
        raise no_version(
            "this branch makes pre-releases: the level of a version is told by its commits",
            "leave the level out on this branch",
        )
    current = last or Parser.parse("0.0.0")
    bump = LevelBump.from_string(level)
    return current.bump(bump)


def _convert(version: ToolVersion | None) -> Version | None:
    if version is None:
        return None
    converted = parse_version(str(version))
    if converted is None:
        raise no_version(f"{version} is no version of Semantic Versioning", _CHECK_SETTINGS)
    return converted


def read_release_rules(folder: Path, config: Path) -> RuntimeContext:
    """Read the settings of python-semantic-release for the branch of the clone ``folder``."""
    from semantic_release.cli.config import GlobalCommandLineOptions, RawConfig, RuntimeContext
    from semantic_release.cli.util import load_raw_config_file

    options = GlobalCommandLineOptions(config_file=str(config))
    # Its paths are relative to the folder that it is started in.
    with contextlib.chdir(folder):
        raw = RawConfig.model_validate(load_raw_config_file(config))
        return RuntimeContext.from_raw_config(raw, options)
