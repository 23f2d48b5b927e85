"""The git origin of a rehearsal: a bare folder that git takes for the project's address on GitHub."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from shipway.effects.processes import Processes
from shipway.errors import ContextError
from shipway.image.repository import parse_remote
from shipway.model.actions import Command, Effect

IDENTITY = {
    "GIT_AUTHOR_NAME": "rehearsal",
    "GIT_AUTHOR_EMAIL": "rehearsal@localhost",
    "GIT_COMMITTER_NAME": "rehearsal",
    "GIT_COMMITTER_EMAIL": "rehearsal@localhost",
}


def isolate(repository: str, bare: Path) -> dict[str, str]:
    """Variables under which git reaches nothing but the bare folder, whatever address it is given.

    Only the ``file`` protocol is allowed, and no configuration of the user's or the machine's is read: what git has to
    know stands in a file beside the bare folder. Nothing tidies up in the background: it would be at work in a folder
    that is being deleted.
    """
    settings = bare.with_name("gitconfig")
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(
        f"[url {_quote(str(bare))}]\n\tinsteadOf = {_quote(f'https://github.com/{repository}.git')}\n"
        "[safe]\n\tdirectory = *\n[maintenance]\n\tauto = false\n",
        encoding="utf-8",
    )
    return {
        "GIT_CONFIG_GLOBAL": str(settings),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": "file",
        "GIT_TERMINAL_PROMPT": "0",
    }


def _quote(text: str) -> str:
    """A string as git's configuration files write it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def repository_of(project: Path, name: str, remote: str, environment: Mapping[str, str]) -> str:
    """``owner/name`` of the project's remote, or a made-up owner where it has none on GitHub."""
    url = _git(project, environment, "config", "--get", f"remote.{remote}.url", expected=(0, 1))
    found = parse_remote(url)
    return found[1] if found else f"rehearsal/{name.lower()}"


def make_origin(
    project: Path, folder: Path, branch: str, remote: str, environment: Mapping[str, str]
) -> Path:
    """A bare origin with the project's head as ``branch`` and its tags, and a clone of it; gives the project in there.

    The project's repository is only read. Changes that are not committed are left out.
    """
    shallow, top, inside = (
        _git(
            project,
            environment,
            "rev-parse",
            "--is-shallow-repository",
            "--show-toplevel",
            "--show-prefix",
        )
        + "\n"
    ).split("\n")[:3]
    if shallow == "true":
        raise ContextError(
            "this is a shallow clone: there is no history to rehearse with",
            hint="run `git fetch --unshallow --tags`",
        )
    bare, clone = folder / "origin.git", folder / "project"
    _git(
        folder,
        environment,
        "clone",
        "--quiet",
        "--template=",
        "--bare",
        "--no-hardlinks",
        top,
        str(bare),
    )
    head = _git(project, environment, "rev-parse", "HEAD")
    _git(bare, environment, "update-ref", f"refs/heads/{branch}", head)
    _git(bare, environment, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    # The docs of earlier versions are the remote's matter; the rehearsal begins without any.
    _git(
        folder,
        environment,
        "clone",
        "--quiet",
        "--template=",
        "--origin",
        remote,
        "--branch",
        branch,
        str(bare),
        str(clone),
    )
    return clone / inside


def point_at_github(
    clone: Path, repository: str, remote: str, environment: Mapping[str, str]
) -> None:
    """Give the clone the address that a real one has; git is told to look in the bare folder instead."""
    _git(clone, environment, "remote", "set-url", remote, f"https://github.com/{repository}.git")


def add_commit(clone: Path, message: str, remote: str, environment: Mapping[str, str]) -> None:
    """Add a commit to the clone and its origin; it changes the project's folder, since others may not count."""
    with (clone / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("\n")
    _git(clone, {**environment, **IDENTITY}, "commit", "--quiet", "--all", "--message", message)
    _git(clone, environment, "push", "--quiet", remote, "HEAD")


def _git(
    folder: Path, environment: Mapping[str, str], *words: str, expected: tuple[int, ...] = (0,)
) -> str:
    command = Command(
        name="rehearsal",
        why=f"git {words[0]}",
        argv=("git", *words),
        effect=Effect.LOCAL,
        folder=str(folder),
        expected=expected,
    )
    return Processes(environment)(command).out.strip()
