"""`doctor` looks at the last release: a tag on a branch, of a project that says the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from shipway.errors import CheckFailed
from shipway.model.actions import Command
from shipway.model.release import GitTag
from shipway.model.version import Version, comparable, read_version
from shipway.run.clone import Clone
from shipway.settings import ReleaseSettings
from shipway.settings.problems import parse_toml
from shipway.target.releases import version_of
from shipway.target.version_pattern import PROJECT_FILE, inner_table
from shipway.tools import git

Asker: TypeAlias = Callable[[Command], str]
"""Runs a command, and gives what it printed."""
_NAME = "doctor"


def check_last_release(clone: Clone, release: ReleaseSettings, ask: Asker) -> str:
    """Check that the highest release tag is on a branch, and that the project there agrees.

    Raises ``CheckFailed``.
    """
    tags = _release_tags(clone, release.tag_format)
    if not tags:
        return "none yet"
    version = max(tags, key=lambda version: version.order)
    tag = tags[version]
    commit = tag.commit[:12]
    question = git.list_branches_with(
        _NAME,
        f"look for a branch with {tag.name}",
        clone.folder,
        tag.commit,
    )
    if not ask(question):
        raise CheckFailed(
            f"{tag.name} is on no branch of the remote: an orphan, "
            "left by a push that was half done",
            hint=f"merge {commit} into the branch, or delete the tag if nothing was published",
        )
    place = f"{tag.name} at {commit}"
    stated = _stated_version(clone, tag, ask)
    if release.tag_only:
        return place
    if not stated:
        return f"{place} (its version is not in pyproject.toml)"
    if read_version(stated) != comparable(version):
        raise CheckFailed(
            f"{tag.name} is of a project that says {stated}",
            hint="a tag that was set by hand; the next version follows the tag",
        )
    return place


def _release_tags(clone: Clone, tag_format: str) -> dict[Version, GitTag]:
    tags: dict[Version, GitTag] = {}
    for tag in clone.tags():
        version = version_of(tag.name, tag_format)
        if version:
            tags[version] = tag
    return tags


def _stated_version(clone: Clone, tag: GitTag, ask: Asker) -> str:
    """Read the version that the project's own file says at a tag, empty where it says none."""
    why = f"read the project at {tag.name}"
    file = clone.folder / PROJECT_FILE
    path = file.relative_to(clone.top).as_posix()
    search = git.find_file(
        _NAME,
        why,
        clone.folder,
        tag.commit,
        path,
    )
    if not ask(search):
        return ""
    question = git.read_file(
        _NAME,
        why,
        clone.folder,
        tag.commit,
        path,
    )
    content = ask(question)
    document = parse_toml(content, f"pyproject.toml at {tag.name}")
    project = inner_table(document, "project")
    version = project.get("version", "")
    return str(version)
