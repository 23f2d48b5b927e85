"""The pair of the next version, on a long history: from all of it, and from the commits since the last release."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from shipway.effects.processes import Processes
from shipway.effects.questions import Answerer
from shipway.model.actions import Command, Effect
from shipway.tools.semantic_release import next_version
from tests.bench.measure import Goal, Pair, Way
from tests.support.histories import MESSAGES, History, clone_of, config_of, forget

COMMITS, TAGS = 20_000, 4_000


def version_pairs(folder: Path, runner: Processes) -> list[Pair]:
    """`semantic-release version --print` against what shipway asks python-semantic-release's own rules."""
    source, clone, config = folder / "source", folder / "clone", folder / "release.json"
    question = next_version(clone, str(config))
    answers: dict[str, str] = {}

    def prepare() -> None:
        folder.mkdir()
        make_history().write(source)
        clone_of(source, clone)
        assert config_of(folder) == config

    def baseline() -> None:
        argv = (
            sys.executable,
            "-m",
            "semantic_release",
            "--config",
            str(config),
            "version",
            "--print",
        )
        command = Command(
            name="bench", why="the next version", argv=argv, effect=Effect.READ, folder=str(source)
        )
        answers["whole"] = runner(command).out.split()[-1]

    def ours() -> None:
        answers["since"] = str(Answerer(os.environ)(question).upcoming)
        if answers["whole"] != answers["since"]:
            raise AssertionError(f"the answers differ: {answers}")

    return [
        Pair(
            name="next-version",
            goal=Goal(40),
            prepare=prepare,
            baseline=Way(
                f"`semantic-release version --print`, {COMMITS:,} commits with {TAGS:,} tags",
                baseline,
            ),
            ours=Way(
                "the same rules on the commits since the last release", ours, lambda: forget(clone)
            ),
        )
    ]


def make_history() -> History:
    """A tag every five commits, every fifth commit a merge."""
    made = History(random.Random(1))
    made.begin()
    for number in range(1, TAGS + 1):
        for _ in range(2):
            made.commit("main", made.chance.choice(MESSAGES))
        topic = made.commit("topic", "fix: on a branch", made.heads["main"])
        made.commit("main", "feat: meanwhile")
        made.tag(
            f"v0.{number}.0", made.commit("main", "Merge branch 'topic'", made.heads["main"], topic)
        )
    made.commit("main", "fix: after the last one")
    return made
