"""The guard of a rehearsal: when the rehearsal is gone, however it went, nothing of it stays.

A small process in a session of its own holds the reading end of a pipe whose writing end only the rehearsal has. At
the end of the pipe it ends every process that carries the rehearsal's mark in its environment, and deletes its folder.
It imports nothing of shipway, so that it is up at once.
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

MARK = "SHIPWAY_REHEARSAL"
_KEEP = b"keep\n"
LONGEST = 3600.0
"""Seconds that remotes which were kept stay up."""
if sys.platform == "win32":
    KILL = signal.SIGTERM  # no process can refuse it there
else:
    KILL = signal.SIGKILL


@contextmanager
def hold(folder: Path, *, keep: bool = False) -> Iterator[dict[str, str]]:
    """Hold a leash on ``folder``; gives the variable that every process of the rehearsal has to carry.

    With ``keep`` everything is left as it is when the block ends well: until its folder is deleted, an hour at most.
    """
    guard = subprocess.Popen(
        (sys.executable, "-I", __file__, str(folder)),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert guard.stdin is not None
    try:
        yield {MARK: str(folder)}
        if keep:
            guard.stdin.write(_KEEP)
            return
    finally:
        guard.stdin.close()
    guard.wait()


def marked(mark: str, proc: Path = Path("/proc")) -> list[int]:
    """Processes that carry the mark in the environment they were started with, this one left out."""
    wanted = mark.encode()
    found = []
    for entry in proc.iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


def sweep(folder: str, *, patience: float = 3.0) -> None:
    """End what is marked and delete the folder; again while something new shows up.

    After ``patience`` seconds what still runs is killed.
    """
    begun = time.monotonic()
    while (left := marked(f"{MARK}={folder}")) and time.monotonic() < begun + patience + 7:
        number = signal.SIGTERM if time.monotonic() < begun + patience else KILL
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        time.sleep(0.02)
    shutil.rmtree(folder, ignore_errors=True)


def main(folder: str) -> None:
    """Wait for the end of the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.stdin.buffer.read() == _KEEP:
        until = time.monotonic() + LONGEST
        while Path(folder).exists() and time.monotonic() < until:
            time.sleep(0.5)
    sweep(folder)


if __name__ == "__main__":
    main(sys.argv[1])
