"""How long troubles are waited for."""

from __future__ import annotations

import pytest

from shipway.effects import patience as module
from shipway.effects.patience import Patience, describe_trouble


class Clock:
    """A clock that pauses move."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        """Tell the time."""
        return self.now

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture(name="clock")
def fixture_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the module."""
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_pauses_grow_and_end(clock: Clock) -> None:
    patience = Patience(600, clock.wait)
    while patience.allows():
        patience.wait()
    assert 1 <= clock.pauses[0] <= 2 and max(clock.pauses) == 60
    assert 500 < sum(clock.pauses) <= 660 and len(clock.pauses) < 30


def test_a_pause_that_is_asked_for_is_kept(clock: Clock) -> None:
    patience = Patience(90, clock.wait)
    assert patience.allows(61) and not patience.allows(91)
    for _ in range(3):
        patience.wait(5)
    assert all(5 <= pause <= 6 for pause in clock.pauses)
    assert not patience.allows(80) and patience.allows()


def test_it_begins_with_the_first_trouble(clock: Clock) -> None:
    patience = Patience(90, clock.wait)
    clock.now += 1000  # a long build
    assert patience.allows()
    clock.now += 100
    assert not patience.allows()


def test_there_may_be_none(clock: Clock) -> None:
    assert not Patience(0, clock.wait).allows()


def test_each_pause_says_what_for_and_how_long(clock: Clock) -> None:
    lines: list[str] = []
    patience = Patience(600, clock.wait, echo=lines.append)
    trouble = "sign: `cosign sign` ended with exit code 1\n  | Signing …\n  | Error: 503"
    for asked in (0.0, 42.0, 0.0):
        patience.wait(asked, trouble=trouble)
    patience.wait()
    reason = "sign: `cosign sign` ended with exit code 1: Error: 503"
    assert lines == [f"{reason}; again in {pause:.0f} s" for pause in clock.pauses[:3]]


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("", ""),
        ("a", "a"),
        ("a\n  | b\n  | c: d", "a: c: d"),
        ("a" * 999 + "\n" + "b" * 999, "a" * 200 + ": " + "b" * 200),
    ],
)
def test_a_trouble_is_one_line(message: str, line: str) -> None:
    assert describe_trouble(message) == line
