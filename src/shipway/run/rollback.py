"""`rollback`, carried out: each step is observed, done where it is missing, and observed again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shipway.model.target import Target
from shipway.run.clone import open_clone, release_target
from shipway.run.preview import PlannedStage, render_plan
from shipway.run.reconcile import Outcome, preview, reconcile
from shipway.run.release import Result
from shipway.run.session import Session
from shipway.stages.rollback import Rollback, plan_rollback


@contextmanager
def _open(session: Session, version: str) -> Iterator[tuple[Rollback, Target]]:
    release = session.project.settings.release
    before, after = release.tag_format.split("{version}")
    name = (
        version
        if version.startswith(before) and version.endswith(after)
        else f"{before}{version}{after}"
    )
    with open_clone(session) as clone:
        found = plan_rollback(
            name, clone.tags(), release.tag_format, rolling=session.project.settings.tags.rolling
        )
        yield found, release_target(session, clone, clone.find(name))


def roll_back(
    session: Session, version: str, result: Result, report_outcome: Callable[[Outcome], None]
) -> None:
    """Take ``version`` (``1.2.3`` or ``v1.2.3``) back; a second run changes nothing."""

    def record(outcome: Outcome) -> None:
        result.stages.append(outcome)
        report_outcome(outcome)

    with _open(session, version) as (found, result.target):
        reconcile(found.steps, result.target, session.executor, record=record)


def preview_rollback(session: Session, version: str) -> list[PlannedStage]:
    """What ``roll_back`` would do."""
    with _open(session, version) as (found, target):
        return render_plan(target, preview(found.steps, target, session.executor))
