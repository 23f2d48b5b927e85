"""Start, find and end processes that go on after the task that started them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from shipway.effects.engine_record import Service, start_time
from shipway.errors import ToolMissing


def start(name: str, argv: Sequence[str], environment: Mapping[str, str], log: Path) -> Service:
    """Start a service in a session of its own, with its output in ``log``."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            argv,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return Service(name, process.pid, start_time(process.pid) or 0)


def find(commands: Mapping[str, Sequence[str]], proc: Path = Path("/proc")) -> list[Service]:
    """Services that run with exactly one of these command lines, by name.

    A task that was killed right after it started a service had no time to write it down. The command lines name files
    in the engine's own folder, so that nothing else looks like them.
    """
    names = {"".join(f"{word}\0" for word in argv): name for name, argv in commands.items()}
    found = []
    for file in sorted(proc.glob("[0-9]*/cmdline")):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            line, pid = file.read_text(encoding="utf-8", errors="replace"), int(file.parent.name)
            if line in names:
                found.append(Service(names[line], pid, start_time(pid, proc) or 0))
    return found


def wait_for(
    service: Service, answers: Callable[[], bool], log: Path, *, patience: float = 60.0
) -> None:
    """Wait until a service answers; raises ``ToolMissing`` with the end of its log when it ends or takes too long."""
    end = time.monotonic() + patience
    while service.lives() and time.monotonic() < end:
        if answers():
            return
        time.sleep(0.02)
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:]
    said = "\n".join(f"  | {line[:200]}" for line in lines)
    raise ToolMissing(
        f"{service.name} {'does not answer' if service.lives() else 'ended'}:\n{said}",
        hint=f"read {log}, then run `task engine:stop` and `task engine` again",
    )


def end(service: Service, *, patience: float = 20.0) -> bool:
    """End a service; whether there was anything to end."""
    # No service is ever started on Windows, which has no SIGKILL.
    if sys.platform == "win32" or not service.lives():
        return False
    for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(service.pid, number)
        until = time.monotonic() + seconds
        while service.lives() and time.monotonic() < until:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(service.pid, os.WNOHANG)
            time.sleep(0.02)
        if not service.lives():
            break
    return True
