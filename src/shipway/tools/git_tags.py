"""This module writes what git is asked about tags, and reads what they name. Pure.

A tag may name another tag: git makes one of those where somebody tags a release by the tag of its
candidate. git 2.45 follows such a row to its commit, older ones follow one step of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shipway.model.actions import Answer, Command
from shipway.model.release import GitTag
from shipway.tools.git import RELEASED, ask_git, split_lines, unexpected

_FIELDS = (
    "%(refname:lstrip=2)\t%(objectname)\t%(*objectname)\t%(parent)\t%(*parent)"
    "\t%(objecttype)\t%(*objecttype)"
)
_COLUMNS = _FIELDS.count("\t") + 1
_COUNTED = frozenset(("commit", "tag"))
"""Names the kinds of objects that a release's tag may name."""


def list_tags(folder: str | Path) -> Command:
    """Ask which tags the remote had and which were made here since, with the commits they name."""
    form = f"--format={_FIELDS}"
    words = ("for-each-ref", RELEASED, "refs/tags", form)
    return ask_git("version", "list the tags", folder, *words)


def read_git_tags(answer: Answer) -> tuple[GitTag, ...]:
    """Read the answer to ``list_tags``; of one name the remote's tag counts, which comes first.

    What the clone shows to python-semantic-release may be elsewhere. A tag that names another tag
    has the hash of that one in place of a commit's (see ``read_nested``). A tag of anything else,
    as of a file or a tree, is no tag of a release, whatever it is called.
    """
    tags: dict[str, GitTag] = {}
    for row in _read_rows(answer):
        kind = row.peeled_kind or row.kind
        if kind not in _COUNTED:
            continue
        commit = row.peeled or row.identity
        parents = row.peeled_parents or row.parents
        tag = _name_commit(row.name, commit, parents)
        tags.setdefault(row.name, tag)
    return tuple(tags.values())


def _name_commit(name: str, commit: str, parents: str) -> GitTag:
    """Give the tag of a commit, which has its parents' hashes in one text."""
    parent, _, _ = parents.partition(" ")
    return GitTag(name, commit, parent)


def read_nested(answer: Answer) -> frozenset[str]:
    """Read from the answer to ``list_tags`` which tags name another tag."""
    names: list[str] = []
    for row in _read_rows(answer):
        if row.peeled_kind == "tag":
            names.append(row.name)
    return frozenset(names)


@dataclass(frozen=True, slots=True)
class _Row:
    """Holds what git says of a tag: ``peeled`` is what an annotated one names."""

    name: str
    identity: str
    peeled: str
    parents: str
    peeled_parents: str
    kind: str
    peeled_kind: str


def _read_rows(answer: Answer) -> list[_Row]:
    rows: list[_Row] = []
    for line in split_lines(answer.out):
        columns = line.split("\t")
        if len(columns) != _COLUMNS:
            raise unexpected(answer, "for the tags")
        row = _Row(*columns)
        rows.append(row)
    return rows


def ask_tagged_commit(folder: str | Path, tag: GitTag) -> Command:
    """Ask which commit stands at the end of a row of tags, and for its parents."""
    why = f"ask which commit {tag.name} names"
    words = ("rev-list", "--no-walk", "--parents", tag.commit)
    return ask_git("version", why, folder, *words)


def read_tagged_commit(answer: Answer, tag: GitTag) -> GitTag:
    """Give the tag with the commit of the answer to ``ask_tagged_commit``."""
    line = answer.out.strip()
    commit, _, parents = line.partition(" ")
    return _name_commit(tag.name, commit, parents)


def read_tag_notes(folder: str | Path, tag: str) -> Command:
    """Ask which notes an annotated tag carries."""
    why = f"read the notes of {tag}"
    words = ("for-each-ref", "--format=%(contents:body)", f"refs/tags/{tag}")
    return ask_git("version", why, folder, *words)
