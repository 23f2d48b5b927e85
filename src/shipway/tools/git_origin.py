"""This module writes how git makes a rehearsal's origin, and a clone of it. Pure."""

from __future__ import annotations

from pathlib import Path

from shipway.model.actions import Command, Effect


def find_project_url(project: Path, remote: str) -> Command:
    """Ask which address the project's remote has; the exit status is 1 where it has none."""
    words = ("config", "--get", f"remote.{remote}.url")
    return _rehearse(project, *words, expected=(0, 1))


def find_project(project: Path) -> Command:
    """Ask whether the clone is shallow, for its top folder, and where ``project`` lies in it.

    At the top of a repository the third line is empty.
    """
    words = ("rev-parse", "--is-shallow-repository", "--show-toplevel", "--show-prefix")
    return _rehearse(project, *words)


def find_project_head(project: Path) -> Command:
    """Ask for the hash of the project's head."""
    return _rehearse(project, "rev-parse", "HEAD")


def clone_bare(folder: Path, top: str, bare: Path) -> Command:
    """Clone the repository at ``top`` into the bare folder, which shares no files with it."""
    return _clone(folder, "--bare", "--no-hardlinks", top, str(bare))


def clone_branch(folder: Path, bare: Path, clone: Path, remote: str, branch: str) -> Command:
    """Clone the bare folder, with ``branch`` checked out, and the bare folder as ``remote``."""
    names = ("--origin", remote, "--branch", branch)
    return _clone(folder, *names, str(bare), str(clone))


def set_branch(bare: Path, branch: str, commit: str) -> Command:
    """Let a branch of the origin be at ``commit``."""
    return _rehearse(bare, "update-ref", f"refs/heads/{branch}", commit)


def set_head(bare: Path, branch: str) -> Command:
    """Let ``branch`` be the origin's default one."""
    return _rehearse(bare, "symbolic-ref", "HEAD", f"refs/heads/{branch}")


def set_remote_url(clone: Path, remote: str, url: str) -> Command:
    """Give the clone's remote another address."""
    return _rehearse(clone, "remote", "set-url", remote, url)


def commit_changes(clone: Path, message: str) -> Command:
    """Commit all changes of files that git knows."""
    return _rehearse(clone, "commit", "--quiet", "--all", "--message", message)


def push_head(clone: Path, remote: str) -> Command:
    """Push the branch that is checked out to the origin."""
    return _rehearse(clone, "push", "--quiet", remote, "HEAD")


def _clone(folder: Path, *words: str) -> Command:
    # No template: it could bring hooks.
    return _rehearse(folder, "clone", "--quiet", "--template=", *words)


def _rehearse(folder: Path, *words: str, expected: tuple[int, ...] = (0,)) -> Command:
    return Command(
        name="rehearsal",
        why=f"git {words[0]}",
        argv=("git", *words),
        effect=Effect.LOCAL,
        folder=str(folder),
        expected=expected,
    )
