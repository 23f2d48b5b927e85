"""The benchmarks: medians, ratios, goals, the document, and when a pair cannot be measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from shipway.errors import StepFailed
from tests.bench.builder import require_emulation
from tests.bench.measure import (
    Goal,
    Measured,
    NotMeasured,
    Pair,
    Way,
    document,
    measure,
    rows,
)

QUICKER, OVERHEAD = Goal(5), Goal(1.02, at_most=True)
ENTRY = """\
enabled
interpreter /usr/bin/qemu-aarch64-static
flags: {flags}
offset 0
magic 7f454c460201010000000000000000000200b700
mask ffffffffffffff00fffffffffffffffffeffffff
"""


class Bench:
    """A clock, and two ways that take the seconds that they are given, with a record of what ran."""

    def __init__(self, usual: list[float], ours: list[float]) -> None:
        self.now = 100.0
        self.ran: list[str] = []
        self._seconds = {"usual": iter(usual), "ours": iter(ours)}

    def pair(self, goal: Goal = QUICKER, runs: int = 1) -> Pair:
        """A pair of the two ways."""
        return Pair(
            name="warm",
            goal=goal,
            runs=runs,
            prepare=lambda: self.ran.append("prepare"),
            baseline=self._way("usual"),
            ours=self._way("ours"),
        )

    def measure(self, rounds: int, goal: Goal = QUICKER, runs: int = 1) -> Measured:
        """What comes out."""
        return measure(self.pair(goal, runs), rounds, clock=lambda: self.now)

    def _way(self, name: str) -> Way:
        def run() -> None:
            self.ran.append(name)
            self.now += next(self._seconds[name])

        def before() -> None:
            self.ran.append("empty")
            self.now += 1000

        return Way(f"the {name} way", run, before)


class TestMeasuring:
    """Both ways in turn, by a clock that only runs while they do."""

    def test_takes_turns_after_one_preparation(self) -> None:
        bench = Bench([1, 1], [1, 1])
        bench.measure(2)
        assert bench.ran == ["prepare", *["empty", "usual", "empty", "ours"] * 2]

    def test_leaves_what_comes_before_a_run_out(self) -> None:
        found = Bench([20, 24, 22], [2, 1, 2]).measure(3)
        assert (found.baseline, found.ours) == ((20, 24, 22), (2, 1, 2))

    def test_runs_what_takes_no_time_several_times_a_round(self) -> None:
        assert len(Bench([1] * 6, [1] * 6).measure(3, runs=2).ours) == 6

    def test_says_why_a_pair_is_not_measured(self) -> None:
        def refuse() -> None:
            raise NotMeasured("no engine")

        pair = Pair(
            name="warm",
            goal=QUICKER,
            baseline=Way("a", pytest.fail),
            ours=Way("b", pytest.fail),
            prepare=refuse,
        )
        found = measure(pair, 3)
        assert (found.reason, found.ratio, found.met) == ("no engine", None, False)

    def test_does_a_failed_run_again_and_leaves_its_time_out(self) -> None:
        bench, failures = Bench([20], [2]), [StepFailed("the index timed out", hint="again")]

        def run() -> None:
            if failures:
                bench.now += 500
                raise failures.pop()
            good.run()

        pair = bench.pair()
        good, said = pair.baseline, list[str]()
        found = measure(
            replace(pair, baseline=replace(good, run=run)),
            1,
            clock=lambda: bench.now,
            report_outcome=said.append,
        )
        assert list(found.baseline) == [20]
        assert "once more, since the index timed out" in said[0]
        assert bench.ran == ["prepare", "empty", "empty", "usual", "empty", "ours"]

    def test_gives_a_pair_up_that_fails_again_and_again(self) -> None:
        def fail() -> None:
            raise StepFailed("broken", hint="fix it")

        with pytest.raises(StepFailed, match="broken"):
            measure(
                Pair(
                    name="warm", goal=QUICKER, baseline=Way("a", fail), ours=Way("b", pytest.fail)
                ),
                3,
            )


class TestRatio:
    """Of the medians, in the sense of the goal."""

    def test_says_how_many_times_quicker_ours_is(self) -> None:
        assert Bench([20, 99, 21], [2, 3, 50]).measure(3).ratio == 7

    def test_says_how_much_longer_ours_takes(self) -> None:
        assert Bench([10, 10, 10], [11, 11, 99]).measure(3, OVERHEAD).ratio == pytest.approx(1.1)

    @pytest.mark.parametrize(
        ("goal", "ratio", "met"),
        [
            (QUICKER, 5.0, True),
            (QUICKER, 4.99, False),
            (OVERHEAD, 1.02, True),
            (OVERHEAD, 1.03, False),
        ],
    )
    def test_meets_the_goal_at_the_goal(self, goal: Goal, ratio: float, met: bool) -> None:
        assert goal.met(ratio) is met

    @pytest.mark.parametrize(("goal", "said"), [(QUICKER, "≥ 5"), (OVERHEAD, "≤ 1.02")])
    def test_goals_can_be_read(self, goal: Goal, said: str) -> None:
        assert str(goal) == said


class TestDocument:
    """`bench.json` and the table."""

    def test_of_a_measured_pair(self) -> None:
        found = Bench([20.0004, 22, 21], [2, 2, 3]).measure(3)
        assert document([found]) == [
            {
                "name": "warm",
                "baseline": {"what": "the usual way", "seconds": [20.0, 22, 21]},
                "ours": {"what": "the ours way", "seconds": [2, 2, 3]},
                "ratio": 10.5,
                "goal": 5,
                "met": True,
            }
        ]
        assert list(rows([found])) == [
            ("warm", "the usual way: 21.00 s", "the ours way: 2.00 s", "10.50", "≥ 5", "met")
        ]

    def test_of_a_missed_goal(self) -> None:
        found = Bench([10, 10, 10], [11, 11, 11]).measure(3, OVERHEAD)
        assert document([found])[0]["met"] is False
        assert list(rows([found]))[0][-2:] == ("≤ 1.02", "missed")

    def test_of_a_pair_that_was_not_measured(self) -> None:
        found = Measured(pair=Bench([], []).pair(), reason="no emulation")
        (entry,) = document([found])
        assert (entry["ratio"], entry["met"], entry["reason"]) == (None, False, "no emulation")
        assert entry["ours"] == {"what": "the ours way", "seconds": []}
        assert list(rows([found]))[0][3:] == ("-", "≥ 5", "not measured: no emulation")


class TestEmulation:
    """What the kernel says of other machines' programs."""

    def entries(self, *texts: str) -> Iterator[str]:
        """As they are read."""
        return iter(texts)

    def test_is_there(self) -> None:
        require_emulation(self.entries("enabled\n", ENTRY.format(flags="POF")))

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "no emulation of arm64: install qemu-user-static"),
            (ENTRY.format(flags="PO"), "without the flag F"),
            (ENTRY.format(flags="F").replace("enabled", "disabled"), "no emulation"),
            (ENTRY.format(flags="F").replace("0200b700", "0200f300"), "no emulation"),
        ],
    )
    def test_is_not_there(self, text: str, reason: str) -> None:
        with pytest.raises(NotMeasured, match=reason):
            require_emulation(self.entries(text))
