"""This module writes what git is asked about tags, and reads what they name. Pure.

A tag may name another tag: git makes one of those where somebody tags a release by the tag of its
candidate. git 2.45 follows such a row to its commit, older ones follow one step of it.
"""

from __future__ import annotations

from pathlib import Path

from shipway.model.actions import Answer, Command
from shipway.model.release import GitTag
from shipway.tools.git import RELEASED, ask_git, split_lines, unexpected

_FIELDS = (
    "%(refname:lstrip=2)\t%(objectname)\t%(*objectname)\t%(parent)\t%(*parent)"
    "\t%(objecttype)\t%(*objecttype)"
)


def list_tags(folder: str | Path) -> Command:
    """Ask which tags the remote had and which were made here since, with the commits they name."""
    words = ("for-each-ref", RELEASED, "refs/tags", f"--format={_FIELDS}")
    return ask_git("version", "list the tags", folder, *words)


def read_git_tags(answer: Answer) -> tuple[GitTag, ...]:
    """Read the answer to ``list_tags``; of one name the remote's tag counts, which comes first.

    What the clone shows to python-semantic-release may be elsewhere. A tag that names another tag
    has the hash of that one in place of a commit's (see ``read_nested``). A tag of anything else,
    as of a file or a tree, is no tag of a release, whatever it is called.
    """
    tags: dict[str, GitTag] = {}
    for fields in _read_fields(answer):
        name, commit, peeled, parents, peeled_parents, kind, peeled_kind = fields
        if (peeled_kind or kind) not in ("commit", "tag"):
            continue
        tagged_commit = peeled or commit
        parent, _, _ = (peeled_parents or parents).partition(" ")
        tag = GitTag(name, tagged_commit, parent)
        tags.setdefault(name, tag)
    return tuple(tags.values())


def read_nested(answer: Answer) -> frozenset[str]:
    """Read from the answer to ``list_tags`` which tags name another tag."""
    return frozenset(fields[0] for fields in _read_fields(answer) if fields[-1] == "tag")


def _read_fields(answer: Answer) -> list[list[str]]:
    rows: list[list[str]] = []
    for line in split_lines(answer.out):
        fields = line.split("\t")
        if len(fields) != 7:
            raise unexpected(answer, "for the tags")
        rows.append(fields)
    return rows


def ask_tagged_commit(folder: str | Path, tag: GitTag) -> Command:
    """Ask which commit stands at the end of a row of tags, and for its parents."""
    words = ("rev-list", "--no-walk", "--parents", tag.commit)
    return ask_git("version", f"ask which commit {tag.name} names", folder, *words)


def read_tagged_commit(answer: Answer, tag: GitTag) -> GitTag:
    """Give the tag with the commit of the answer to ``ask_tagged_commit``."""
    commit, _, parents = answer.out.strip().partition(" ")
    parent, _, _ = parents.partition(" ")
    return GitTag(tag.name, commit, parent)


def read_tag_notes(folder: str | Path, tag: str) -> Command:
    """Ask which notes an annotated tag carries."""
    words = ("for-each-ref", "--format=%(contents:body)", f"refs/tags/{tag}")
    return ask_git("version", f"read the notes of {tag}", folder, *words)
