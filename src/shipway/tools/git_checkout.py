"""This module writes what git is asked about the user's checkout, and reads its answers. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from shipway.errors import ContextError
from shipway.model.actions import Answer, Command, Effect
from shipway.tools.git import ask_git, read_words, split_lines, split_names, unexpected

REFUSED = 128
"""Gives git's exit status where it would not answer, for whatever reason."""
_HEADS = "refs/heads/"
_TAGS = "refs/tags/"
_PEELED = "^{}"
"""Stands behind the name of a tag where git says what it names in the end."""
_NO_REPOSITORY = re.compile(r"^fatal: not a git repository \(or any ", re.MULTILINE)
_UNSEEN = re.compile("^.*could not open directory.*$|^error: .*$", re.MULTILINE)
_UNKNOWN = "??"
"""Stands in front of a file that git does not know."""


def ask_work_tree(folder: Path) -> Command:
    """Ask whether ``folder`` is in a repository, and whether that is shallow."""
    words = ("rev-parse", "--is-inside-work-tree", "--is-shallow-repository")
    return _ask(folder, *words, expected=(0, REFUSED))


def is_no_repository(answer: Answer) -> bool:
    """Tell whether git looked everywhere and saw no repository."""
    if answer.code != REFUSED:
        return False
    return _NO_REPOSITORY.search(answer.err) is not None


def read_shallow(answer: Answer) -> bool:
    """Tell from the answer to ``ask_work_tree`` whether the repository is shallow."""
    _, shallow = read_words(answer, "whether this is a shallow clone", 2)
    return shallow == "true"


def ask_head(folder: Path) -> Command:
    """Ask for the commit's time and hash; the exit status is 128 where there is no commit."""
    words = ("rev-list", "--max-count=1", "--timestamp", "HEAD", "--")
    return _ask(folder, *words, expected=(0, REFUSED))


def ask_branch(folder: Path) -> Command:
    """Ask for the ref that is checked out; the exit status is 1 where that is a commit."""
    return _ask(folder, "symbolic-ref", "--quiet", "HEAD", expected=(0, 1))


def read_branch(answer: Answer) -> str:
    """Read the branch from the answer to ``ask_branch``, empty where the head is detached."""
    ref = answer.out.removesuffix("\n")
    if not ref.startswith(_HEADS):
        return ""
    return ref.removeprefix(_HEADS)


def ask_ref(folder: Path, ref: str) -> Command:
    """Ask whether there is a ref of that full name."""
    return _ask(folder, "for-each-ref", "--format=%(objectname)", ref)


def is_no_ref(answer: Answer) -> bool:
    """Tell from the answer to ``ask_ref`` that there is none: of a broken one git says so."""
    return not answer.out and not answer.err


def ask_tags(folder: Path) -> Command:
    """Ask which tags there are, and what each names: a tag may name another tag."""
    words = ("show-ref", "--tags", "--dereference")
    return _ask(folder, *words, expected=(0, 1))


def read_head_tags(answer: Answer, commit: str) -> tuple[str, ...]:
    """Read from the answer to ``ask_tags`` the names of those that name the commit in the end."""
    names: list[str] = []
    for line in split_lines(answer.out):
        identity, _, ref = line.partition(" ")
        if identity == commit:
            name = ref.removesuffix(_PEELED).removeprefix(_TAGS)
            names.append(name)
    return tuple(names)


def ask_changes(folder: Path) -> Command:
    """Ask which files differ from the commit."""
    words = ("--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal")
    return _ask(folder, "status", *words, "--ignore-submodules=none")


def ask_unknown_files(folder: Path) -> Command:
    """Ask which files git does not know and the project does not ignore.

    What only this checkout ignores (`.git/info/exclude`) is built like every other file.
    """
    words = ("--others", "--directory", "--no-empty-directory", "--full-name", "-z")
    return _ask(folder, "ls-files", *words, "--exclude-per-directory=.gitignore", "--", ":/")


def read_changes(changes: Answer, unknown: Answer) -> tuple[str, ...]:
    """Name the files, from the answers to ``ask_changes`` and ``ask_unknown_files``.

    Raises ``ContextError`` where git could not look everywhere.
    """
    for answer in (changes, unknown):
        unseen = _UNSEEN.search(answer.err)
        if unseen:
            raise ContextError(
                f"git could not look for changes everywhere: {unseen[0]}",
                hint="let this user read what is named, or move it out of the repository",
            )
    return (*_read_status(changes), *split_names(unknown.out))


def _read_status(answer: Answer) -> Iterator[str]:
    for entry in split_names(answer.out):
        # Two letters and a blank stand before each name.
        is_named = len(entry) >= 4 and entry[2] == " "
        if not is_named:
            raise unexpected(answer, "which files differ from the commit")
        if not entry.startswith(_UNKNOWN):
            yield entry[3:]


def find_top(folder: str | Path) -> Command:
    """Ask where the repository's top folder is, and where ``folder`` lies in it."""
    words = ("rev-parse", "--show-toplevel", "--show-prefix")
    return ask_git("version", "find the repository", folder, *words)


def read_top(answer: Answer) -> tuple[str, str]:
    """Read the top folder and the place in it, which is empty at the top."""
    lines = answer.out.split("\n")
    # Behind the second line an end of line is left.
    if len(lines) != 3 or not lines[0]:
        raise unexpected(answer, "where the repository is")
    top, place, _ = lines
    return top, place


def find_remote_address(folder: str | Path, remote: str) -> Command:
    """Ask which addresses a remote has; the exit status is 1 where there is no such remote."""
    key = f"remote.{remote}.url"
    words = ("config", "-z", "--get-all", key)
    return ask_git("version", "find the remote", folder, *words, expected=(0, 1))


def read_remote_address(answer: Answer) -> str:
    """Read the address that git fetches from: the first; it is empty where there is none."""
    address, _, _ = answer.out.partition("\0")
    return address


def _ask(folder: Path, *words: str, expected: tuple[int, ...] = (0,)) -> Command:
    return Command(
        name="context",
        why=f"ask git for {words[0]}",
        argv=("git", *words),
        effect=Effect.READ,
        folder=str(folder),
        expected=expected,
        # A clone has no replacements, either. Nothing is fetched into the user's repository.
        env={"GIT_NO_LAZY_FETCH": "1", "GIT_NO_REPLACE_OBJECTS": "1"},
    )
