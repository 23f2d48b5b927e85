"""This loop brings a target about: observe, do what is missing, observe again."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from shipway.effects.executor import Executor
from shipway.effects.patience import Patience
from shipway.errors import Conflict, ShipwayError, StepFailed, VerificationFailed
from shipway.model.actions import Command, PlannedAction
from shipway.model.stage import Finding, Stage, State
from shipway.model.target import Target
from shipway.model.world import World
from shipway.run.result import Outcome, Record

_ROUNDS = 6
"""Says how often a stage may plan before it is clear that it does not converge.

The longest needs three rounds.
"""


def reconcile(
    stages: Iterable[Stage],
    target: Target,
    executor: Executor,
    *,
    record: Record,
    only: tuple[str, ...] = (),
) -> World:
    """Run the stages in their order, and give what the remotes show in the end.

    With ``only`` the stages that it does not name are observed, and have to stand already.
    """
    world = World()
    changed = bool(only)
    for stage in stages:
        if only and stage.name not in only:
            world = _expect(stage, target, world, executor)
            continue
        start = time.monotonic()
        try:
            progress = _run(stage, target, world, executor, changed)
        except ShipwayError as error:
            seconds = time.monotonic() - start
            record(_outcome(stage, "failed", error.message, seconds))
            raise
        world = progress.world
        changed = changed or progress.acted
        seconds = time.monotonic() - start
        record(_outcome(stage, progress.outcome, progress.reason, seconds))
    return world


def _outcome(stage: Stage, outcome: str, reason: str, seconds: float) -> Outcome:
    return Outcome(
        name=stage.name,
        outcome=outcome,
        reason=reason,
        seconds=seconds,
    )


@dataclass(frozen=True, slots=True)
class _Progress:
    """Says how far a stage came: the world after it, whether it did anything, and the reason."""

    world: World
    reason: str
    acted: bool = False
    outcome: str = "skipped"


def _run(
    stage: Stage, target: Target, world: World, executor: Executor, changed: bool
) -> _Progress:
    """Bring one stage about; ``changed`` says that an earlier stage of this run did something."""
    reason = stage.skip_reason(target)
    if reason is not None:
        return _Progress(world, reason)
    progress = _converge(stage, target, world, executor)
    # A check that follows a change in this run was needed; after nothing changed it only confirms.
    if progress.acted or (changed and stage.is_check):
        return replace(progress, outcome="done")
    return progress


def _expect(stage: Stage, target: Target, world: World, executor: Executor) -> World:
    """Observe a stage that has to stand already."""
    if stage.skip_reason(target) is not None:
        return world
    world = stage.observe(target, world, executor)
    finding = stage.judge(target, world)
    refuse(stage, finding)
    if finding.state is not State.SAME:
        raise StepFailed(
            f"{stage.name} comes first: {finding.evidence}",
            hint=f"run `{command_for(stage, target)}`",
        )
    return world


def command_for(stage: Stage, target: Target) -> str:
    """Give the command line that brings a stage about: a release is brought about as a whole."""
    task = "release" if target.release else stage.name
    return f"shipway {task}"


def _converge(stage: Stage, target: Target, world: World, executor: Executor) -> _Progress:
    """Observe and act until nothing is missing.

    What failed may be there: an answer that was lost was a yes, or another run was quicker. So the
    remotes are looked at before anything is done again, and before a failure is reported.
    """
    remarks: list[str] = []
    finished: list[PlannedAction] = []
    patience = Patience(executor.patience, executor.wait, echo=executor.echo)
    rounds = 0
    acted = False
    before = world
    failure: StepFailed | None = None
    while rounds < _ROUNDS:
        try:
            world = stage.observe(target, world, executor)
            finding = stage.judge(target, world)
            if finding.state is State.SAME:
                reason = "; ".join((finding.evidence, *remarks))
                return _Progress(world, reason, acted)
            refuse(stage, finding)
            if failure is not None and world == before:
                raise failure  # pylint: disable=raising-bad-type # it is not None here
            plan = stage.plan(target, world)
            if not plan:
                break
            failure = None
            acted = True
            before = world
            _refuse_repetition(stage, finding, plan, finished)
            remarks += executor.carry_out(plan, finished.append)
            rounds += 1
        except StepFailed as error:
            if failure is not None:
                raise failure from None
            if not patience.allows(error.pause) or not (error.passes or acted):
                raise
            if error.passes:
                patience.wait(error.pause, trouble=error.message)
            else:
                failure = error
                rounds += 1
    raise StepFailed(
        f"{stage.name}: its steps ran, and still: {finding.evidence}",
        hint="look at the remote with `shipway status`, then run the same command again",
    )


def _refuse_repetition(
    stage: Stage,
    finding: Finding,
    plan: Iterable[PlannedAction],
    finished: Sequence[PlannedAction],
) -> None:
    """Raise where a plan does again what went well, is still not accepted, and stays for good."""
    for action in plan:
        is_permanent = isinstance(action, Command) and action.permanent
        if is_permanent and action in finished:
            raise VerificationFailed(
                f"{stage.name}: this went well and is not accepted ({action.why}): "
                f"{finding.evidence}",
                hint=finding.advice
                or "it was not done a second time, since each time leaves something behind: fix the "
                "cause, then run the same command again",
            )


def refuse(stage: Stage, finding: Finding) -> None:
    """Raise what a conflict or a fault means; say nothing of an absent thing."""
    if finding.state is State.CONFLICT:
        raise Conflict(
            f"{stage.name}: {finding.evidence}",
            hint="nothing was overwritten; find out who was there first, then run the same command "
            "again or release a new version",
        )
    if finding.state is State.FAULT:
        raise VerificationFailed(
            f"{stage.name}: {finding.evidence}",
            hint=finding.advice
            or "nothing more was published; fix the cause and run the same command again",
        )
