"""This module reads versions of Semantic Versioning, and orders them for all of shipway. Pure.

Versions of other kinds are read to compare them, never to release them. Sources: Semantic
Versioning 2.0.0, items 2, 9, 10 and 11; the "Version specifiers" specification (PEP 440).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from packaging.version import InvalidVersion
from packaging.version import Version as PythonVersion

_IDENTIFIER = r"(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)"
"""Matches an identifier of a pre-release: a number has no leading zero."""
_VERSION = re.compile(
    r"(?P<major>0|[1-9]\d*)\.(?P<minor>0|[1-9]\d*)\.(?P<patch>0|[1-9]\d*)"
    rf"(?:-(?P<prerelease>{_IDENTIFIER}(?:\.{_IDENTIFIER})*))?"
    r"(?:\+(?P<build>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?",
    re.ASCII,
)
_PRERELEASES = {"a": "alpha", "b": "beta", "rc": "rc"}
_NUMBERS_ALONE = re.compile(r"\d+(?:\.\d+)*-\d+")
"""Matches what looks like a date; PEP 440 would read the second number as a post-release."""
_LONGEST = 255
"""Characters of a version; git keeps no longer name, and Python reads no endless number."""
_Identifiers: TypeAlias = "tuple[tuple[bool, int, str], ...]"
Precedence: TypeAlias = "tuple[int, int, int, bool, _Identifiers]"
Order: TypeAlias = "tuple[Precedence, _Identifiers]"
PLUS = "_"
"""Stands in an image's tag for the ``+`` of a version: no version has it, so that it is one again.
"""


@dataclass(frozen=True, slots=True)
class Version:
    """Holds ``major.minor.patch-prerelease+build``; the last two are empty in most versions."""

    major: int
    minor: int
    patch: int
    prerelease: str = ""
    build: str = ""

    def __str__(self) -> str:
        """Give the version as it is written."""
        text = f"{self.major}.{self.minor}.{self.patch}"
        if self.prerelease:
            text += f"-{self.prerelease}"
        if self.build:
            text += f"+{self.build}"
        return text

    @property
    def is_stable(self) -> bool:
        """Tell whether the version is no pre-release."""
        return not self.prerelease

    @property
    def precedence(self) -> Precedence:
        """Give the precedence: a pre-release is below its release, build metadata does not count."""
        return (
            self.major,
            self.minor,
            self.patch,
            self.is_stable,
            _identifier_keys(self.prerelease),
        )

    @property
    def order(self) -> Order:
        """Give the sort key, by which of two versions one is the higher.

        Of versions that differ in build metadata only it is the one with more of it, as for
        ``compareBuild`` of node-semver: somebody built the other one again.
        """
        metadata = _identifier_keys(self.build)
        return self.precedence, metadata

    def is_above(self, other: Version) -> bool:
        """Tell whether this version is the higher one."""
        return self.order > other.order

    def image_tag(self, plus: str = PLUS) -> str:
        """Name the image tag of the version; tags know no ``+``, and ``plus`` stands for it."""
        return f"v{self}".replace("+", plus)


def highest_version(versions: Iterable[Version]) -> Version | None:
    """Give the highest version, ``None`` where there is none."""
    return max(versions, key=lambda version: version.order, default=None)


def _identifier_keys(text: str) -> _Identifiers:
    """Give the keys of identifiers with dots between them; the more, the higher."""
    if not text:
        return ()
    words = text.split(".")
    return tuple(_identifier_key(word) for word in words)


def _identifier_key(word: str) -> tuple[bool, int, str]:
    """Give the key of one identifier: numbers are lower than words, which compare as text."""
    if word.isdigit():
        return (False, int(word), "")
    return (True, 0, word)


def parse_version(text: str) -> Version | None:
    """Read ``text`` as a version; anything else than exactly one gives ``None``."""
    match = _VERSION.fullmatch(text)
    if match is None or len(text) > _LONGEST:
        return None
    return Version(
        major=int(match["major"]),
        minor=int(match["minor"]),
        patch=int(match["patch"]),
        prerelease=match["prerelease"] or "",
        build=match["build"] or "",
    )


def read_order(text: str) -> Order:
    """Give the sort key of the version that a text is; what is none comes first."""
    version = parse_version(text) or Version(0, 0, 0)
    return version.order


def read_version(text: str) -> PythonVersion | None:
    """Read a version of any kind as one that can be compared; ``None`` for anything else.

    These are semantic ones, those of PEP 440, and dates with leading zeros (``2025.08.17``).
    """
    semantic = parse_version(text)
    if semantic is not None:
        return comparable(semantic)
    if _NUMBERS_ALONE.fullmatch(text):
        return None
    try:
        return PythonVersion(text)
    except InvalidVersion:
        return None


def comparable(version: Version) -> PythonVersion:
    """Give a semantic version as PEP 440 writes it; a pre-release that it cannot name is `.dev0`."""
    numbers = f"{version.major}.{version.minor}.{version.patch}"
    if version.is_stable:
        return PythonVersion(numbers)
    lowest_prerelease = PythonVersion(f"{numbers}.dev0")
    try:
        converted = PythonVersion(f"{numbers}-{version.prerelease}")
    except InvalidVersion:
        return lowest_prerelease
    if not converted.is_prerelease:
        return lowest_prerelease
    return converted


def semantic_version(version: PythonVersion) -> Version:
    """Give the lowest semantic version that is not below one of another kind."""
    major = version.major
    minor = version.minor
    patch = version.micro
    further_numbers = version.release[3:]
    if version.is_postrelease or any(further_numbers):
        patch += 1
        return Version(major, minor, patch)
    words: list[str] = []
    if version.pre:
        letter, number = version.pre
        words += [_PRERELEASES[letter], str(number)]
    if version.dev is not None:
        words += ["dev", str(version.dev)]
    prerelease = ".".join(words)
    return Version(
        major=major,
        minor=minor,
        patch=patch,
        prerelease=prerelease,
    )
