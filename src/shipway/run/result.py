"""A run comes to an outcome of each stage, and to what the remotes showed in the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from shipway.model.target import Target
from shipway.model.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Says what became of a stage: ``done``, ``skipped`` or ``failed``.

    It also says why, and how many seconds the stage took.
    """

    name: str
    outcome: str
    reason: str
    seconds: float = 0.0


Record: TypeAlias = Callable[[Outcome], None]
"""Receives the outcome of each stage as it ends, also of a stage that failed."""


@dataclass(slots=True)
class Result:
    """Holds what a run came to; it is filled as the run goes, so that a failed run has one too."""

    target: Target | None = None
    world: World = field(default_factory=World)
    stages: list[Outcome] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """Give the digest of the image's index, empty when there is none."""
        index = self.world.index
        if index is None:
            return ""
        return index.digest

    @property
    def released(self) -> bool:
        """Tell whether the release that belongs to the commit is out: its tag is in the origin."""
        target = self.target
        if target is None or target.release is None:
            return False
        return self.world.git_tag == target.commit

    def recorder(self, report_outcome: Record) -> Record:
        """Give a function that keeps each outcome and reports it."""

        def record(outcome: Outcome) -> None:
            self.stages.append(outcome)
            report_outcome(outcome)

        return record
