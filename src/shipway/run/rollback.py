"""`rollback` is carried out like a release: each step is observed, done, and observed again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shipway.model.target import Target
from shipway.run.fresh_clone import open_clone, release_target
from shipway.run.preview import PlannedStage, preview, render_plan
from shipway.run.reconcile import reconcile
from shipway.run.result import Record, Result
from shipway.run.session import Session
from shipway.stages.rollback import Rollback, plan_rollback
from shipway.target.releases import name_release


@contextmanager
def _open(session: Session, version: str) -> Iterator[tuple[Rollback, Target]]:
    """Give the rollback of ``version`` (``1.2.3`` or its tag), and the target of its release."""
    settings = session.project.settings
    tag_format = settings.release.tag_format
    name = name_release(version, tag_format)
    with open_clone(session) as clone:
        rollback = plan_rollback(
            name,
            clone.tags(),
            tag_format,
            rolling=settings.tags.rolling,
            plus=settings.tags.plus,
        )
        release = clone.find_release(name)
        yield rollback, release_target(session, clone, release)


def roll_back(session: Session, version: str, result: Result, report_outcome: Record) -> None:
    """Take ``version`` (``1.2.3`` or ``v1.2.3``) back; a second run changes nothing."""
    with _open(session, version) as (rollback, target):
        result.target = target
        record = result.recorder(report_outcome)
        reconcile(rollback.stages, target, session.executor, record=record)


def preview_rollback(session: Session, version: str) -> list[PlannedStage]:
    """Say what ``roll_back`` would do."""
    with _open(session, version) as (rollback, target):
        rows = preview(rollback.stages, target, session.executor)
        return render_plan(target, rows)
