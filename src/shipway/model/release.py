"""A release in words: tags of git, the decision which version is due, and the release itself. Frozen data."""

from __future__ import annotations

import re
from dataclasses import dataclass

CHANGELOG = "CHANGELOG.md"


@dataclass(frozen=True, slots=True)
class GitTag:
    """A git tag with the commit that it names, and that commit's first parent (empty for a root)."""

    name: str
    commit: str
    parent: str


LEVELS = ("major", "minor", "patch")


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody's word in place of the commits': one of ``LEVELS``, and why; both empty where the commits decide."""

    level: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The last released version and the next one; ``upcoming`` is empty when no release is due."""

    current: str
    upcoming: str

    @property
    def bump(self) -> str:
        """``major``, ``minor`` or ``patch``: the first number that differs; empty when nothing is due."""
        if not self.upcoming:
            return ""
        old, new = numbers(self.current), numbers(self.upcoming)
        pairs = zip(("major", "minor"), old, new, strict=False)
        return next((name for name, before, after in pairs if before != after), "patch")


def numbers(version: str) -> tuple[int, int, int]:
    """Major, minor and patch of a semantic version; zeros for an empty one."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2]), int(found[3])) if found else (0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release that was decided: its version, git tag, commit, notes, and the image tags that move to it."""

    version: str
    tag: str
    commit: str
    notes: str
    moving: tuple[str, ...] = ()
    previous: str = ""
    """The version before it that people use, empty when there is none."""
    withdrawn: tuple[str, ...] = ()
    """Versions that nobody shall use any more."""
