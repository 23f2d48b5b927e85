"""Runs of the pipeline: a whole release, single stages, and what either would do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from shipway.errors import Conflict, ContextError, ShipwayError, StepFailed
from shipway.model.release import Release
from shipway.model.stage import Finding, Stage, State
from shipway.model.target import Target
from shipway.model.world import World
from shipway.run.clone import Clone, go_to_head, open_clone, release_target
from shipway.run.preview import PlannedStage, render_plan
from shipway.run.reconcile import Outcome, preview, reconcile, status
from shipway.run.session import Session
from shipway.stages import DECISION, PIPELINE, build, commit, document, inspect, publish
from shipway.target.context import Context, require_clean, require_release

_STARTS = 4
"""How often a release starts before it is left to somebody else: each time the branch moved while it was made."""


@dataclass(slots=True)
class Result:
    """What a run came to. It is filled as the run goes, so that a failed run can be reported too."""

    target: Target | None = None
    world: World = field(default_factory=World)
    stages: list[Outcome] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """Digest of the image's index, empty when there is none."""
        return self.world.index.digest if self.world.index else ""

    @property
    def released(self) -> bool:
        """Whether the release that belongs to the commit is out: its tag is in the origin."""
        return bool(
            self.target and self.target.version and self.world.git_tag == self.target.commit
        )


def release(
    session: Session, result: Result, report_outcome: Callable[[Outcome], None], *, until: str = ""
) -> None:
    """Take the present commit to a finished release, doing only what is missing; stop after stage ``until``.

    Where the branch moved meanwhile, it starts again from its new head, a few times.
    """
    for left in reversed(range(_STARTS)):
        try:
            _release(session, result, report_outcome, stages_until(until))
            return
        except Conflict as conflict:
            target = result.target
            moved = go_to_head(session)
            if not left or moved.context.commit in (
                session.context.commit,
                target and target.base,
                target and target.commit,
            ):
                raise
            session = moved
            session.progress(
                f"{conflict.message}\nstarting again from the new head of {session.context.branch}, "
                f"{session.context.commit[:12]}"
            )
            result.stages.clear()
            result.target = None


def _release(
    session: Session,
    result: Result,
    report_outcome: Callable[[Outcome], None],
    stages: tuple[Stage, ...],
) -> None:
    def record(outcome: Outcome) -> None:
        result.stages.append(outcome)
        report_outcome(outcome)

    with open_release(session, record) as target:
        if target is None:
            return
        result.target = target
        result.world = reconcile(stages, target, session.executor, record=record)


@contextmanager
def open_release(session: Session, record: Callable[[Outcome], None]) -> Iterator[Target | None]:
    """The target of the commit's release, in a workspace that holds it; ``None`` when no release is due."""
    require_release(session.context, session.project.settings.release.branches)
    begun = time.monotonic()
    try:
        with open_clone(session) as clone:
            found, outcome, reason = _decide(clone, session.context)
            target = release_target(session, clone, found) if found else None
            record(
                Outcome(
                    name=DECISION, outcome=outcome, reason=reason, seconds=time.monotonic() - begun
                )
            )
            begun = 0.0
            yield target
    except ShipwayError as error:
        if begun:
            record(
                Outcome(
                    name=DECISION,
                    outcome="failed",
                    reason=error.message,
                    seconds=time.monotonic() - begun,
                )
            )
        raise


def _decide(clone: Clone, context: Context) -> tuple[Release | None, str, str]:
    existing = clone.existing()
    if existing:
        return existing, "skipped", f"{existing.tag} was made of this commit"
    if clone.is_behind():
        message = f"{context.branch} is at {clone.head()[:12]} in the origin, and {context.commit[:12]} is behind"
        # Nobody looks at what a run in CI releases; on a laptop somebody has a commit in mind.
        if context.ci:
            raise Conflict(message, hint="run the same command again from the branch's new head")
        raise ContextError(message, hint="run `git pull`, then the same command again")
    decision = clone.decide()
    if not decision.upcoming:
        return None, "skipped", f"no release is due since {decision.current}"
    if clone.is_taken(decision):
        raise Conflict(
            f"v{decision.upcoming} was released already, of commits that {context.branch} does not have",
            hint="let the branch begin at that release's tag, or merge it; or release another level: --as",
        )
    made = clone.make(decision)
    asked = ", as asked" if clone.override.level else ""
    return (
        made,
        "done",
        f"{decision.current or 'nothing'} → {made.version} ({decision.bump}{asked})",
    )


def stages_until(name: str) -> tuple[Stage, ...]:
    """The pipeline up to and including one stage; all of it for an empty name."""
    names = [stage.NAME for stage in PIPELINE]
    if not name:
        return PIPELINE
    if name not in names:
        raise ContextError(f"there is no stage {name!r}", hint=f"the stages are {', '.join(names)}")
    return PIPELINE[: names.index(name) + 1]


def stages_for(name: str) -> tuple[Stage, ...]:
    """A stage with those that it builds on. The docs say nothing of an image: they build on the tag alone."""
    return (commit, document) if name == document.NAME else stages_until(together(name)[-1])


def together(name: str) -> tuple[str, ...]:
    """The stages that one task runs: what was built is read back at once."""
    return (build.NAME, inspect.NAME) if name == build.NAME else (name,)


def run_stage(
    session: Session,
    name: str,
    result: Result,
    report_outcome: Callable[[Outcome], None],
    *,
    adapt: Callable[[Target], Target] = lambda target: target,
    due: bool = False,
) -> None:
    """Bring one stage about; the stages before it have to stand already.

    ``adapt`` may change the target; with ``due`` it is that of the release that is due, and nothing is done where none
    is.
    """

    def record(outcome: Outcome) -> None:
        result.stages.append(outcome)
        report_outcome(outcome)

    with open_release(session, record) if due else open_target(session, name) as target:
        if target is None:
            return
        result.target = target = adapt(target)
        result.world = reconcile(
            stages_for(name), target, session.executor, record=record, only=together(name)
        )


@contextmanager
def open_target(session: Session, name: str) -> Iterator[Target]:
    """The target that a single stage works for: the commit's release for those that only releases have."""
    if name not in (commit.NAME, publish.NAME, document.NAME):
        if name == build.NAME:
            require_clean(session.context)
        yield session.target()
        return
    with open_clone(session) as clone:
        existing = clone.existing()
        if existing is None:
            raise ContextError(
                f"no release was made of {session.context.commit[:12]}, so there is nothing to {name}",
                hint="check out a release's tag, or run `invoke release`",
            )
        yield release_target(session, clone, existing)


def preview_release(session: Session, *, until: str = "") -> list[PlannedStage]:
    """What ``release`` would do. The release commit is made in the temporary clone only, to know its hash."""
    said: list[Outcome] = []
    with open_release(session, said.append) as target:
        rows = [
            PlannedStage(name=DECISION, state=said[0].outcome, evidence=said[0].reason, commands=())
        ]
        if target is not None:
            rows += render_plan(target, preview(stages_until(until), target, session.executor))
        return rows


def preview_stage(
    session: Session,
    name: str,
    *,
    adapt: Callable[[Target], Target] = lambda target: target,
    due: bool = False,
) -> list[PlannedStage]:
    """What ``run_stage`` would do."""
    with open_release(session, lambda _: None) if due else open_target(session, name) as target:
        if target is None:
            return []
        target = adapt(target)
        return render_plan(target, preview(stages_for(name), target, session.executor))[
            -len(together(name)) :
        ]


def release_status(session: Session) -> Iterator[tuple[str, Finding, str]]:
    """What the remotes have of the commit's release, or of its branch: (stage, finding, what to do next)."""
    if session.context.branch not in session.project.settings.release.branches:
        yield DECISION, Finding(State.SAME, "only release branches are released"), ""
        yield from status(PIPELINE, session.target(), session.executor)
        return
    said: list[Outcome] = []
    try:
        with open_release(session, said.append) as target:
            same = said[0].outcome == "skipped"
            yield (
                DECISION,
                Finding(State.SAME if same else State.ABSENT, said[0].reason),
                "" if same else "invoke release",
            )
            yield from status(
                PIPELINE if target else (), target or session.target(), session.executor
            )
    except StepFailed as error:
        yield DECISION, Finding(State.UNKNOWN, error.message.splitlines()[0]), error.hint
        for stage in PIPELINE:
            yield stage.NAME, Finding(State.UNKNOWN, f"{DECISION} could not be asked"), ""


def build_here(session: Session, target: Target) -> None:
    """Build for this machine's engine alone and load the image; nothing is pushed."""
    session.executor.do(build.build_command(target, push=False))
