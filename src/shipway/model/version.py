"""This module reads versions of Semantic Versioning, and orders them for all of shipway. Pure.

Source: Semantic Versioning 2.0.0, items 2, 9, 10 and 11.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

_VERSION = re.compile(
    r"(?P<major>0|[1-9]\d*)\.(?P<minor>0|[1-9]\d*)\.(?P<patch>0|[1-9]\d*)"
    r"(?:-(?P<prerelease>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
    r"(?:\+(?P<build>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?",
    re.ASCII,
)
Precedence: TypeAlias = "tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]"


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
        """Give the sort key: a pre-release is below its release, build metadata does not count."""
        words: list[str] = []
        if self.prerelease:
            words = self.prerelease.split(".")
        return (
            self.major,
            self.minor,
            self.patch,
            self.is_stable,
            tuple(_identifier_key(word) for word in words),
        )

    def is_above(self, other: Version) -> bool:
        """Tell whether this version has the higher precedence."""
        return self.precedence > other.precedence


def _identifier_key(word: str) -> tuple[bool, int, str]:
    """Give the key of one identifier: numbers are lower than words, which compare as text."""
    if word.isdigit():
        return (False, int(word), "")
    return (True, 0, word)


def parse_version(text: str) -> Version | None:
    """Read ``text`` as a version; anything else than exactly one gives ``None``."""
    match = _VERSION.fullmatch(text)
    if match is None:
        return None
    return Version(
        major=int(match["major"]),
        minor=int(match["minor"]),
        patch=int(match["patch"]),
        prerelease=match["prerelease"] or "",
        build=match["build"] or "",
    )
