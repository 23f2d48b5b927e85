"""Pairs that need no engine: how long the program takes to say something."""

from __future__ import annotations

from pathlib import Path

from shipway.effects.processes import Processes
from shipway.model.actions import Command, Effect
from tests.bench.measure import Goal, Pair, Way

_ONE_TASK = '''\
from invoke import task


@task
def hello(_):
    """Say hello."""
    print("hello")
'''


def face_pairs(folder: Path, runner: Processes) -> list[Pair]:
    """`shipway --list` against Invoke's own list of a single task."""

    def run(*argv: str) -> None:
        runner(
            Command(
                name="bench",
                why="list the tasks",
                argv=argv,
                effect=Effect.READ,
                folder=str(folder),
            )
        )

    def prepare() -> None:
        folder.mkdir()
        (folder / "tasks.py").write_text(_ONE_TASK, encoding="utf-8")
        # Once for nothing: what Python compiles is kept.
        run("invoke", "--list")
        run("shipway", "--list")

    return [
        Pair(
            name="list-overhead",
            goal=Goal(1.3, at_most=True),
            prepare=prepare,
            runs=5,
            baseline=Way("`invoke --list` of one task", lambda: run("invoke", "--list")),
            ours=Way("`shipway --list`", lambda: run("shipway", "--list")),
        )
    ]
