"""Gathers the facts: environment, GitHub's event, checkout, the project's own file, cosign."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shipway.effects.processes import Runner
from shipway.errors import ContextError, SettingsError
from shipway.model.actions import Command
from shipway.settings import Project, parse_project
from shipway.target.context import Facts, Git
from shipway.tools import git_checkout
from shipway.tools.git import split_lines

_HEAD = "HEAD -> refs/heads/"
_TAG = "tag: refs/tags/"
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
    """Read the checkout; it is ``None`` where there is no repository."""
    inside = _ask(runner, git_checkout.ask_work_tree(folder))
    if inside is None:
        return None
    head = _ask(runner, git_checkout.ask_head(folder))
    if head is None:
        return Git(commit="")
    commit, epoch, *names = split_lines(head)
    # `HEAD -> refs/heads/main, tag: refs/tags/v1`: a ref's name holds neither a comma followed by a
    # blank nor a colon.
    refs = names[0].split(", ") if names else []
    branches = [ref.removeprefix(_HEAD) for ref in refs if ref.startswith(_HEAD)]
    address = _ask(runner, git_checkout.ask_remote_url(folder, remote))
    changes = runner(git_checkout.ask_changes(folder))
    return Git(
        commit=commit,
        epoch=int(epoch),
        shallow=inside.splitlines()[1] == "true",
        branch=branches[0] if branches else "",
        head_tags=tuple(ref.removeprefix(_TAG) for ref in refs if ref.startswith(_TAG)),
        remote_url=address or "",
        changes=git_checkout.read_changes(changes),
    )


def _ask(runner: Runner, question: Command) -> str | None:
    """Give what git prints, ``None`` where it answers with another expected status than 0."""
    answer = runner(question)
    return answer.out.rstrip() if answer.code == 0 else None
