"""`status` says what the remotes show of a commit's release, stage by stage. It changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shipway.effects.executor import Executor
from shipway.errors import Conflict, ContextError, ShipwayError, StepFailed, VerificationFailed
from shipway.model.stage import Finding, Stage, State
from shipway.model.target import Target
from shipway.model.world import World, require_index
from shipway.run.reconcile import command_for, refuse
from shipway.run.release import DECISION, open_release
from shipway.run.result import Outcome
from shipway.run.session import Session
from shipway.stages import PIPELINE
from shipway.target.preconditions import find_refusal, require_git
from shipway.tools.imagetools import PUT_BACK


@dataclass(frozen=True, slots=True)
class StageStatus:
    """Says what the remotes show of a stage, and what to do next.

    ``advice`` is empty where the stage stands.
    """

    name: str
    finding: Finding
    advice: str = ""


def read_status(session: Session) -> Iterator[StageStatus]:
    """Say what the remotes have of the commit's release, or of its branch."""
    require_git(session.context)
    refusal = find_refusal(session.context, session.project.settings.release)
    if refusal:
        yield _unreleased(refusal)
        observed = session.target()
        yield from stage_statuses(PIPELINE, observed, session.executor)
        return
    outcomes: list[Outcome] = []
    try:
        with open_release(session, outcomes.append) as target:
            yield _decision_status(outcomes[0])
            stages = PIPELINE if target else ()
            observed = target or session.target()
            yield from stage_statuses(stages, observed, session.executor)
    except StepFailed as error:
        yield _failed(DECISION, error)
        for stage in PIPELINE:
            yield _unasked(stage.name, DECISION)


def _decision_status(outcome: Outcome) -> StageStatus:
    if outcome.outcome == "skipped":
        return _same(DECISION, outcome.reason)
    finding = Finding(State.ABSENT, outcome.reason)
    return StageStatus(DECISION, finding, "shipway release")


def _unreleased(refusal: ContextError) -> StageStatus:
    """Say that no release is made here: what there is of the branch is shown all the same."""
    finding = Finding(State.SAME, refusal.message)
    return StageStatus(DECISION, finding, refusal.hint)


def _same(name: str, evidence: str) -> StageStatus:
    finding = Finding(State.SAME, evidence)
    return StageStatus(name, finding)


def _failed(name: str, error: ShipwayError) -> StageStatus:
    """Give the status of a stage whose question failed."""
    problem = error.message.splitlines()[0]
    finding = Finding(State.UNKNOWN, problem)
    return StageStatus(name, finding, error.hint)


def _unasked(name: str, cause: str) -> StageStatus:
    """Give the status of a stage that builds on the stage ``cause``, which could not be asked."""
    finding = Finding(State.UNKNOWN, f"{cause} could not be asked")
    return StageStatus(name, finding)


def stage_statuses(
    stages: Iterable[Stage], target: Target, executor: Executor
) -> Iterator[StageStatus]:
    """Say what the remotes show now. A stage that cannot be asked hides no other.

    A stage that builds on what an earlier one could not ask for is unknown, too.
    """
    world = World()
    cause: str | None = None
    for stage in stages:
        reason = stage.skip_reason(target)
        if reason is not None:
            yield _same(stage.name, reason)
            continue
        try:
            world = stage.observe(target, world, executor)
            status = _judge(stage, target, world)
        except ShipwayError as error:
            if _is_about_broken_image(world, error):
                yield _broken(stage, target, world, error)
                continue
            cause = cause or stage.name
            yield _failed(stage.name, error)
            continue
        stands = status.finding.state is State.SAME
        if cause and world.index is None and not stands:
            status = _unasked(stage.name, cause)
        yield status


def _is_about_broken_image(world: World, error: ShipwayError) -> bool:
    """Tell whether a stage failed because parts of the image are gone that it asks about."""
    if isinstance(error, StepFailed) and error.passes:
        return False
    return world.index is not None and bool(world.index.gone)


def _broken(stage: Stage, target: Target, world: World, error: ShipwayError) -> StageStatus:
    """Give the status of a stage that cannot be asked of an image whose parts are gone.

    An image that no version has is built again.
    """
    index = require_index(world)
    gone = index.describe_gone()
    lines = error.message.splitlines()
    problem = lines[0]
    place = f"the registry no longer has parts of {index.digest}"
    evidence = f"{place}: {gone}; {problem}"
    if not world.holder:
        finding = Finding(State.ABSENT, evidence)
        return StageStatus(stage.name, finding, command_for(stage, target))
    finding = Finding(State.FAULT, evidence)
    return StageStatus(stage.name, finding, PUT_BACK)


def _judge(stage: Stage, target: Target, world: World) -> StageStatus:
    finding = stage.judge(target, world)
    try:
        refuse(stage, finding)
    except (Conflict, VerificationFailed) as error:
        return StageStatus(stage.name, finding, error.hint)
    if finding.state is State.SAME:
        return StageStatus(stage.name, finding)
    return StageStatus(stage.name, finding, command_for(stage, target))
