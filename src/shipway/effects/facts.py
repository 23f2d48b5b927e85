"""Gathers the facts: the environment, GitHub's event, the checkout, the project's own file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shipway.effects.processes import Runner
from shipway.errors import ContextError, SettingsError
from shipway.model.actions import Command, Effect
from shipway.settings import Project, parse
from shipway.target.context import Facts, Git

_NO_REPOSITORY = 128
_HEAD, _TAG = "HEAD -> refs/heads/", "tag: refs/tags/"
_READ_ONLY = {"GIT_OPTIONAL_LOCKS": "0"}
"""`git status` would write what it found into the user's index."""
_LARGEST_EVENT = 32 * 1024 * 1024
"""Bytes; GitHub's own limit for a webhook is 25 MB."""


def gather(environment: Mapping[str, str], folder: Path, *, remote: str, runner: Runner) -> Facts:
    """Everything that a context is made of."""
    return Facts(
        environment=environment,
        event=read_event(environment),
        git=_read_git(folder, remote, runner),
    )


def load_project(folder: Path) -> Project:
    """The project in ``folder``; raises ``SettingsError``."""
    path = folder / "pyproject.toml"
    try:
        return parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            "there is no pyproject.toml here", hint="change to the project's folder"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"pyproject.toml cannot be read: {error}", hint="check the file"
        ) from error


def read_event(environment: Mapping[str, str]) -> dict[str, Any]:  # Any: a JSON document
    """The webhook's payload in GitHub Actions, empty elsewhere."""
    path = environment.get("GITHUB_EVENT_PATH")
    if not path or environment.get("GITHUB_ACTIONS") != "true":
        return {}
    try:
        with open(path, "rb") as file:
            found = json.loads(file.read(_LARGEST_EVENT))
    except (OSError, ValueError) as error:
        raise ContextError(
            f"the event in GITHUB_EVENT_PATH cannot be read: {type(error).__name__}",
            hint="run the job again",
        ) from error
    return found if isinstance(found, dict) else {}


def _read_git(folder: Path, remote: str, runner: Runner) -> Git | None:
    def ask(*words: str, expected: tuple[int, ...] = (0,)) -> str | None:
        answer = runner(
            Command(
                name="context",
                why=f"ask git for {words[0]}",
                argv=("git", *words),
                effect=Effect.READ,
                folder=str(folder),
                expected=expected,
                env=_READ_ONLY,
            )
        )
        return answer.out.rstrip() if answer.code == 0 else None

    inside = ask(
        "rev-parse",
        "--is-inside-work-tree",
        "--is-shallow-repository",
        expected=(0, _NO_REPOSITORY),
    )
    if inside is None:
        return None
    commit = ask(
        "log", "-1", "--decorate=full", "--format=%H%n%ct%n%D", expected=(0, _NO_REPOSITORY)
    )
    if commit is None:
        return Git(commit="")
    digest, epoch, *names = commit.splitlines()
    # `HEAD -> refs/heads/main, tag: refs/tags/v1`; a ref's name holds neither a comma followed by a blank nor a colon.
    refs = names[0].split(", ") if names else []
    return Git(
        commit=digest,
        epoch=int(epoch),
        shallow=inside.splitlines()[1] == "true",
        branch=next((ref[len(_HEAD) :] for ref in refs if ref.startswith(_HEAD)), ""),
        head_tags=tuple(ref[len(_TAG) :] for ref in refs if ref.startswith(_TAG)),
        remote_url=ask("config", "--get", f"remote.{remote}.url", expected=(0, 1)) or "",
        changes=tuple(
            line[3:]
            for line in (
                ask("status", "--porcelain", "-z", "--no-renames", "--untracked-files=normal") or ""
            ).split("\0")
            if line
        ),
    )
