"""Lets a clone show the history that a decision about the next version depends on, and no more.

python-semantic-release walks the whole history, and reads all tags again for each tag. But its
decision depends on what is reachable from the head and not from the last release, and on no tag
below it (`semantic_release.version.algorithm.next_version`).

The tags of the remote lie in ``refs/released/``. Those that matter are put into ``refs/tags/``, and
commits where history ends get replacements without parents (`git-replace(1)`), which nothing that
is pushed follows.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shipway.errors import StepFailed
from shipway.tools import git_history
from shipway.tools.git import split_lines

if TYPE_CHECKING:
    from semantic_release.cli.config import RuntimeContext
    from semantic_release.version.version import Version as ToolVersion

_CHECK_REPOSITORY = "check the repository with `git fsck`, then run the same command again"
_ADVERTISED = "For further information visit"
"""Beginning of a line in pydantic's errors that says nothing about the settings."""
_KEPT_HEADERS = re.compile("author |committer |encoding ")


@dataclass(frozen=True, slots=True)
class ReleaseTag:
    """A release tag that is reachable from the head."""

    version: ToolVersion
    name: str
    object: str
    """Hash of the tag, which is the commit's for one without annotation."""
    commit: str


def narrow(folder: Path, rules: RuntimeContext) -> ToolVersion | None:
    """Let the clone end at the last full release.

    Gives the version that the next one is counted from, ``None`` where there is none.
    """
    tags = read_release_tags(folder, rules)
    full = next((tag for tag in tags if not tag.version.is_prerelease), None)
    needed: list[ReleaseTag] = []
    for tag in tags:
        if full is None or tag.version >= full.version:
            needed.append(tag)
    refs = {f"refs/tags/{tag.name}": tag.object for tag in needed}
    _set_refs(folder, refs)
    if full is not None:
        _cut_history(folder, full, needed)
    last = _last_prerelease(needed, rules) or full
    return last.version if last else None


def _last_prerelease(tags: Sequence[ReleaseTag], rules: RuntimeContext) -> ReleaseTag | None:
    """Give the highest pre-release of the branch's own kind, where it makes pre-releases."""
    if not rules.prerelease:
        return None
    token = rules.version_translator.prerelease_token
    for tag in tags:
        if tag.version.is_prerelease and tag.version.prerelease_token == token:
            return tag
    return None


def _cut_history(folder: Path, full: ReleaseTag, needed: Iterable[ReleaseTag]) -> None:
    """Let the history end at the release ``full``, and where side branches began before it."""
    commits: set[str] = set()
    ends: set[str] = set()
    for line in _git(folder, git_history.list_commits_since(full.commit)).split():
        if line.startswith("-"):
            ends.add(line.removeprefix("-"))
        else:
            commits.add(line)
    ends.discard(full.commit)
    # A pre-release below the last full release is seldom, and belongs to the history that goes.
    tagged = {tag.commit for tag in needed}
    if not tagged <= {full.commit, *commits}:
        show_everything(folder)
        return
    parents = {full.commit: sorted(ends), **{commit: [] for commit in ends}}
    replacements = {}
    for commit, new_parents in parents.items():
        replacement = _write_replacement(folder, commit, new_parents)
        if replacement != commit:
            replacements[f"refs/replace/{commit}"] = replacement
    _set_refs(folder, replacements)


def read_release_tags(folder: Path, rules: RuntimeContext) -> list[ReleaseTag]:
    """Read the release tags that are reachable from the head, highest version first."""
    listing = _git(folder, git_history.list_reachable_tags())
    tags: list[ReleaseTag] = []
    for line in split_lines(listing):
        name, identity, peeled = line.split("\t")
        version = _parse_tag(name, rules)
        if version:
            tag = ReleaseTag(
                version=version,
                name=name,
                object=identity,
                commit=peeled or identity,
            )
            tags.append(tag)
    return sorted(tags, key=lambda tag: tag.version, reverse=True)


def _parse_tag(name: str, rules: RuntimeContext) -> ToolVersion | None:
    from semantic_release.errors import InvalidVersion

    try:
        return rules.version_translator.from_tag(name)
    except (NotImplementedError, InvalidVersion):
        return None


def needs_everything(folder: Path, rules: RuntimeContext) -> bool:
    """Tell whether the changelog is written anew from all releases, and not only added to."""
    from semantic_release.changelog.context import ChangelogMode

    if rules.changelog_mode is not ChangelogMode.UPDATE:
        return True
    file = folder / rules.changelog_file
    if not file.is_file():
        return True
    return rules.changelog_insertion_flag not in file.read_text(encoding="utf-8")


def show_everything(folder: Path) -> None:
    """Show all tags and all history in the clone again."""
    refs = {}
    listing = _git(folder, git_history.list_remote_tags())
    for line in split_lines(listing):
        name, identity = line.split("\t")
        refs[f"refs/tags/{name}"] = identity
    _set_refs(folder, refs)
    deletions = _git(folder, git_history.list_replacements())
    _git(folder, git_history.update_refs(), stdin=deletions)


def _set_refs(folder: Path, refs: Mapping[str, str]) -> None:
    updates = ""
    for name, identity in refs.items():
        updates += f"update {name} {identity}\n"
    _git(folder, git_history.update_refs(), stdin=updates)


def _write_replacement(folder: Path, commit: str, parents: Iterable[str]) -> str:
    """Write a commit that is like ``commit`` but for its parents; gives its hash."""
    content = _git(folder, git_history.read_commit(commit))
    head, _, message = content.partition("\n\n")
    tree, *headers = split_lines(head)
    lines = [tree]
    for parent in parents:
        lines.append(f"parent {parent}")
    for header in headers:
        if _KEPT_HEADERS.match(header):
            lines.append(header)
    text = "\n".join([*lines, "", message])
    return _git(folder, git_history.write_commit(), stdin=text).strip()


def _git(folder: Path, argv: Sequence[str], *, stdin: str = "") -> str:
    """Run git on the clone; raises ``StepFailed`` where it refuses."""
    process = subprocess.run(
        argv,
        cwd=folder,
        # What was cut off before must not hide anything now.
        env={**os.environ, "GIT_NO_REPLACE_OBJECTS": "1"},
        input=stdin,
        check=False,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
    )
    if process.returncode:
        raise no_version(f"git {argv[1]}: {process.stderr}", _CHECK_REPOSITORY)
    return process.stdout


def no_version(reason: str, hint: str) -> StepFailed:
    """Give the error for a question that has no answer; ``reason`` may have several lines."""
    telling = []
    for line in reason.splitlines():
        text = line.strip()
        if text and not text.startswith(_ADVERTISED):
            telling.append(text)
    sentence = "; ".join(telling).replace(":; ", ": ")
    return StepFailed(f"python-semantic-release gave no version: {sentence}", hint=hint)
