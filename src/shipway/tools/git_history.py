"""This module writes the command lines of git that narrow and show the history of a clone. Pure.

Each function gives the words of a command line; ``effects/shown_history`` runs them.
"""

from __future__ import annotations

from typing import TypeAlias

from shipway.tools.git import RELEASED

Argv: TypeAlias = tuple[str, ...]
"""Holds the words of a command line, the program's name first."""


def list_reachable_tags() -> Argv:
    """List the remote's tags that HEAD reaches: name, hash, and what an annotation names.

    The last word is `tag` where that is another tag.
    """
    form = "%(refname:lstrip=2)%09%(objectname)%09%(*objectname)%09%(*objecttype)"
    return ("git", "for-each-ref", "--merged=HEAD", RELEASED, f"--format={form}")


def list_commits_since(commit: str) -> Argv:
    """List the commits of HEAD that ``commit`` does not reach, each with its parents."""
    return ("git", "rev-list", "--parents", f"{commit}..HEAD")


def update_refs() -> Argv:
    """Change the refs that standard input names."""
    return ("git", "update-ref", "--stdin")


def read_commit(commit: str) -> Argv:
    """Print a commit as git stores it: headers, an empty line, the message."""
    return ("git", "cat-file", "commit", commit)


def find_tree(commit: str) -> Argv:
    """Print the hash of a commit's files."""
    return ("git", "rev-parse", "--verify", f"{commit}^{{tree}}")


def peel_tag(tag: str) -> Argv:
    """Print the hash of the commit at the end of a row of tags."""
    return ("git", "rev-parse", "--verify", f"{tag}^{{commit}}")


def write_commit() -> Argv:
    """Store the commit on standard input, and print its hash."""
    return _write_object("commit")


def write_tree() -> Argv:
    """Store the folder on standard input, and print its hash."""
    return _write_object("tree")


def _write_object(kind: str) -> Argv:
    return ("git", "hash-object", "-t", kind, "-w", "--stdin")
