"""A single stage of the pipeline can be run on its own, and looked at before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from shipway.errors import ContextError
from shipway.model.stage import Needs, Stage
from shipway.model.target import Target
from shipway.run.fresh_clone import complete_clone, open_clone, release_target
from shipway.run.preview import PlannedStage, preview, render_plan
from shipway.run.reconcile import reconcile
from shipway.run.release import open_release, stages_until
from shipway.run.result import Record, Result
from shipway.run.session import Session
from shipway.run.whole_tree import require_whole
from shipway.target.preconditions import require_clean, require_git, require_release_branch

Adapt: TypeAlias = Callable[[Target], Target]
"""Changes a target before a stage works for it, as a build of one platform alone does."""


def run_stage(
    session: Session,
    name: str,
    result: Result,
    report_outcome: Record,
    *,
    adapt: Adapt = lambda target: target,
    due: bool = False,
) -> None:
    """Bring one stage about; the stages that it builds on have to stand already.

    With ``due`` the target is that of the release that is due, and nothing is done where none is.
    """
    record = result.recorder(report_outcome)
    names = _run_together(name)
    with _open(session, name, record, due=due) as target:
        if target is None:
            return
        result.target = adapt(target)
        result.world = reconcile(
            stages_for(name),
            result.target,
            session.executor,
            record=record,
            only=names,
        )


def preview_stage(
    session: Session,
    name: str,
    *,
    adapt: Adapt = lambda target: target,
    due: bool = False,
) -> list[PlannedStage]:
    """Say what ``run_stage`` would do."""
    names = _run_together(name)
    with _open(session, name, lambda _outcome: None, due=due) as target:
        if target is None:
            return []
        target = adapt(target)
        previews = preview(stages_for(name), target, session.executor)
        rows = render_plan(target, previews)
        return [row for row in rows if row.name in names]


def stages_for(name: str) -> tuple[Stage, ...]:
    """Give a stage with those that it builds on, and those that run with it."""
    together = _run_together(name)
    stages = stages_until(together[-1])
    builds_on = _find_stage(name).builds_on
    if builds_on is None:
        return stages
    names = {*builds_on, *together}
    return tuple(stage for stage in stages if stage.name in names)


def _run_together(name: str) -> tuple[str, ...]:
    """Name the stages that one task runs."""
    stage = _find_stage(name)
    return (name, *stage.followed_by)


def _find_stage(name: str) -> Stage:
    stages = stages_until(name)
    return stages[-1]


@contextmanager
def _open(session: Session, name: str, record: Record, *, due: bool) -> Iterator[Target | None]:
    opened = open_release(session, record) if due else open_target(session, name)
    with opened as target:
        yield target


@contextmanager
def open_target(session: Session, name: str) -> Iterator[Target | None]:
    """Give the target that a single stage works for: the commit's release where it needs one."""
    needs = _find_stage(name).needs
    if needs is Needs.CLEAN:
        require_clean(session.context)
        require_whole(session.executor, session.folder)
    if needs is not Needs.RELEASE:
        yield session.target()
        return
    require_git(session.context)
    settings = session.project.settings
    require_release_branch(session.context, settings.release)
    with open_clone(session) as clone:
        existing = clone.existing_release()
        if existing is None:
            commit = session.context.commit[:12]
            raise ContextError(
                f"no release was made of {commit}, so there is nothing to {name}",
                hint="check out a release's tag, or run `shipway release`",
            )
        complete_clone(session, clone)
        yield release_target(session, clone, existing)
