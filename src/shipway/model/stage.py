"""This module says what a stage is, and in which words it speaks of the world.

A stage is pure: it asks through a function that it is given, so that ``effects/`` alone touches
processes and sockets, and a test plays the remotes in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from shipway.model.actions import Ask, Command, PlannedAction
from shipway.model.target import Target
from shipway.model.world import World


class State(StrEnum):
    """Says what an observation shows of one thing."""

    ABSENT = "absent"
    SAME = "same"
    CONFLICT = "conflict"
    """Says that something else is published in its place; shipway never overwrites it."""
    FAULT = "fault"
    """Says that it is there, and that a consumer must not trust it."""
    UNKNOWN = "unknown"
    """Says that the remote could not be asked, which tells nothing about what is there."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Holds the verdict of a stage about the world, with the evidence for people to see.

    ``advice`` says what to do about a fault, or where what the stage made is not accepted, if it is
    not the usual.
    """

    state: State
    evidence: str
    advice: str = ""


class Needs(StrEnum):
    """Says what a checkout has to be before a stage can be run on its own."""

    COMMIT = "commit"
    """Accepts any commit."""
    CLEAN = "clean"
    """Requires that nothing differs from the commit."""
    RELEASE = "release"
    """Requires that a release was made of the commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """Describes a shell variable of a printed plan, for what is known only once it ran so far.

    ``stand_in`` is what the model of the world has in its place. The value comes from ``command``,
    which runs after the stage's actions, or from the answer of the request whose ``why`` is
    ``answer_of``, through the shell filter ``reader``.
    """

    name: str
    stand_in: str
    command: Command | None = None
    answer_of: str = ""
    reader: str = ""


def _always_needed(_target: Target) -> str | None:
    return None


def _nothing_to_try(_target: Target) -> tuple[PlannedAction, ...]:
    return ()


def _no_variables(_target: Target) -> tuple[Variable, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Holds everything that generic code has to know of a stage of the pipeline or of a rollback.

    ``name`` is one word, for reports. The functions are pure but for the questions that ``observe``
    asks:

    - ``skip_reason`` says why the target does not need the stage, ``None`` when it does.
    - ``observe`` asks the remotes about what the stage makes, and gives the world with their
      answers.
    - ``judge`` compares target and world.
    - ``plan`` gives the next actions towards what is absent; it is observed again after them. It
      raises ``ShipwayError`` where it is clear beforehand that they would fail.
    - ``simulate`` gives the world after those actions, as a model: for dry runs and for proofs of
      convergence.
    """

    name: str
    observe: Callable[[Target, World, Ask], World]
    judge: Callable[[Target, World], Finding]
    plan: Callable[[Target, World], tuple[PlannedAction, ...]]
    simulate: Callable[[Target, World], World]
    skip_reason: Callable[[Target], str | None] = _always_needed
    is_check: bool = False
    """Says that it makes nothing: its plan only asks, and to observe it is to carry it out."""
    is_commit_point: bool = False
    """Says that nothing can be taken back after it: what later stages need is tried before."""
    trials: Callable[[Target], tuple[PlannedAction, ...]] = _nothing_to_try
    """Gives what fails, and publishes nothing, where the stage would fail after a commit point."""
    needs: Needs = Needs.COMMIT
    """Says what has to be there before the stage is run on its own."""
    followed_by: tuple[str, ...] = ()
    """Names the stages that run with it, also where it is run on its own."""
    builds_on: tuple[str, ...] | None = None
    """Names the stages that have to stand before it; all that come before it when ``None``."""
    variables: Callable[[Target], tuple[Variable, ...]] = _no_variables
    """Gives the shell variables that its printed plan sets."""


def try_first(*stages: Stage) -> tuple[Stage, ...]:
    """Give the stages, of which a commit point first tries what the stages behind it will need."""
    pipeline: list[Stage] = []
    for place, stage in enumerate(stages, 1):
        if stage.is_commit_point:
            stage = _with_trials(stage, stages[place:])
        pipeline.append(stage)
    return tuple(pipeline)


def _with_trials(stage: Stage, later: Sequence[Stage]) -> Stage:
    def plan(target: Target, world: World) -> tuple[PlannedAction, ...]:
        actions: list[PlannedAction] = []
        for other in later:
            if other.skip_reason(target) is None:
                actions += other.trials(target)
        return (*actions, *stage.plan(target, world))

    return replace(stage, plan=plan)
