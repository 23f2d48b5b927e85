"""This module reads from git's tags which releases exist, and which were withdrawn. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from shipway.errors import ContextError
from shipway.model.release import LEVELS, GitTag, Override
from shipway.model.version import Version, highest_version, parse_version

WITHDRAWN = "withdrawn/"
"""Stands before the name of a release's tag once nobody shall use the release any more."""


def read_override(level: str, reason: str) -> Override | None:
    """Read the words of a command line; raises ``ContextError`` where one lacks the other."""
    reason = " ".join(reason.split())
    if level and level not in LEVELS:
        names = ", ".join(LEVELS)
        raise ContextError(
            f"there is no level {level!r}",
            hint=f"the levels are {names}",
        )
    if bool(level) != bool(reason):
        raise ContextError(
            "a version that the commits do not call for needs a level and a reason",
            hint="say both: --as minor --because 'the new default changes what people see'",
        )
    return Override(level, reason) if level else None


def tag_name(version: Version, tag_format: str) -> str:
    """Name the git tag of a version's release."""
    return tag_format.replace("{version}", str(version))


def name_release(name: str, tag_format: str) -> str:
    """Name the git tag of a release, which may be called by its version or by that tag."""
    before, after = tag_format.split("{version}")
    is_tag = name.startswith(before) and name.endswith(after)
    if is_tag:
        return name
    return f"{before}{name}{after}"


def version_of(tag: str, tag_format: str) -> Version | None:
    """Read the version in a git tag's name, ``None`` when the tag is no release's."""
    before, _, after = tag_format.partition("{version}")
    middle = tag.removeprefix(before).removesuffix(after)
    if tag != f"{before}{middle}{after}":
        return None
    return parse_version(middle)


def find_tag(tags: Iterable[GitTag], name: str) -> GitTag:
    """Give the tag of that name; raises ``ContextError`` where the remote has none."""
    for tag in tags:
        if tag.name == name:
            return tag
    raise ContextError(
        f"there is no tag {name} in the remote",
        hint="name a release that was made; `git ls-remote --tags` lists the tags",
    )


def usable_versions(tags: Iterable[GitTag], tag_format: str) -> list[Version]:
    """List the versions that were released and not withdrawn."""
    names = {tag.name for tag in tags}
    versions: list[Version] = []
    for name in names:
        if f"{WITHDRAWN}{name}" in names:
            continue
        version = version_of(name, tag_format)
        if version:
            versions.append(version)
    return versions


def withdrawn_versions(tags: Iterable[GitTag], tag_format: str) -> tuple[Version, ...]:
    """List the versions that were taken back, the lowest first."""
    versions: list[Version] = []
    for tag in tags:
        if not tag.name.startswith(WITHDRAWN):
            continue
        name = tag.name.removeprefix(WITHDRAWN)
        version = version_of(name, tag_format)
        if version:
            versions.append(version)
    versions.sort(key=lambda version: version.order)
    return tuple(versions)


def highest_tag(names: Iterable[str], tag_format: str) -> str:
    """Name the tag with the highest version of a project, empty where none is of its format."""
    tags: dict[Version, str] = {}
    for name in names:
        version = version_of(name, tag_format)
        if version:
            tags[version] = name
    highest = highest_version(tags)
    if highest is None:
        return ""
    return tags[highest]


def tags_on(tags: Iterable[GitTag], commit: str, tag_format: str) -> tuple[GitTag, ...]:
    """List the release tags of a commit, the highest version first."""
    on_commit = [tag for tag in tags if tag.commit == commit]
    return _sort_releases(on_commit, tag_format)


def tags_above(tags: Iterable[GitTag], commit: str, tag_format: str) -> tuple[GitTag, ...]:
    """List the release tags of commits that were made on top of one, the highest version first.

    Whether these are release commits their tags do not tell.
    """
    above = [tag for tag in tags if tag.parent == commit]
    return _sort_releases(above, tag_format)


def _sort_releases(tags: Iterable[GitTag], tag_format: str) -> tuple[GitTag, ...]:
    versions: dict[Version, GitTag] = {}
    for tag in tags:
        version = version_of(tag.name, tag_format)
        if version:
            versions[version] = tag
    highest_first = sorted(versions, key=lambda version: version.order, reverse=True)
    return tuple(versions[version] for version in highest_first)
