"""Plays a cell: the release up to the fault, a look, the release again, a look."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.faults import invariants
from tests.faults.people import View, status, verifies
from tests.faults.points import Moment, exempt, moments
from tests.faults.world import PATIENCE, Run, World


@dataclass(frozen=True, slots=True)
class Cell:
    """A point and a fault, and what came of them."""

    point: str
    fault: str
    outcome: str
    reason: str
    violations: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """As it stands in faults.json."""
        return {
            "point": self.point,
            "fault": self.fault,
            "outcome": self.outcome,
            "reason": self.reason,
            "violations": list(self.violations),
        }


class Stage:
    """Where cells are played: a world, and what undisturbed runs in it come to."""

    def __init__(self, world: World, states: tuple[str, ...] = ("due", "finished")) -> None:
        self.world = world
        self.runs: list[Run] = []
        """Of the last cell, for a look."""
        self.views: dict[str, View] = {}
        for name in states:
            world.reset(name)
            self.views[name] = status(world)

    def play(self, point: str, fault: str) -> Cell:
        """One cell, moment by moment."""
        reason = exempt(point, fault)
        if reason:
            return Cell(point, fault, "not-applicable", reason)
        self.runs.clear()
        ends, violations = list[str](), list[str]()
        for moment in moments(point, fault):
            end, found = self._play_patiently(point, fault, moment)
            ends.append(f"{moment.name}: {end}")
            violations += [f"{moment.name}: {one}" for one in found]
        return Cell(
            point,
            fault,
            "violated" if violations else "converged",
            "; ".join(ends),
            tuple(violations),
        )

    def _play_patiently(self, point: str, fault: str, moment: Moment) -> tuple[str, list[str]]:
        """Play a hang again with more patience: on a busy machine every step takes as long as one that hangs."""
        for patience in PATIENCE if fault == "hang" else PATIENCE[:1]:
            self.world.patience = patience
            end, found = self._play(point, fault, moment)
            if not found:
                break
        return end, found

    def _play(self, point: str, fault: str, moment: Moment) -> tuple[str, list[str]]:
        start = "finished" if moment.again else "due"
        self.world.reset(start)
        finished = self.views["finished"]
        end, now, found = self.disturb(point, fault, moment, self.views[start], finished)
        if moment.act == "newer":
            finished = invariants.expect_newer(finished, now)
        found += self.finish(now, finished, invariants.count_signers(point, fault))
        return end, found + self.world.miss()

    def disturb(
        self, point: str, fault: str, moment: Moment, before: View, finished: View | None = None
    ) -> tuple[str, View, list[str]]:
        """One disturbed run: how it ended, what people see then, and the complaints."""
        world = self.world
        world.director.arm(fault, moment)
        run = world.release(disturbed=True, hangs=fault == "hang")
        struck = world.director.struck
        world.director.disarm()
        now = status(world)
        finished = finished or invariants.expect(before, now)
        if moment.act == "newer":
            finished = invariants.expect_newer(finished, now)
        killed = fault.startswith("kill") and run.code is not None and run.code < 0
        found = [] if struck else ["the fault never struck"]
        if moment.again:
            found += ["a finished release was changed"] if now != before else []
            found += [
                f"a finished release was written to: {line}"
                for line in writes(world.director.journal)
            ]
        found += invariants.check_view(before, now, lambda digest: verifies(world, now, digest))
        stages = invariants.STAGES.values() if moment.again else (invariants.STAGES[point],)
        signers = invariants.count_signers(point, fault)
        check = functools.partial(
            invariants.check_run,
            stages=stages,
            complete=complete(now, finished, signers),
            secrets=(*world.secrets, *world.director.tokens),
        )
        found += check(run, killed=killed, asked=not moment.again)
        self.runs.append(run)
        if world.rival:
            found += [f"the second release: {one}" for one in check(world.rival, killed=False)]
            self.runs.append(world.rival)
        return describe(run, killed), now, found

    def finish(self, before: View, finished: View | None = None, signers: int = 1) -> list[str]:
        """A run that nothing disturbs, and the complaints about what it comes to."""
        world = self.world
        run = world.release()
        self.runs.append(run)
        now = status(world)
        finished = finished or invariants.expect(before, now)
        secrets = (*world.secrets, *world.director.tokens)
        return [
            *invariants.check_run(
                run,
                killed=False,
                complete=complete(now, finished, signers),
                stages=(),
                secrets=secrets,
            ),
            *invariants.check_view(before, now, lambda digest: verifies(world, now, digest)),
            *invariants.check_end(run, now, finished, signers),
        ]


def writes(journal: Iterable[str]) -> list[str]:
    """The requests that change something, each kind once."""
    lines = [
        line for line in journal if not line.startswith(("GET ", "HEAD ", "POST /point/version"))
    ]
    return list(dict.fromkeys(line.partition("?")[0][:80] for line in lines))[:3]


def complete(now: View, finished: View, signers: int = 1) -> bool:
    """Whether everything of the release is there, each part once, and signed."""
    return not list(
        invariants.check_end(Run(code=0, out="", err="", seconds=0), now, finished, signers)
    )


def describe(run: Run, killed: bool) -> str:
    """How the disturbed run ended, in a few words."""
    if killed:
        return "killed, finished by the next run"
    return "survived" if run.code == 0 else f"exit {run.code}, finished by the next run"
