"""This module writes what git is asked about the user's checkout. Pure."""

from __future__ import annotations

from pathlib import Path

from shipway.model.actions import Answer, Command, Effect

NO_REPOSITORY = 128
"""Gives git's exit status where there is no repository, or no commit in it."""
_READ_ONLY = {"GIT_OPTIONAL_LOCKS": "0"}
"""Keeps `git status` from writing what it finds into the user's index."""


def ask_work_tree(folder: Path) -> Command:
    """Ask whether ``folder`` is in a repository, and on the second line whether that is shallow."""
    words = ("rev-parse", "--is-inside-work-tree", "--is-shallow-repository")
    return _ask(folder, *words, expected=(0, NO_REPOSITORY))


def ask_head(folder: Path) -> Command:
    """Ask for the commit's hash, its time in seconds since 1970, and its refs; one a line."""
    words = ("log", "-1", "--decorate=full", "--format=%H%n%ct%n%D")
    return _ask(folder, *words, expected=(0, NO_REPOSITORY))


def ask_remote_url(folder: Path, remote: str) -> Command:
    """Ask which address a remote has; the exit status is 1 where there is no such remote."""
    words = ("config", "--get", f"remote.{remote}.url")
    return _ask(folder, *words, expected=(0, 1))


def ask_changes(folder: Path) -> Command:
    """Ask which files differ from the commit, and which of them git does not know."""
    words = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=normal")
    return _ask(folder, *words)


def read_changes(answer: Answer) -> tuple[str, ...]:
    """Name the files, from the answer to ``ask_changes``."""
    # Two letters and a blank stand before each name.
    names: list[str] = []
    for entry in answer.out.split("\0"):
        if entry:
            names.append(entry[3:])
    return tuple(names)


def _ask(folder: Path, *words: str, expected: tuple[int, ...] = (0,)) -> Command:
    return Command(
        name="context",
        why=f"ask git for {words[0]}",
        argv=("git", *words),
        effect=Effect.READ,
        folder=str(folder),
        expected=expected,
        env=_READ_ONLY,
    )
