"""Gathers the facts: environment, GitHub's event, checkout, the project's own file, cosign."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from shipway.effects.failures import failure
from shipway.effects.processes import Runner
from shipway.errors import ContextError, SettingsError
from shipway.model.actions import Answer
from shipway.settings import Project, parse_project
from shipway.target.context import Facts, Git
from shipway.tools import git_checkout
from shipway.tools.git import read_dated_commit

_LARGEST_EVENT = 32 * 1024 * 1024
"""Bytes; GitHub's own limit for a webhook is 25 MB."""


def gather(environment: Mapping[str, str], folder: Path, *, remote: str, runner: Runner) -> Facts:
    """Gather everything that a context is made of."""
    return Facts(
        environment=environment,
        event=read_event(environment),
        git=_read_git(folder, remote, runner),
    )


def load_project(folder: Path) -> Project:
    """Read the project in ``folder``; raises ``SettingsError``."""
    path = folder / "pyproject.toml"
    try:
        return parse_project(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            "there is no pyproject.toml here", hint="change to the project's folder"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"pyproject.toml cannot be read: {error}", hint="check the file"
        ) from error


def read_event(environment: Mapping[str, str]) -> dict[str, Any]:  # Any: a JSON document
    """Read the webhook's payload in GitHub Actions; it is empty elsewhere."""
    path = environment.get("GITHUB_EVENT_PATH")
    if not path or environment.get("GITHUB_ACTIONS") != "true":
        return {}
    try:
        with open(path, "rb") as file:
            event = json.loads(file.read(_LARGEST_EVENT))
    except (OSError, ValueError) as error:
        raise ContextError(
            f"the event in GITHUB_EVENT_PATH cannot be read: {type(error).__name__}",
            hint="run the job again",
        ) from error
    return event if isinstance(event, dict) else {}


def _read_git(folder: Path, remote: str, runner: Runner) -> Git | None:
    """Read the checkout; it is ``None`` where there is no repository.

    Raises ``ContextError`` or ``StepFailed`` where git would not look.
    """
    place = _find_repository(folder, runner)
    if place is None:
        return None
    address = runner(git_checkout.find_remote_address(folder, remote))
    branch = runner(git_checkout.ask_branch(folder))
    git = Git(
        commit="",
        branch=git_checkout.read_branch(branch),
        remote_url=git_checkout.read_remote_address(address),
        shallow=git_checkout.read_shallow(place),
    )
    question = git_checkout.ask_head(folder)
    head = runner(question)
    if head.code != 0:
        if git.branch and _is_unborn(folder, git.branch, runner):
            return git
        raise failure(question, head)
    epoch, commit = read_dated_commit(head)
    changes = runner(git_checkout.ask_changes(folder))
    unknown = runner(git_checkout.ask_unknown_files(folder))
    tags = runner(git_checkout.ask_tags(folder))
    return replace(
        git,
        commit=commit,
        epoch=epoch,
        head_tags=git_checkout.read_head_tags(tags, commit),
        changes=git_checkout.read_changes(changes, unknown),
    )


def _find_repository(folder: Path, runner: Runner) -> Answer | None:
    """Ask git for the repository that ``folder`` is in; the answer is ``None`` for no repository.

    Where there is something that git does not take for one, that is an error.
    """
    question = git_checkout.ask_work_tree(folder)
    answer = runner(question)
    if answer.code == 0:
        return answer
    if not git_checkout.is_no_repository(answer):
        raise failure(question, answer)
    place = folder.resolve()
    for parent in (place, *place.parents):
        repository = parent / ".git"
        if os.path.lexists(repository):
            reason = answer.err.strip()
            raise ContextError(
                f"git does not take {repository} for a repository: {reason}",
                hint="check its permissions and its HEAD; where it is none, move it away",
            )
    return None


def _is_unborn(folder: Path, branch: str, runner: Runner) -> bool:
    """Tell whether a branch has no commit yet, which is another thing than a broken one."""
    question = git_checkout.ask_ref(folder, f"refs/heads/{branch}")
    answer = runner(question)
    return git_checkout.is_no_ref(answer)
