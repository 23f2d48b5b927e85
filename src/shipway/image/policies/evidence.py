"""What policies judge, and what all of them are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from shipway.image.contents import PROVENANCE, Contents
from shipway.image.index import Index
from shipway.image.provenance import Provenance, parse_provenance

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Point:
    """One line of a verification: what was looked at, whether it holds, and the value that was seen."""

    name: str
    holds: bool
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """An image as it was seen. ``signers`` says of a digest whether it is signed as expected, and what was seen."""

    index: Index
    contents: Contents
    reference: str = ""
    """``name:tag`` as it was asked for."""
    signers: Mapping[str, tuple[bool, str]] = field(default_factory=dict)
    resolved: str = ""
    """What the reference led to when everything else had been asked."""

    def provenances(self, platform: str) -> tuple[Provenance, ...]:
        """What is said of how a platform's image was built."""
        return tuple(
            parse_provenance(one.build)
            for one in self.contents.statements(platform, PROVENANCE)
            if one.build
        )


class Policy(Protocol):
    """One concern."""

    def check(self, image: Evidence) -> Iterator[Point]:
        """What was looked at, whether it holds, and what was seen."""


def some(words: list[str] | tuple[str, ...]) -> str:
    """The first few of many words."""
    rest = len(words) - _SHOWN
    return ", ".join(words[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
