"""The tasks that set this machine up."""

from __future__ import annotations

from invoke.collection import Collection
from invoke.context import Context

from shipway.tasks.options import task
from shipway.tasks.output import progress, show


@task
def engine(_: Context, suite: str = "trixie", dry_run: bool = False, json: bool = False) -> None:
    """Make sure that Docker with buildx and cosign are there; on Debian, set them up in a folder of their own."""
    from shipway.rehearsal import setting

    show(setting.start(progress, suite=suite, dry_run=dry_run), json)


@task
def stop(_: Context, purge: bool = False, dry_run: bool = False, json: bool = False) -> None:
    """End what `engine` started, and nothing else."""
    from shipway.rehearsal import setting

    show(setting.stop(progress, purge=purge, dry_run=dry_run), json)


collection = Collection("engine")
collection.add_task(engine, name="start", default=True)
collection.add_task(stop)
