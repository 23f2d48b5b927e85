"""What policies judge, and what all policies are, is defined here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from shipway.image.contents import PROVENANCE, Contents
from shipway.image.documents import printable
from shipway.image.index import Index
from shipway.image.provenance import Provenance, parse_provenance

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Point:
    """A line of a verification says what was looked at, whether it holds, and what was observed."""

    name: str
    holds: bool
    observation: str

    def render(self) -> str:
        """Write the point as a line for people, whatever an image calls itself."""
        line = f"{self.name}: {self.observation}"
        return printable(line)

    def document(self) -> dict[str, str | bool]:
        """Give the point for programs."""
        return {
            "name": self.name,
            "holds": self.holds,
            "seen": self.observation,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """An image as it was read, for policies to judge."""

    index: Index
    contents: Contents
    reference: str = ""
    """``name:tag`` that was resolved to the index."""
    signers: Mapping[str, tuple[bool, str]] = field(default_factory=dict)
    """(whether it is signed as expected, what was observed) by digest."""
    resolved: str = ""
    """The digest that the reference led to after everything else had been read."""

    def provenances(self, platform: str) -> tuple[Provenance, ...]:
        """Read what is said of how a platform's image was built."""
        provenances: list[Provenance] = []
        for statement in self.contents.statements(platform, PROVENANCE):
            if statement.build:
                provenance = parse_provenance(statement.build)
                provenances.append(provenance)
        return tuple(provenances)


def describe_faults(points: Iterable[Point]) -> str:
    """Say which points do not hold, and what was observed; empty when all of them do."""
    faults = [point.render() for point in points if not point.holds]
    return "; ".join(faults)


class Policy(Protocol):
    """A policy checks one concern of an image."""

    def check(self, image: Evidence) -> Iterator[Point]:
        """Give a point for each thing that was looked at."""


def first_few(words: Sequence[str]) -> str:
    """List the first five of many words, and say how many are left out."""
    shown = words[:_SHOWN]
    text = ", ".join(shown)
    rest = len(words) - len(shown)
    if not rest:
        return text
    return f"{text} and {rest} more"
