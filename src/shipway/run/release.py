"""`release` takes the present commit to a finished release, and does only what is missing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from shipway.errors import Conflict, ContextError, ShipwayError
from shipway.model.release import Release
from shipway.model.stage import Stage
from shipway.model.target import Target
from shipway.run.clone import Clone
from shipway.run.fresh_clone import complete_clone, go_to_head, open_clone, release_target
from shipway.run.preview import PlannedStage, preview, render_plan
from shipway.run.reconcile import reconcile
from shipway.run.result import Outcome, Record, Result
from shipway.run.session import Session
from shipway.stages import PIPELINE
from shipway.target.context import Context
from shipway.target.preconditions import require_releasable

DECISION = "version"
"""Names what comes before the stages in reports: the decision which version is due."""
ORDER: tuple[str, ...] = (DECISION, *(stage.name for stage in PIPELINE))
"""Names all rows of a report, in their order."""
_STARTS = 4
"""Says how often a release starts before it is left to another run.

It starts again each time the branch moved meanwhile.
"""


def run_release(
    session: Session, result: Result, report_outcome: Record, *, until: str = ""
) -> None:
    """Take the present commit to a finished release; stop after stage ``until``.

    Where the branch moved meanwhile, it starts again from its new head, a few times.
    """
    stages = stages_until(until)
    for _ in range(_STARTS - 1):
        try:
            _release(session, result, report_outcome, stages)
            return
        except Conflict as conflict:
            moved = go_to_head(session)
            if moved.context.commit in _own_commits(session, result.target):
                raise
            session = moved
            context = session.context
            session.progress(
                f"{conflict.message}\nstarting again from the new head of "
                f"{context.branch}, {context.commit[:12]}"
            )
            result.stages.clear()
            result.target = None
    _release(session, result, report_outcome, stages)


def _own_commits(session: Session, target: Target | None) -> set[str]:
    """Give the commits where the branch is if nobody else moved it."""
    commits = {session.context.commit}
    if target and target.release:
        commits |= {target.release.base, target.commit}
    return commits


def _release(
    session: Session, result: Result, report_outcome: Record, stages: tuple[Stage, ...]
) -> None:
    record = result.recorder(report_outcome)
    with open_release(session, record) as target:
        if target is None:
            return
        result.target = target
        result.world = reconcile(stages, target, session.executor, record=record)


def stages_until(name: str) -> tuple[Stage, ...]:
    """Give the pipeline up to and including one stage; all of it for an empty name."""
    if not name:
        return PIPELINE
    names = [stage.name for stage in PIPELINE]
    if name not in names:
        stages = ", ".join(names)
        raise ContextError(
            f"there is no stage {name!r}",
            hint=f"the stages are {stages}",
        )
    end = names.index(name) + 1
    return PIPELINE[:end]


@contextmanager
def open_release(session: Session, record: Record) -> Iterator[Target | None]:
    """Give the target of the commit's release, in a clone; ``None`` when none is due."""
    require_releasable(session.context, session.project.settings.release)
    start = time.monotonic()
    recorded = False
    try:
        with open_clone(session) as clone:
            decision = decide_release(clone, session.context)
            target: Target | None = None
            if decision.release is not None:
                target = release_target(session, clone, decision.release)
            seconds = time.monotonic() - start
            record(decision.outcome(seconds))
            recorded = True
            if target is not None:
                complete_clone(session, clone)
            yield target
    except ShipwayError as error:
        if not recorded:
            outcome = Outcome(
                name=DECISION,
                outcome="failed",
                reason=error.message,
                seconds=time.monotonic() - start,
            )
            record(outcome)
        raise


@dataclass(frozen=True, slots=True)
class DecidedRelease:
    """Holds the release of a commit, ``None`` where none is due; whether it is new, and why."""

    release: Release | None
    reason: str
    is_new: bool = False

    def outcome(self, seconds: float) -> Outcome:
        """Give the decision as a row of the report."""
        outcome = "done" if self.is_new else "skipped"
        return Outcome(
            name=DECISION,
            outcome=outcome,
            reason=self.reason,
            seconds=seconds,
        )


def decide_release(clone: Clone, context: Context) -> DecidedRelease:
    """Find the release that was made of the commit, or make the one that is due, in the clone."""
    existing = clone.existing_release()
    if existing:
        reason = f"{existing.tag} was made of this commit"
        return DecidedRelease(existing, reason)
    _require_head(clone, context)
    decision = clone.decide()
    if decision.upcoming is None:
        since = f" since {decision.current}" if decision.current else ""
        reason = f"no release is due{since}"
        return DecidedRelease(None, reason)
    release = clone.make_release(decision)
    level = f"{decision.bump}"
    if clone.override:
        level += ", as asked"
    before = decision.current or "nothing"
    reason = f"{before} → {release.version} ({level})"
    return DecidedRelease(release, reason, is_new=True)


def _require_head(clone: Clone, context: Context) -> None:
    """Require that the commit has all that the remote's branch has; raises ``ShipwayError``."""
    if not clone.is_behind():
        return
    head = clone.remote_head()[:12]
    commit = context.commit[:12]
    message = f"{context.branch} is at {head} in the origin, and {commit} is behind"
    # Nobody looks at what a run in CI releases; on a laptop a person has a commit in mind.
    if context.ci:
        raise Conflict(message, hint="run the same command again from the branch's new head")
    raise ContextError(message, hint="run `git pull`, then the same command again")


def preview_release(session: Session, *, until: str = "") -> list[PlannedStage]:
    """Say what ``release`` would do.

    The release commit is made in the temporary clone only, to know its hash.
    """
    outcomes: list[Outcome] = []
    with open_release(session, outcomes.append) as target:
        decision = outcomes[0]
        decided = PlannedStage(
            name=DECISION,
            state=decision.outcome,
            evidence=decision.reason,
            commands=(),
        )
        if target is None:
            return [decided]
        stages = stages_until(until)
        previews = preview(stages, target, session.executor)
        return [decided, *render_plan(target, previews)]
