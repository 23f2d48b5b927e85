"""`shipway engine` and `shipway engine.stop`, as documents."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from shipway.effects.engine_record import read_record
from shipway.effects.environment import cache_folder
from shipway.rehearsal import engine

Progress = Callable[[str], None]


def start(progress: Progress, *, suite: str, dry_run: bool) -> dict[str, Any]:
    """Make sure that there is an engine."""
    if dry_run:
        return {"engine": engine.preview(os.environ, suite=suite)}
    return {"engine": engine.ensure(os.environ, progress, suite=suite)}


def stop(progress: Progress, *, purge: bool, dry_run: bool) -> dict[str, Any]:
    """End what was started."""
    if dry_run:
        record = read_record(cache_folder(os.environ) / "engine/engine.json")
        return {
            "ended": [],
            "would end": [one.name for one in (record.processes if record else ()) if one.lives()],
        }
    return {"ended": engine.stop(os.environ, progress, purge=purge)}
