"""What is measured of a pair, and what the figures mean. Pure but for the clock, which is handed in."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from shipway.errors import ShipwayError

ATTEMPTS = 3
"""How often a run is tried before its pair is given up."""


class NotMeasured(Exception):
    """A pair cannot be measured here; says why."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What a pair's ratio has to be, in the sense of the goal.

    At least ``value``: the ratio says how many times quicker ours is. At most ``value``: it says how much longer ours
    takes, 1.0 being no longer at all.
    """

    value: float
    at_most: bool = False

    def ratio(self, baseline: float, ours: float) -> float:
        """The ratio of two medians."""
        return ours / baseline if self.at_most else baseline / ours

    def met(self, ratio: float) -> bool:
        """Whether a ratio is good enough."""
        return ratio <= self.value if self.at_most else ratio >= self.value

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.value:g}"


def nothing() -> None:
    """There is nothing to get ready."""


@dataclass(frozen=True, slots=True)
class Way:
    """One side of a pair: ``before`` is not timed and runs before every ``run``."""

    what: str
    run: Callable[[], None]
    before: Callable[[], None] = nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two ways to the same thing. ``prepare`` runs once, and raises ``NotMeasured`` where there is nothing to compare.

    ``runs`` is the number of runs of each way in a round: more for what takes no time.
    """

    name: str
    baseline: Way
    ours: Way
    goal: Goal
    prepare: Callable[[], None] = nothing
    runs: int = 1
    asked_for: bool = False
    """It runs only where it is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A pair's seconds, in the order in which they were measured; ``reason`` says why there are none."""

    pair: Pair
    baseline: tuple[float, ...] = ()
    ours: tuple[float, ...] = ()
    reason: str = ""

    @property
    def ratio(self) -> float | None:
        """The ratio of the medians; ``None`` where nothing was measured."""
        if not self.baseline or not self.ours:
            return None
        return self.pair.goal.ratio(statistics.median(self.baseline), statistics.median(self.ours))

    @property
    def met(self) -> bool:
        """Whether the goal is reached; what was not measured reaches none."""
        return self.ratio is not None and self.pair.goal.met(self.ratio)


def measure(
    pair: Pair,
    rounds: int,
    *,
    clock: Callable[[], float] = time.perf_counter,
    report_outcome: Callable[[str], None] = lambda _line: None,
) -> Measured:
    """Both ways in turn, so that whatever slows the machine down slows both down."""
    try:
        pair.prepare()
    except NotMeasured as reason:
        return Measured(pair=pair, reason=str(reason))
    seconds: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds * pair.runs):
        for way, found in zip((pair.baseline, pair.ours), seconds, strict=True):
            found.append(_time(way, clock, report_outcome))
        report_outcome(
            f"{pair.name} {number + 1}/{rounds * pair.runs}: {seconds[0][-1]:.2f} s, {seconds[1][-1]:.2f} s"
        )
    return Measured(pair=pair, baseline=tuple(seconds[0]), ours=tuple(seconds[1]))


def _time(way: Way, clock: Callable[[], float], report_outcome: Callable[[str], None]) -> float:
    """Seconds of one run. One that fails, as builds do when the network does, is done again and counts for nothing."""
    for left in reversed(range(ATTEMPTS)):
        way.before()
        begun = clock()
        try:
            way.run()
            break
        except ShipwayError as error:
            if not left:
                raise
            report_outcome(f"{way.what}: once more, since {error}")
    return clock() - begun


def document(measured: list[Measured]) -> list[dict[str, Any]]:  # Any: a JSON document
    """What `bench.json` holds. A pair that was not measured has no seconds, no ratio, and the reason."""
    return [
        {
            "name": one.pair.name,
            "baseline": {
                "what": one.pair.baseline.what,
                "seconds": [round(value, 3) for value in one.baseline],
            },
            "ours": {
                "what": one.pair.ours.what,
                "seconds": [round(value, 3) for value in one.ours],
            },
            "ratio": None if one.ratio is None else round(one.ratio, 3),
            "goal": one.pair.goal.value,
            "met": one.met,
        }
        | ({"reason": one.reason} if one.reason else {})
        for one in measured
    ]


def rows(measured: list[Measured]) -> Iterator[tuple[str, ...]]:
    """The table: name, both sides with their medians, ratio, goal, and whether it is met."""
    for one in measured:
        sides = [
            f"{way.what}: {statistics.median(found):.2f} s" if found else way.what
            for way, found in ((one.pair.baseline, one.baseline), (one.pair.ours, one.ours))
        ]
        ratio = "-" if one.ratio is None else f"{one.ratio:.2f}"
        yield (
            one.pair.name,
            *sides,
            ratio,
            str(one.pair.goal),
            f"not measured: {one.reason}" if one.reason else "met" if one.met else "missed",
        )
