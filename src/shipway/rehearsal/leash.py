"""Guard a rehearsal: when the rehearsal is gone, however it went, nothing of it stays.

A small process in a session of its own holds the reading end of a pipe whose writing end only the
rehearsal has. At the end of the pipe it ends every process that carries the rehearsal's mark in its
environment, and deletes its folder. It imports the standard library alone, to be up at once.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LEASH_VARIABLE = "SHIPWAY_REHEARSAL"
_KEEP = b"keep\n"
LONGEST = 3600.0
"""Seconds that remotes which were kept stay up."""
if sys.platform == "win32":
    KILL = signal.SIGTERM  # no process can refuse it there
else:
    KILL = signal.SIGKILL


@contextmanager
def hold(folder: Path, *, keep: bool = False) -> Iterator[dict[str, str]]:
    """Hold a leash on ``folder``; gives the variable that every process of the rehearsal carries.

    With ``keep`` everything is left as it is when the block ends well: until its folder is deleted,
    an hour at most.
    """
    guardian = subprocess.Popen(
        (sys.executable, "-I", __file__, str(folder)),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert guardian.stdin is not None  # a pipe was asked for
    try:
        yield {LEASH_VARIABLE: str(folder)}
        if keep:
            guardian.stdin.write(_KEEP)
            return
    finally:
        guardian.stdin.close()
    guardian.wait()


def marked(mark: str, proc: Path = Path("/proc")) -> list[int]:
    """List the processes that were started with the mark in their environment, but not this one."""
    line = mark.encode()
    pids = []
    for entry in proc.iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):  # it has ended meanwhile
            environment = (entry / "environ").read_bytes()
            if line in environment.split(b"\0"):
                pids.append(int(entry.name))
    return pids


def sweep(folder: str, *, patience: float = 3.0) -> None:
    """End what is marked and delete the folder; again while something new shows up.

    After ``patience`` seconds what still runs is killed.
    """
    mark = f"{LEASH_VARIABLE}={folder}"
    last_call = time.monotonic() + patience
    # The loop is written out: this process imports nothing that would make it slow to start.
    while time.monotonic() < last_call + 7:
        pids = marked(mark)
        if not pids:
            break
        is_late = time.monotonic() >= last_call
        _signal(pids, KILL if is_late else signal.SIGTERM)
        time.sleep(0.02)
    shutil.rmtree(folder, ignore_errors=True)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def guard(folder: str) -> None:
    """Wait for the end of the pipe, then sweep."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.stdin.buffer.read() == _KEEP:
        end = time.monotonic() + LONGEST
        while Path(folder).exists() and time.monotonic() < end:
            time.sleep(0.5)
    sweep(folder)


if __name__ == "__main__":
    guard(sys.argv[1])
