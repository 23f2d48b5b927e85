"""What a stage is, and what it says of the world. A stage is pure: its questions are a generator that yields actions."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

from shipway.model.actions import Action, Answer
from shipway.model.target import Target
from shipway.model.world import World


class State(StrEnum):
    """What an observation says of one thing."""

    ABSENT = "absent"
    SAME = "same"
    CONFLICT = "conflict"
    """Something else is published in its place; shipway never overwrites it."""
    FAULT = "fault"
    """It is there, and a consumer must not trust it."""
    UNKNOWN = "unknown"
    """The remote could not be asked, which says nothing about what is there."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict of a stage about the world, with the evidence that a person would want to see."""

    state: State
    evidence: str


Asking: TypeAlias = Generator[tuple[Action, ...], tuple[Answer, ...], World]
"""A conversation with the remotes: yields questions that may be asked side by side, is sent their answers in the same
order, and returns the world that it saw."""


class Stage(Protocol):
    """One file in ``stages/``. Everything about a stage stands there, its tools' flags included."""

    @property
    def NAME(self) -> str:  # pylint: disable=invalid-name
        """The stage's name in reports, one word."""

    def skip_reason(self, target: Target) -> str:
        """The reason why the target does not need this stage, empty when it does."""

    def observe(self, target: Target, world: World) -> Asking:
        """Ask the remotes about this stage's thing and return the world with what they showed."""

    def judge(self, target: Target, world: World) -> Finding:
        """Compare target and world. Pure."""

    def plan(self, target: Target, world: World) -> tuple[Action, ...]:
        """The next actions towards what is absent; it is observed again after them. Pure."""

    def simulate(self, target: Target, world: World) -> World:
        """The world after those actions, as a model: for dry runs and for proofs of convergence. Pure."""
