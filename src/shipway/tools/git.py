"""This module writes what git is asked about a repository and its remote, and how refs are pushed.

Its neighbours write the other command lines of git: ``git_checkout`` those about the user's
checkout, ``git_clone`` those that make a release, ``git_history`` those that narrow a clone's
history, ``git_origin`` those of a rehearsal's origin, ``git_tags`` those about tags. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from shipway.errors import StepFailed
from shipway.model.actions import Answer, Command, Effect, Hint
from shipway.tools.git_environment import PARAMETERS
from shipway.tools.troubles import PASSING

TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")
"""Names the variables that git's credential helper may read a token from."""
LOGINS = (*TOKENS, PARAMETERS)
"""Names the variables that a command which reaches a remote is given."""
RELEASED = "refs/released"
"""Says where the clone keeps the remote's tags.

python-semantic-release reads ``refs/tags``, and must see those alone that matter.
"""
_HASH = re.compile("[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHOWN = 80
"""Says how many characters an error quotes of an answer that is none."""
_PUSH_HINTS = (
    Hint(
        r"non-fast-forward|fetch first|stale info",
        "the branch moved meanwhile: run the release again from its new head (`git pull`)",
    ),
    Hint(
        r"protected branch|GH006|GH013",
        "the branch is protected: let a GitHub App push to it, and give its token as GITHUB_TOKEN",
    ),
    Hint(
        r"Permission to|\b403\b|could not read Username",
        "the push is refused: the job needs `contents: write`, and GITHUB_TOKEN in its environment",
    ),
)


def ask_git(
    name: str, why: str, folder: str | Path, *words: str, expected: tuple[int, ...] = (0,)
) -> Command:
    """Ask something of the repository in ``folder``; ``words`` are the arguments of git."""
    return Command(
        name=name,
        why=why,
        argv=("git", *words),
        effect=Effect.READ,
        folder=str(folder),
        expected=expected,
    )


def split_lines(text: str) -> list[str]:
    """Split what git prints into lines.

    A tag's name may hold characters that end a line for Python, but not for git.
    """
    return text.removesuffix("\n").split("\n") if text else []


def split_names(text: str) -> list[str]:
    """Split what git prints with ``-z``."""
    return text.removesuffix("\0").split("\0") if text else []


def unexpected(answer: Answer, question: str) -> StepFailed:
    """Give the error for an answer that is none to ``question``."""
    beginning = answer.out[:_SHOWN]
    return StepFailed(
        f"git was asked {question}, and answered {beginning!r}",
        hint="check the repository with `git fsck`, and git itself (`git --version`)",
    )


def read_words(answer: Answer, question: str, count: int) -> list[str]:
    """Read an answer of so many words; raises ``StepFailed`` for any other."""
    words = answer.out.split()
    if len(words) != count:
        raise unexpected(answer, question)
    return words


def read_dated_commit(answer: Answer) -> tuple[int, str]:
    """Read the time in seconds since 1970 and the hash of a commit from a line of `rev-list`."""
    question = "for a commit and its time"
    epoch, commit = read_words(answer, question, 2)
    if not epoch.isdecimal() or not _HASH.fullmatch(commit):
        raise unexpected(answer, question)
    return int(epoch), commit


def ask_git_version(name: str) -> Command:
    """Ask which git this is."""
    return ask_git(name, "ask git", "", "--version")


# What a remote has


def list_refs(folder: str | Path, remote: str, *refs: str) -> Command:
    """Ask which of ``refs``, full names, the remote has."""
    return Command(
        name="origin",
        why=f"ask {remote} for {refs[0]}",
        argv=("git", "ls-remote", remote, *refs),
        effect=Effect.READ,
        folder=str(folder),
        secrets=LOGINS,
        passing=PASSING,
    )


def list_branches(name: str, folder: str | Path, remote: str) -> Command:
    """Ask which branches the remote has."""
    return Command(
        name=name,
        why="ask for the branches",
        argv=("git", "ls-remote", "--heads", remote),
        effect=Effect.READ,
        folder=str(folder),
        secrets=LOGINS,
    )


def read_refs(answer: Answer) -> dict[str, str]:
    """Give the hash by full ref name, from the answer to ``git ls-remote``."""
    refs: dict[str, str] = {}
    for line in split_lines(answer.out):
        commit, tab, name = line.partition("\t")
        if tab:
            refs[name] = commit
    return refs


def push(name: str, why: str, folder: str | Path, remote: str, *refs: str) -> Command:
    """Publish refs (``source:destination`` or a name), all of them or none."""
    return Command(
        name=name,
        why=why,
        argv=("git", "push", "--atomic", remote, *refs),
        effect=Effect.PUBLISH,
        folder=str(folder),
        secrets=LOGINS,
        hints=_PUSH_HINTS,
        passing=PASSING,
    )


def try_push(name: str, folder: str | Path, remote: str, branch: str) -> Command:
    """Ask whether the remote would take a push of HEAD to a branch."""
    refspec = f"HEAD:refs/heads/{branch}"
    return Command(
        name=name,
        why="try to push",
        argv=("git", "push", "--dry-run", "--atomic", remote, refspec),
        effect=Effect.READ,
        folder=str(folder),
        secrets=LOGINS,
    )


def fetch_branch(name: str, why: str, folder: str | Path, remote: str, branch: str) -> Command:
    """Fetch a branch of the remote into its remote-tracking ref and into the branch of its name.

    What a push that was refused left on that branch is gone then. It must not be checked out.
    """
    ref = f"refs/heads/{branch}"
    refspecs = (f"+{ref}:refs/remotes/{remote}/{branch}", f"+{ref}:{ref}")
    return Command(
        name=name,
        why=why,
        argv=("git", "fetch", "--quiet", "--no-tags", "--refmap=", remote, *refspecs),
        effect=Effect.LOCAL,
        folder=str(folder),
        secrets=LOGINS,
    )


def find_file(name: str, why: str, folder: str | Path, revision: str, path: str) -> Command:
    """Ask whether there is a file at a revision; nothing is printed where there is none.

    ``path`` is seen from the top of the repository.
    """
    words = ("ls-tree", "--full-tree", "--name-only", "-z", revision, "--", path)
    return ask_git(name, why, folder, *words)


def read_file(name: str, why: str, folder: str | Path, revision: str, path: str) -> Command:
    """Ask what a file holds at a revision; it has to be there."""
    blob = f"{revision}:{path}"
    return ask_git(name, why, folder, "cat-file", "blob", blob)


# What a clone has


def list_authors(folder: str | Path, since: str | None, commit: str) -> Command:
    """Ask who made the commits since a tag, or all of them; `.mailmap` gives the names."""
    commits = commit
    if since:
        commits = f"{RELEASED}/{since}..{commit}"
    words = ("rev-list", "--no-commit-header", "--format=%aN", commits, "--")
    return ask_git("version", "ask who made the commits", folder, *words)


def list_reverts(folder: str | Path, since: str, commit: str, paths: Iterable[str] = ()) -> Command:
    """Ask for the commits since a tag that may revert another one: hash and subject.

    With ``paths`` those count that change something there; one with ``!`` is left out.
    """
    specs: list[str] = []
    for path in paths:
        is_left_out = path.startswith("!")
        spec = f":(exclude){path[1:]}" if is_left_out else path
        specs.append(spec)
    filters = ("--regexp-ignore-case", "--grep=^revert", "--grep=^reapply")
    commits = f"{RELEASED}/{since}..{commit}"
    words = ("rev-list", "--no-commit-header", "--format=%H %s", *filters, commits, "--", *specs)
    return ask_git("version", "ask what was reverted", folder, *words)


def find_remote_head(folder: str | Path, remote: str, branch: str) -> Command:
    """Ask at which commit a branch of the remote is; the exit status is 1 where it has none."""
    ref = f"refs/remotes/{remote}/{branch}"
    words = ("rev-parse", "--verify", "--quiet", ref)
    return ask_git("version", "find the branch's head", folder, *words, expected=(0, 1))


def is_ancestor(folder: str | Path, commit: str, descendant: str) -> Command:
    """Ask whether a commit is in the history of ``descendant``: the exit status is 0 or 1."""
    words = ("merge-base", "--is-ancestor", commit, descendant)
    return ask_git("version", "compare the branch's head", folder, *words, expected=(0, 1))


def commit_time(folder: str | Path, commit: str) -> Command:
    """Ask when a commit was made; see ``read_dated_commit``."""
    words = ("rev-list", "--max-count=1", "--timestamp", commit, "--")
    return ask_git("version", "ask for its time", folder, *words)


def count_differences(name: str, folder: str | Path, revision: str) -> Command:
    """Ask how many commits are only in ``revision``, and how many only in HEAD."""
    words = ("rev-list", "--left-right", "--count", f"{revision}...HEAD", "--")
    return ask_git(name, "compare with the remote branch", folder, *words)


def read_differences(answer: Answer) -> tuple[int, int]:
    """Read both numbers from the answer to ``count_differences``."""
    question = "how many commits are on one side alone"
    only_there, only_here = read_words(answer, question, 2)
    if not (only_there.isdecimal() and only_here.isdecimal()):
        raise unexpected(answer, question)
    return int(only_there), int(only_here)


def list_branches_with(name: str, why: str, folder: str | Path, commit: str) -> Command:
    """Ask which branches of the remotes contain a commit."""
    words = ("for-each-ref", f"--contains={commit}", "--format=%(refname)", "refs/remotes")
    return ask_git(name, why, folder, *words)
