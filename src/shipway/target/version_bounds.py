"""This module refuses a next version that is below what a project, or its tags, already say. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from packaging.version import Version as PythonVersion

from shipway.errors import Conflict, SettingsError
from shipway.model.release import Decision, GitTag
from shipway.model.version import (
    Version,
    comparable,
    highest_version,
    parse_version,
    read_version,
    semantic_version,
)
from shipway.target.releases import WITHDRAWN, tag_name, usable_versions, version_of

_PLAIN_WORDS = frozenset(
    ("v", "ver", "version", "r", "rel", "release", "releases", "stable", "tag", "tags")
)
"""Stand before a version without naming a package."""
_NUMBER = re.compile(r"(?<![\d.])\d")
"""Matches where a number begins that does not belong to the one before it."""
_LARGEST_SINGLE = 1000
"""Says from which number on a number alone is a date or a count, and no version."""


@dataclass(frozen=True, slots=True)
class _OtherTag:
    """Holds a tag that reads as a version of the project, but is not of its format."""

    name: str
    before: str
    """Stands before the version."""
    text: str
    """Holds the version as the tag writes it."""
    version: PythonVersion


def require_fitting_tags(tags: Collection[GitTag], tag_format: str, names: Collection[str]) -> None:
    """Make sure that the highest version among the tags is of the project's format.

    ``names`` are those of the project and its repository; tags of other packages do not count.
    Raises ``SettingsError`` with the format that fits.
    """
    others = _other_tags(tags, tag_format, names)
    highest = max(others, key=lambda tag: tag.version, default=None)
    if highest is None:
        return
    fitting = usable_versions(tags, tag_format)
    last = highest_version(fitting)
    if last and comparable(last) >= highest.version:
        return
    raise SettingsError(
        f"the highest version among the tags of the remote is {highest.name}, and it does not fit "
        f"tag-format {tag_format!r}: the next version would be counted without it",
        hint=_tag_advice(highest, tag_format),
    )


def _tag_advice(tag: _OtherTag, tag_format: str) -> str:
    otherwise = (
        f"; if it is no release of this project, leave it out by a tag {WITHDRAWN}{tag.name}"
    )
    own_format = f"{tag.before}{{version}}"
    set_format = f'set `tag-format = "{own_format}"` in [tool.shipway.release]'
    if parse_version(tag.text):
        return f"{set_format}{otherwise}"
    reason = f"{tag.text} is no semantic version (1.2.3, 1.2.3-rc.1)"
    semantic = semantic_version(tag.version)
    first_step = ""
    name = tag_name(semantic, tag_format)
    expected_start = tag_format.partition("{version}")[0]
    if tag.before != expected_start:
        first_step = f"{set_format}, and "
        name = f"{tag.before}{semantic}"
    command = f"git tag {name} '{tag.name}^{{}}'"
    step = f"give that release a name that is one, `{command}`, and push it"
    return f"{reason}: {first_step}{step}{otherwise}"


def _other_tags(
    tags: Collection[GitTag], tag_format: str, names: Collection[str]
) -> Iterator[_OtherTag]:
    """Read the tags that are versions of this project, and not of its format."""
    all_names = {tag.name for tag in tags}
    packages = _own_packages(tag_format, names)
    for name in sorted(all_names):
        if name.startswith(WITHDRAWN) or f"{WITHDRAWN}{name}" in all_names:
            continue
        if version_of(name, tag_format):
            continue
        tag = _read_tag(name)
        if tag and _package_of(tag.before) in packages:
            yield tag


def _own_packages(tag_format: str, names: Collection[str]) -> Collection[str]:
    """Give what may stand before the versions of this project, as ``_package_of`` names it."""
    before = tag_format.partition("{version}")[0]
    package = _package_of(before)
    if package:
        return {package}
    return {"", *map(_package_of, names)}


def _package_of(before: str) -> str:
    """Name the package that stands before a version; it is empty where none does."""
    lower = before.lower()
    *words, last = re.split(r"[^a-z0-9]+", lower)
    if last != "v":
        last = last.removesuffix("v")
    words.append(last)
    names: list[str] = []
    for word in words:
        if word and word not in _PLAIN_WORDS:
            names.append(word)
    return "-".join(names)


def _read_tag(name: str) -> _OtherTag | None:
    """Read the version that a tag's name ends with, ``None`` where it ends with none."""
    for match in _NUMBER.finditer(name):
        start = match.start()
        before = name[:start]
        text = name[start:]
        dotted = text.replace("_", ".")
        version = read_version(text) or read_version(dotted)
        if version and _is_version(version):
            return _OtherTag(
                name=name,
                before=before,
                text=text,
                version=version,
            )
    return None


def _is_version(version: PythonVersion) -> bool:
    """Tell a version from a date or a count in one number."""
    numbers = version.release
    if len(numbers) > 1:
        return True
    return numbers[0] < _LARGEST_SINGLE


def require_above_project(decision: Decision, stated: Mapping[str, str]) -> None:
    """Make sure that the next version is not below those that the project states itself.

    ``stated`` holds them by place. Raises ``SettingsError``.
    """
    for place, text in stated.items():
        version = read_version(text)
        if version is None:
            raise SettingsError(
                f"{place} says {text!r}, which is no version",
                hint="write one such as 1.2.3 there",
            )
        if decision.upcoming and comparable(decision.upcoming) < version:
            raise SettingsError(
                f"the next version would be {decision.upcoming}, but {place} says {text}",
                hint=_below_advice(decision, version),
            )


def _below_advice(decision: Decision, version: PythonVersion) -> str:
    semantic = semantic_version(version)
    if decision.current:
        return (
            f"the last release is {decision.current}: release a higher level (`shipway release "
            f"--as`), or tag the commit that {semantic} was released of, and push the tag"
        )
    return (
        f"no tag of the remote is of that version: tag the commit that {semantic} was released of, "
        "as `tag-format` in [tool.shipway.release] writes it, and push the tag"
    )


def require_free_version(
    decision: Decision, tags: Collection[GitTag], tag_format: str, *, branch: str, is_main: bool
) -> None:
    """Make sure that no release of another branch has the next version, or stands above it.

    Only the main branch has to be above all others: an older line goes on below them. Raises
    ``Conflict``.
    """
    upcoming = decision.upcoming
    if upcoming is None:
        return
    taken = tag_name(upcoming, tag_format)
    if all(tag.name != taken for tag in tags):
        highest = _highest_stable(tags, tag_format)
        is_counted = is_main or decision.current is None
        if highest is None or not is_counted or not highest.is_above(upcoming):
            return
        taken = tag_name(highest, tag_format)
    raise Conflict(
        f"{taken} was released already, of commits that {branch} does not have, and the next "
        f"version would be {upcoming}",
        hint="let the branch begin at that release's tag, or merge it; or release another "
        "level: --as",
    )


def _highest_stable(tags: Iterable[GitTag], tag_format: str) -> Version | None:
    versions = usable_versions(tags, tag_format)
    stable = [version for version in versions if version.is_stable]
    return highest_version(stable)
