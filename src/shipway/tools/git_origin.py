"""This module writes how git makes a rehearsal's origin, and a clone of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from shipway.model.actions import Answer, Command, Effect
from shipway.tools.git import read_words, split_lines


def ask_shallow(project: Path) -> Command:
    """Ask whether the project's repository is a shallow clone."""
    return _rehearse(project, "rev-parse", "--is-shallow-repository")


def read_shallow(answer: Answer) -> bool:
    """Read the answer to ``ask_shallow``."""
    (word,) = read_words(answer, "whether this is a shallow clone", 1)
    return word == "true"


def find_project_head(project: Path) -> Command:
    """Ask for the hash of the project's head."""
    return _rehearse(project, "rev-parse", "--verify", "HEAD^{commit}")


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


def list_branches_named(project: Path, remote: str, branches: Sequence[str]) -> Command:
    """Ask which of ``branches`` the project's repository knows, its own ones and the remote's."""
    places = ("refs/heads", f"refs/remotes/{remote}")
    names: list[str] = []
    for branch in branches:
        for place in places:
            names.append(f"{place}/{branch}")
    return _rehearse(project, "for-each-ref", "--format=%(refname)", *names)


def read_branches_named(answer: Answer, remote: str) -> set[str]:
    """Read the names of the branches from the answer to ``list_branches_named``."""
    names: set[str] = set()
    for ref in split_lines(answer.out):
        own = ref.removeprefix("refs/heads/")
        name = own.removeprefix(f"refs/remotes/{remote}/")
        names.add(name)
    return names


def add_files(top: Path, repository: Path) -> Command:
    """Add the files below ``top``, as they are, to the index of another repository's folder."""
    return _rehearse_files(top, repository, "add", "--all", "--", ":/")


def list_left_out(top: Path, repository: Path) -> Command:
    """Ask which files below ``top`` differ from that index: what git could not add."""
    words = ("diff-files", "--name-only", "--ignore-submodules=none")
    return _rehearse_files(top, repository, *words)


def _rehearse_files(top: Path, repository: Path, *words: str) -> Command:
    git_folder = f"--git-dir={repository}"
    work_tree = f"--work-tree={top}"
    return _rehearse(top, git_folder, work_tree, *words)


def commit_index(clone: Path, message: str) -> Command:
    """Commit what was added."""
    return _rehearse(clone, "commit", "--quiet", "--message", message)


def check_out_again(clone: Path) -> tuple[Command, ...]:
    """Make the files of the commit that the clone is at, and delete all others."""
    return (
        _rehearse(clone, "reset", "--quiet", "--hard"),
        _rehearse(clone, "clean", "--quiet", "--force", "-d", "-x"),
    )


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
    verb = next(word for word in words if not word.startswith("-"))
    return Command(
        name="rehearsal",
        why=f"git {verb}",
        argv=("git", *words),
        effect=Effect.LOCAL,
        folder=str(folder),
        expected=expected,
    )
