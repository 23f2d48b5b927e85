"""Waits for troubles to pass, for a limited time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

_LONGEST_PAUSE = 60.0
"""Says how many seconds a pause lasts at most, whatever chance adds, where nobody asked for it."""


class Patience:
    """Waits in ever longer pauses, or as long as it is asked to, for ``seconds`` altogether.

    They begin with the first trouble. The first pause is of ``pause`` seconds, or up to twice as
    long.
    """

    def __init__(
        self, seconds: float, wait: Callable[[float], None], *, pause: float = 1.0
    ) -> None:
        self._wait = wait
        self._seconds = seconds
        self._end: float | None = None
        self._pause = pause

    def allows(self, asked: float = 0.0) -> bool:
        """Tell whether the next pause, of ``asked`` seconds if any, would end before the limit."""
        now = time.monotonic()
        if self._end is None:
            self._end = now + self._seconds
        return now + (asked or self._pause) <= self._end

    def wait(self, asked: float = 0.0) -> None:
        """Wait for a random time, so that runs which failed together do not come back together."""
        if asked > 0:
            spread = random.random()
            self._wait(asked + spread)
            return
        pause = self._pause * random.uniform(1, 2)
        self._wait(min(pause, _LONGEST_PAUSE))
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
