"""Decides when a fault strikes, and whom."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.faults.points import Moment

TIMES = {"503": 2, "429": 1, "401": 1000}
"""How many requests a fault strikes; one, where not said."""
_QUESTIONS = 12
"""How many it strikes of a finished release: more than a program asks again by itself."""
_AFTER = ("lost", "kill-after")


@dataclass(slots=True)
class Director:
    """The fault that is armed, and everything that passed. Requests come from many threads."""

    journal: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    """Identity tokens that were handed out: secrets, all of them."""
    struck: int = 0
    released: threading.Event = field(default_factory=threading.Event)
    """Ends what hangs."""
    victim: int = 0
    """The process group of the run that is disturbed."""
    acts: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    """What somebody else does, to its end: `second` releases, and the acts of moments."""
    _fault: str = ""
    _moment: Moment | None = None
    _left: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arm(self, fault: str, moment: Moment) -> None:
        """Let ``fault`` strike at ``moment``."""
        self.released.clear()
        self._fault, self._moment, self.struck = fault, moment, 0
        self._left = max(TIMES.get(fault, 1), _QUESTIONS if moment.again and fault != "hang" else 1)

    def disarm(self) -> None:
        """Nothing strikes any more, and nothing hangs."""
        self._moment = None
        self.released.set()

    def before(self, line: str) -> str:
        """What to do with a request that came in: a fault, or nothing."""
        self.journal.append(line)
        return self._strike(line, after=False)

    def after(self, line: str) -> str:
        """What to do with a request that was carried out and not answered yet."""
        return self._strike(line, after=True)

    def _strike(self, line: str, *, after: bool) -> str:
        with self._lock:
            if (
                not (self._moment and self._left and self._moment.fits(line))
                or (self._fault in _AFTER) != after
            ):
                return ""
            self._left -= 1
            self.struck += 1
            act = self._moment.act
        if self._fault.startswith("kill"):
            kill_group(self.victim)
        if self._fault in ("second", "other"):
            self.acts[act or "second"]()
            return ""
        return self._fault


def kill_group(leader: int) -> None:
    """Kill what is left of a group of processes: of a run, which is a session of its own."""
    if sys.platform == "win32":
        raise OSError("Windows has no groups of processes: the fault matrix needs Linux")
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
