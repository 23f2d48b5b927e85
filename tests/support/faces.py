"""The tasks, called as people call them."""

from __future__ import annotations

from invoke.program import Program

from shipway import tasks


def run_task(*words: str) -> int:
    """Run the program in this process; gives its exit status."""
    try:
        Program(name="shipway", namespace=tasks.namespace).run(["shipway", *words])
    except SystemExit as end:
        return int(end.code or 0)
    return 0
