"""Waits for troubles to pass, for a limited time, and says so."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

_LONGEST_PAUSE = 60.0
"""Says how many seconds a pause lasts at most, whatever chance adds, where nobody asked for it."""
_WIDEST = 200
"""Says how many characters of each part of a trouble's description fit on its line."""


def describe_trouble(message: str) -> str:
    """Give an error's message as one line: what failed, and the last words of what it quotes."""
    first, _, rest = message.partition("\n")
    description = first[:_WIDEST]
    if not rest:
        return description
    lines = rest.splitlines()
    last = lines[-1]
    words = last.lstrip(" |")
    ending = words[-_WIDEST:]
    return f"{description}: {ending}"


class Patience:
    """Waits in ever longer pauses, or as long as it is asked to, for ``seconds`` altogether.

    They begin with the first trouble. The first pause is of ``pause`` seconds, or up to twice as
    long. ``echo`` is given a line for each pause: what is waited for, and how long.
    """

    def __init__(
        self,
        seconds: float,
        wait: Callable[[float], None],
        *,
        pause: float = 1.0,
        echo: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._wait = wait
        self._echo = echo
        self._seconds = seconds
        self._end: float | None = None
        self._pause = pause

    def allows(self, asked: float = 0.0) -> bool:
        """Tell whether the next pause, of ``asked`` seconds if any, would end before the limit."""
        now = time.monotonic()
        if self._end is None:
            self._end = now + self._seconds
        return now + (asked or self._pause) <= self._end

    def wait(self, asked: float = 0.0, *, trouble: str = "") -> None:
        """Wait for a random time, so that runs which failed together do not come back together.

        ``trouble`` says what for; without it whoever waits has said so.
        """
        pause = self._choose_pause(asked)
        if trouble:
            reason = describe_trouble(trouble)
            self._echo(f"{reason}; again in {pause:.0f} s")
        self._wait(pause)

    def _choose_pause(self, asked: float) -> float:
        if asked > 0:
            spread = random.random()
            return asked + spread
        pause = self._pause * random.uniform(1, 2)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        return min(pause, _LONGEST_PAUSE)
