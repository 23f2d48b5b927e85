"""This module writes the command lines of git that narrow and show the history of a clone. Pure.

Each function gives the words of a command line; ``effects/shown_history`` runs them.
"""

from __future__ import annotations

from typing import TypeAlias

from shipway.tools.git import RELEASED

Argv: TypeAlias = tuple[str, ...]
"""Holds the words of a command line, the program's name first."""


def list_reachable_tags() -> Argv:
    """List the remote's tags that HEAD reaches: name, hash, and the commit behind an annotation."""
    form = "%(refname:lstrip=2)%09%(objectname)%09%(*objectname)"
    return ("git", "for-each-ref", "--merged=HEAD", RELEASED, f"--format={form}")


def list_remote_tags() -> Argv:
    """List all tags of the remote: name and hash."""
    form = "%(refname:lstrip=2)%09%(objectname)"
    return ("git", "for-each-ref", RELEASED, f"--format={form}")


def list_replacements() -> Argv:
    """List the replacements of commits, as lines that ``update_refs`` takes to delete them."""
    return ("git", "for-each-ref", "refs/replace", "--format=delete %(refname)")


def list_commits_since(commit: str) -> Argv:
    """List the commits of HEAD that ``commit`` does not reach, and with ``-`` where they begin."""
    return ("git", "rev-list", "--boundary", f"{commit}..HEAD")


def update_refs() -> Argv:
    """Change the refs that standard input names."""
    return ("git", "update-ref", "--stdin")


def read_commit(commit: str) -> Argv:
    """Print a commit as git stores it: headers, an empty line, the message."""
    return ("git", "cat-file", "commit", commit)


def write_commit() -> Argv:
    """Store the commit on standard input, and print its hash."""
    return ("git", "hash-object", "-t", "commit", "-w", "--stdin")
