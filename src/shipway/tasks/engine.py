"""These tasks set this machine up."""

from __future__ import annotations

from invoke.collection import Collection
from invoke.context import Context

from shipway.tasks.options import task
from shipway.tasks.output import progress, show


@task
def engine(_: Context, suite: str = "trixie", dry_run: bool = False, json: bool = False) -> None:
    """Make sure of Docker, buildx and cosign; on Debian, set them up in a folder of their own."""
    from shipway.rehearsal.engine import ensure_engine, preview_engine

    sentence = preview_engine(suite=suite) if dry_run else ensure_engine(progress, suite=suite)
    show({"engine": sentence}, json)


@task
def stop(_: Context, purge: bool = False, dry_run: bool = False, json: bool = False) -> None:
    """End what `engine` started, and nothing else."""
    from shipway.rehearsal.engine import preview_stop, stop_engine

    if dry_run:
        show({"ended": [], "would end": preview_stop()}, json)
    else:
        show({"ended": stop_engine(progress, purge=purge)}, json)


collection = Collection("engine")
collection.add_task(engine, name="start", default=True)
collection.add_task(stop)
