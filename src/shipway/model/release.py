"""This module describes a release: tags of git, the version that is due, the release itself.

All of it is frozen data.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from shipway.model.version import Version

CHANGELOG = "CHANGELOG.md"
INSERTION_FLAG = "<!-- version list -->"
"""Stands in a changelog where new sections go: below it."""
LATEST = "latest"
"""Names the tag of the registry, and the alias of the docs, that the highest stable version has."""
LEVELS = ("major", "minor", "patch")


@dataclass(frozen=True, slots=True)
class GitTag:
    """Holds a git tag, the commit that it names, and its first parent (empty for a root)."""

    name: str
    commit: str
    parent: str


@dataclass(frozen=True, slots=True)
class Override:
    """Holds what a person says in place of the commits: one of ``LEVELS``, and the reason."""

    level: str
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """Holds what a commit changed, in its author's words."""

    commit: str
    description: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Holds the last released version and the one that is due; ``None`` where there is none."""

    current: Version | None
    upcoming: Version | None
    changes: tuple[Change, ...] = field(default=(), compare=False)
    """Holds the changes since the last release that call for a version; a first one has none."""

    @property
    def bump(self) -> str | None:
        """Name the first number that rises, as in ``LEVELS``; ``None`` if nothing is due."""
        if self.upcoming is None:
            return None
        before = self.current or Version(0, 0, 0)
        if before.major != self.upcoming.major:
            return "major"
        if before.minor != self.upcoming.minor:
            return "minor"
        return "patch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Holds a release that was decided, with everything that is called after it."""

    version: Version
    tag: str
    """Names the git tag."""
    commit: str
    """Holds the full hash of the release commit; of the commit itself where only a tag is made."""
    notes: str
    whole_notes: str = ""
    """Holds the address where all notes stand, or the commits that they tell of; may be empty."""
    moving: tuple[str, ...] = ()
    """Names the image tags that move to it, besides its own."""
    previous: Version | None = None
    """Holds the version before it that people use."""
    withdrawn: tuple[Version, ...] = ()
    """Holds versions that were taken back: they stand in no other's way."""
    base: str = ""
    """Holds the full hash of the branch's head in the origin when the release was decided.

    It is empty where there was none.
    """

    @property
    def is_latest(self) -> bool:
        """Tell whether it is the highest stable version, as registry, GitHub and docs show it."""
        return LATEST in self.moving
