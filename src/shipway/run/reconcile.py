"""Observe, do what is missing, observe again: the loop that brings a target about."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from shipway.errors import Conflict, ShipwayError, StepFailed, VerificationFailed
from shipway.model.actions import Action, Answer, Command, Effect, Request
from shipway.model.stage import Finding, Stage, State
from shipway.model.target import Target
from shipway.model.world import World

_ROUNDS = 6
"""How often a stage may plan before it is clear that it does not converge; the longest one needs three."""
_LONGEST_PAUSE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a stage: ``done``, ``skipped`` or ``failed``, with the reason and the seconds that it took."""

    name: str
    outcome: str
    reason: str
    seconds: float = 0.0


def refuse_request(request: Request) -> Answer:
    """Of hands that reach no API."""
    raise StepFailed(
        f"there is no API to ask here: {request.why}", hint="this is a fault of shipway: report it"
    )


@dataclass(frozen=True, slots=True)
class Executor:
    """How actions are carried out: commands by one, requests by the other."""

    runner: Callable[[Command], Answer]
    api: Callable[[Request], Answer] = refuse_request
    patience: float = 60.0
    """Seconds that a stage goes on for when troubles pass: services that sign and store are down now and then."""
    wait: Callable[[float], None] = time.sleep
    workers: int = 4
    """How many actions run side by side."""

    def do(self, action: Action) -> Answer:
        """Carry one action out."""
        return self.runner(action) if isinstance(action, Command) else self.api(action)

    def carry_out(self, actions: tuple[Action, ...]) -> Iterator[str]:
        """Carry a plan out in its order, or side by side where every action may be; gives the remarks."""
        beside = all(isinstance(action, Command) and action.side_by_side for action in actions)
        answers = self.ask(actions) if beside else map(self.do, actions)
        for action, answer in zip(actions, answers, strict=True):
            if isinstance(action, Command) and action.remark:
                yield action.remark(answer)

    def ask(self, questions: tuple[Action, ...]) -> tuple[Answer, ...]:
        """Side by side, each to its end; the answers come in the order of the questions."""
        if len(questions) < 2 or self.workers < 2:
            return tuple(self.do(question) for question in questions)
        with ThreadPoolExecutor(max_workers=self.workers) as pool:
            return tuple(pool.map(self.do, questions))


def observe(stage: Stage, target: Target, world: World, executor: Executor) -> World:
    """Hold a stage's conversation with the remotes."""
    talk = stage.observe(target, world)
    try:
        questions = next(talk)
        while True:
            questions = talk.send(executor.ask(questions))
    except StopIteration as end:
        seen: World = end.value
        return seen


def reconcile(
    stages: Iterable[Stage],
    target: Target,
    executor: Executor,
    *,
    record: Callable[[Outcome], None],
    only: tuple[str, ...] = (),
) -> World:
    """Run the stages in their order; ``record`` is told of each one as it ends, of a failed one too.

    With ``only`` the stages before those are observed and have to stand already.
    """
    world, changed = World(), False
    for stage in stages:
        if only and stage.NAME not in only:
            world = _expect(stage, target, world, executor)
            continue
        begun = time.monotonic()
        reason = stage.skip_reason(target)
        outcome = "skipped"
        try:
            if not reason:
                world, acted, reason = _converge(stage, target, world, executor)
                # A check that follows a change in this run was needed; after nothing changed it only confirms.
                needed = (changed or bool(only)) and is_check(stage.plan(target, world))
                outcome = "done" if acted or needed else "skipped"
                changed = changed or acted
        except ShipwayError as error:
            record(
                Outcome(
                    name=stage.NAME,
                    outcome="failed",
                    reason=error.message,
                    seconds=time.monotonic() - begun,
                )
            )
            raise
        record(
            Outcome(
                name=stage.NAME, outcome=outcome, reason=reason, seconds=time.monotonic() - begun
            )
        )
    return world


def _expect(stage: Stage, target: Target, world: World, executor: Executor) -> World:
    if stage.skip_reason(target):
        return world
    world = observe(stage, target, world, executor)
    finding = stage.judge(target, world)
    refuse(stage, finding)
    if finding.state is not State.SAME:
        raise StepFailed(
            f"{stage.NAME} comes first: {finding.evidence}", hint=f"run `invoke {stage.NAME}`"
        )
    return world


def _converge(
    stage: Stage, target: Target, world: World, executor: Executor
) -> tuple[World, bool, str]:
    remarks: list[str] = []
    rounds, until, pause = 0, time.monotonic() + executor.patience, 1.0
    acted, before = False, world
    refusals: list[StepFailed] = []
    while rounds < _ROUNDS:
        try:
            world = observe(stage, target, world, executor)
            finding = stage.judge(target, world)
            if finding.state is State.SAME:
                return world, acted, "; ".join((finding.evidence, *remarks))
            refuse(stage, finding)
            if refusals and world == before:
                raise refusals[0]
            refusals.clear()
            acted, before = True, world
            remarks += executor.carry_out(stage.plan(target, world))
            rounds += 1
        except StepFailed as error:
            # What failed may be there: an answer that was lost was a yes, or another run was quicker. So it is looked
            # at before anything is done again, and before a failure is told.
            if refusals or not (error.passes or acted) or time.monotonic() + pause > until:
                raise (refusals or [error])[0] from None
            if not error.passes:
                refusals.append(error)
                rounds += 1
                continue
            executor.wait(pause * random.uniform(1, 2))
            pause = min(2 * pause, _LONGEST_PAUSE)
    raise StepFailed(
        f"{stage.NAME}: its steps ran, and still: {finding.evidence}",
        hint="look at the remote with `shipway status`, then run the same command again",
    )


def is_check(actions: tuple[Action, ...]) -> bool:
    """Whether a plan only asks: then its stage is a check, and observing it is carrying it out."""
    return bool(actions) and all(action.effect is Effect.READ for action in actions)


def refuse(stage: Stage, finding: Finding) -> None:
    """Raise what a conflict or a fault means; say nothing of an absent thing."""
    if finding.state is State.CONFLICT:
        raise Conflict(
            f"{stage.NAME}: {finding.evidence}",
            hint="nothing was overwritten; find out who was there first, then run the same command again or "
            "release a new version",
        )
    if finding.state is State.FAULT:
        raise VerificationFailed(
            f"{stage.NAME}: {finding.evidence}",
            hint="nothing more was published; mend the cause and run the same command again",
        )


Preview = list[tuple[str, Finding, tuple[Action, ...]]]
"""(stage, first finding, actions) in order."""


def status(
    stages: Iterable[Stage], target: Target, executor: Executor
) -> Iterator[tuple[str, Finding, str]]:
    """What the remotes show now: (stage, finding, what to do next). One that cannot be asked hides no other.

    A stage that builds on what an earlier one could not ask for is unknown, too.
    """
    world, blind = World(), ""
    for stage in stages:
        finding, following = Finding(State.SAME, stage.skip_reason(target)), ""
        if not finding.evidence:
            try:
                world = observe(stage, target, world, executor)
                finding = stage.judge(target, world)
                refuse(stage, finding)
                following = (
                    ""
                    if finding.state is State.SAME
                    else "invoke release"
                    if target.version
                    else f"invoke {stage.NAME}"
                )
            except (Conflict, VerificationFailed) as error:
                following = error.hint
            except ShipwayError as error:
                finding, following = (
                    Finding(State.UNKNOWN, error.message.splitlines()[0]),
                    error.hint,
                )
                blind = blind or stage.NAME
            if blind and world.index is None and finding.state is not State.SAME:
                finding, following = Finding(State.UNKNOWN, f"{blind} could not be asked"), ""
        yield stage.NAME, finding, following


def preview(stages: Iterable[Stage], target: Target, executor: Executor) -> Preview:
    """What a run would do: the same decisions, with each stage's actions settled in a model of the world.

    The remotes are asked, nothing else is done.
    """
    world, imagined = World(), False
    rows: Preview = []
    for stage in stages:
        reason = stage.skip_reason(target)
        if reason:
            rows.append((stage.NAME, Finding(State.SAME, reason), ()))
            continue
        # What a check looks at does not exist while the actions before it are only foreseen.
        if not (imagined and is_check(stage.plan(target, world))):
            world = observe(stage, target, world, executor)
        first = finding = stage.judge(target, world)
        actions: list[Action] = []
        while finding.state is State.ABSENT and len(actions) < 100:
            actions += stage.plan(target, world)
            world = stage.simulate(target, world)
            finding = stage.judge(target, world)
            imagined = True
        rows.append((stage.NAME, first, tuple(actions)))
    return rows
