"""Lets a clone show the history that a decision about the next version depends on, and no more.

python-semantic-release walks it twice. The version is counted from the commits that the head
reaches and the last release does not (`semantic_release.version.algorithm.next_version`); the
changelog gives each commit to the release that it met last on its way down, newest first
(`semantic_release.changelog.release_history`). Where side branches began below the last release
the two disagree, and both read all tags again for each tag. So the clone shows

- no tag but that of the last release (see ``show_since_last_release``);
- the last release below every commit since: a commit whose parent was released already gets a
  stand-in as its parent, which has the parent's files and lies on top of the last release;
- nothing below the last release.

The tags of the remote lie in ``refs/released/``. Those that matter are put into ``refs/tags/``, and
commits that are shown with other parents get replacements (`git-replace(1)`), which nothing that is
pushed follows.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shipway.errors import StepFailed
from shipway.model.version import read_order
from shipway.tools import git_history
from shipway.tools.git import split_lines

if TYPE_CHECKING:
    from semantic_release.cli.config import RuntimeContext
    from semantic_release.version.version import Version as ToolVersion

_CHECK_REPOSITORY = "check the repository with `git fsck`, then run the same command again"
_ADVERTISED = "For further information visit"
"""Beginning of a line in pydantic's errors that says nothing about the settings."""
_KEPT_HEADERS = re.compile("author |committer |encoding ")
_STAND_IN = "shipway[bot] <shipway[bot]@users.noreply.github.com>"
"""Names the author of stand-ins: as a program it is no author of a release."""


@dataclass(frozen=True, slots=True)
class ReleaseTag:
    """A release tag that is reachable from the head."""

    version: ToolVersion
    name: str
    object: str
    """Hash of the tag, which is the commit's for one without annotation."""
    commit: str


@dataclass(frozen=True, slots=True)
class ShownHistory:
    """Holds the last release, ``None`` before the first one, and those that it follows."""

    last: ReleaseTag | None
    older: tuple[ReleaseTag, ...] = ()


def show_since_last_release(folder: Path, rules: RuntimeContext) -> ShownHistory:
    """Let the clone show the last release, and what came since."""
    tags = read_release_tags(folder, rules)
    full = _last_full_release(tags)
    last = _last_prerelease(tags, full, rules) or full
    if last is None:
        return ShownHistory(None)
    parents = _read_parents_since(folder, last)
    raised = _raise_roots(folder, last, parents)
    _replace(folder, {last.commit: [], **raised})
    refs = {f"refs/tags/{last.name}": last.object}
    if full is not None and full is not last:
        # A pre-release is counted from both; the full one is below it, where nothing is shown.
        refs[f"refs/tags/{full.name}"] = last.commit
    _set_refs(folder, refs)
    return ShownHistory(last, _list_older(tags, last, parents, rules))


def _last_full_release(tags: Sequence[ReleaseTag]) -> ReleaseTag | None:
    """Give the highest release that is no pre-release."""
    for tag in tags:
        if not tag.version.is_prerelease:
            return tag
    return None


def _last_prerelease(
    tags: Sequence[ReleaseTag], full: ReleaseTag | None, rules: RuntimeContext
) -> ReleaseTag | None:
    """Give the highest pre-release of the branch's own kind, where it makes pre-releases."""
    if not rules.prerelease:
        return None
    token = rules.version_translator.prerelease_token
    for tag in tags:
        if full is not None and tag.version < full.version:
            return None
        if tag.version.is_prerelease and tag.version.prerelease_token == token:
            return tag
    return None


def _list_older(
    tags: Sequence[ReleaseTag],
    last: ReleaseTag,
    since: Mapping[str, object],
    rules: RuntimeContext,
) -> tuple[ReleaseTag, ...]:
    """List the releases of which a changelog tells that is written anew: one of each commit.

    A tag among the commits ``since`` the last release would take some of them. Full releases tell
    what their pre-releases told.
    """
    shown = {last.commit: last}
    for tag in tags:
        is_told = rules.prerelease or not tag.version.is_prerelease
        if is_told and tag.commit not in since:
            shown.setdefault(tag.commit, tag)
    return tuple(shown.values())


def _read_parents_since(folder: Path, last: ReleaseTag) -> dict[str, list[str]]:
    """Read the parents of each commit that the head reaches and the last release does not."""
    parents: dict[str, list[str]] = {}
    command = git_history.list_commits_since(last.commit)
    listing = _git(folder, command)
    for line in split_lines(listing):
        commit, *names = line.split()
        parents[commit] = names
    return parents


def _raise_roots(
    folder: Path, last: ReleaseTag, parents: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """Give other parents to the commits since the last release that do not lie on top of it."""
    stand_ins: dict[str, str] = {}
    raised: dict[str, list[str]] = {}
    for commit, names in parents.items():
        new_names: list[str] = []
        # What has no parent began beside everything.
        for name in names or [""]:
            is_on_top = name == last.commit or name in parents
            if not is_on_top:
                if name not in stand_ins:
                    stand_ins[name] = _write_stand_in(folder, name, last.commit)
                name = stand_ins[name]
            new_names.append(name)
        if new_names != names:
            raised[commit] = new_names
    return raised


def _write_stand_in(folder: Path, commit: str, last: str) -> str:
    """Write a commit with the files of ``commit``, of none if it is empty, on top of ``last``.

    It counts for no version and stands in no changelog: it looks like a merge, of a program.
    """
    command = git_history.write_tree()
    if commit:
        command = git_history.find_tree(commit)
    tree = _git(folder, command).strip()
    person = f"{_STAND_IN} 0 +0000"
    lines = (
        f"tree {tree}",
        f"parent {last}",
        f"parent {last}",
        f"author {person}",
        f"committer {person}",
        "",
        "Released before\n",
    )
    return _write_commit(folder, lines)


def _replace(folder: Path, parents: Mapping[str, Sequence[str]]) -> None:
    """Show commits with other parents."""
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
        name, identity, peeled, kind = line.split("\t")
        version = _parse_tag(name, rules)
        if version is None:
            continue
        commit = peeled or identity
        if kind == "tag":
            command = git_history.peel_tag(identity)
            commit = _git(folder, command).strip()
        tag = ReleaseTag(version, name, identity, commit)
        tags.append(tag)
    # To the tool, versions that differ in build metadata only are equal.
    return sorted(tags, key=lambda tag: read_order(str(tag.version)), reverse=True)


def _parse_tag(name: str, rules: RuntimeContext) -> ToolVersion | None:
    from semantic_release.errors import InvalidVersion

    translator = rules.version_translator
    try:
        version = translator.from_tag(name)
    except (NotImplementedError, InvalidVersion):
        return None
    # It reads what the name begins with; another name may go on where the format ends.
    if version is None or translator.str_to_tag(str(version)) != name:
        return None
    return version


def needs_everything(folder: Path, rules: RuntimeContext) -> bool:
    """Tell whether the changelog is written anew from all releases, and not only added to."""
    from semantic_release.changelog.context import ChangelogMode

    if rules.changelog_mode is not ChangelogMode.UPDATE:
        return True
    file = folder / rules.changelog_file
    if not file.is_file():
        return True
    return rules.changelog_insertion_flag not in file.read_text(encoding="utf-8")


def show_older_releases(folder: Path, history: ShownHistory) -> None:
    """Show also what lies below the last release."""
    last = history.last
    if last is None:
        return
    updates = f"delete refs/replace/{last.commit}\n"
    for tag in history.older:
        updates += f"update refs/tags/{tag.name} {tag.object}\n"
    _git(folder, git_history.update_refs(), stdin=updates)


def _set_refs(folder: Path, refs: Mapping[str, str]) -> None:
    updates = ""
    for name, identity in refs.items():
        updates += f"update {name} {identity}\n"
    _git(folder, git_history.update_refs(), stdin=updates)


def _write_replacement(folder: Path, commit: str, parents: Sequence[str]) -> str:
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
    lines += ["", message]
    return _write_commit(folder, lines)


def _write_commit(folder: Path, lines: Sequence[str]) -> str:
    """Write a commit: headers, an empty line, the message; gives its hash."""
    text = "\n".join(lines)
    command = git_history.write_commit()
    return _git(folder, command, stdin=text).strip()


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
