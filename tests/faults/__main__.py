"""Plays the matrix: `python -m tests.faults [--only POINT/FAULT …] [--workers N]`.

It writes faults.json and the table of the docs; a part of the matrix takes the place of its cells there. Ends with 1
where something is violated.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import sys
import tempfile
import threading
from pathlib import Path

from tests.faults import table, world
from tests.faults.cells import Cell, Stage
from tests.faults.points import FAULTS, POINTS
from tests.support.machine import forget_surroundings

_PAGE = Path(__file__).parents[2] / "docs/reference/faults.md"
Place = tuple[str, str]
_LOCK = threading.Lock()


def main() -> int:
    """Play what is asked for."""
    if sys.platform != "linux":
        sys.exit(
            "the fault matrix needs Linux: it kills whole groups of processes, and finds them in /proc"
        )
    arguments = read_arguments()
    forget_surroundings(os.environ)
    wanted = [
        (point, fault)
        for point in POINTS
        for fault in FAULTS
        if not arguments.only
        or any(one in (point, fault, f"{point}/{fault}") for one in arguments.only)
    ]
    cells = play(wanted, arguments.workers, verbose=arguments.verbose)
    ordered = [cells[place] for place in wanted if place in cells]
    violated = sum(cell.outcome == "violated" for cell in ordered)
    print(f"{len(ordered)} of {len(wanted)} cells played, {violated} violated")
    return 1 if violated or len(ordered) < len(wanted) else 0


def keep(cells: dict[Place, Cell]) -> None:
    """Write faults.json and the table of the docs, with the cells of earlier runs that were not played now.

    It is called after each cell: half an hour is not lost to an interruption.
    """
    file = Path("faults.json")
    earlier = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    known = {
        (one["point"], one["fault"]): Cell(**{**one, "violations": tuple(one["violations"])})
        for one in earlier
    }
    known |= cells
    ordered = [
        known[point, fault] for point in POINTS for fault in FAULTS if (point, fault) in known
    ]
    file.write_text(
        json.dumps([cell.document() for cell in ordered], indent=2) + "\n", encoding="utf-8"
    )
    table.write(_PAGE, ordered)


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="the fault matrix")
    parser.add_argument(
        "--only", action="append", metavar="POINT/FAULT", help="a cell, a point or a fault"
    )
    parser.add_argument("--workers", type=int, default=2, help="worlds side by side")
    parser.add_argument(
        "--verbose", action="store_true", help="show what the runs of violated cells printed"
    )
    return parser.parse_args()


def play(wanted: list[Place], workers: int, *, verbose: bool) -> dict[Place, Cell]:
    """Play cells in worlds of their own, side by side."""
    waiting: queue.SimpleQueue[Place] = queue.SimpleQueue()
    for place in wanted:
        waiting.put(place)
    cells: dict[Place, Cell] = {}
    threads = [
        threading.Thread(target=work, args=(waiting, cells), kwargs={"verbose": verbose})
        for _ in range(min(workers, len(wanted)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return cells


def work(waiting: queue.SimpleQueue[Place], cells: dict[Place, Cell], *, verbose: bool) -> None:
    """Play until nothing waits."""
    with (
        tempfile.TemporaryDirectory(prefix="shipway-faults-") as home,
        world.stand_up(Path(home) / "world", os.environ) as own,
    ):
        stage = Stage(own)
        while True:
            try:
                place = waiting.get_nowait()
            except queue.Empty:
                return
            cell = stage.play(*place)
            with _LOCK:
                cells[place] = cell
                keep(cells)
            print(
                f"{cell.outcome:14} {cell.point}, {FAULTS[cell.fault]}: {cell.reason}", flush=True
            )
            for one in cell.violations:
                print(f"    {one}", flush=True)
            if verbose and cell.violations:
                for run in stage.runs:
                    print(f"  -- exit {run.code} after {run.seconds:.1f} s\n{run.err}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
