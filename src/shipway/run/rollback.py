"""`rollback`, carried out: each step is observed, done where it is missing, and observed again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shipway.model.target import Target
from shipway.run.clone import open_workspace, release_target
from shipway.run.preview import Foreseen, render_plan
from shipway.run.reconcile import Outcome, foresee, reconcile
from shipway.run.release import Result
from shipway.run.session import Workbench
from shipway.stages.rollback import Rollback, plan_rollback


@contextmanager
def _open(bench: Workbench, version: str) -> Iterator[tuple[Rollback, Target]]:
    release = bench.project.settings.release
    before, after = release.tag_format.split("{version}")
    name = (
        version
        if version.startswith(before) and version.endswith(after)
        else f"{before}{version}{after}"
    )
    with open_workspace(bench) as workspace:
        found = plan_rollback(
            name, workspace.tags(), release.tag_format, rolling=bench.project.settings.tags.rolling
        )
        yield found, release_target(bench, workspace, workspace.find(name))


def roll_back(
    bench: Workbench, version: str, result: Result, tell: Callable[[Outcome], None]
) -> None:
    """Take ``version`` (``1.2.3`` or ``v1.2.3``) back; a second run changes nothing."""

    def record(outcome: Outcome) -> None:
        result.stages.append(outcome)
        tell(outcome)

    with _open(bench, version) as (found, result.target):
        reconcile(found.steps, result.target, bench.hands, record=record)


def foresee_rollback(bench: Workbench, version: str) -> list[Foreseen]:
    """What ``roll_back`` would do."""
    with _open(bench, version) as (found, target):
        return render_plan(target, foresee(found.steps, target, bench.hands))
