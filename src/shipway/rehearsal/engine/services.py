"""Start, find and end processes that go on after the task that started them."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from shipway.effects.engine_record import Service, start_time
from shipway.errors import ToolMissing
from shipway.rehearsal import background
from shipway.rehearsal.waiting import wait_until


def start_service(
    name: str, argv: Sequence[str], environment: Mapping[str, str], log: Path
) -> Service:
    """Start a service in a session of its own, with its output in ``log``."""
    process = background.start(argv, environment, log, own_session=True)
    started = start_time(process.pid) or 0
    return Service(name, process.pid, started)


def find_services(
    commands: Mapping[str, Sequence[str]], proc: Path = Path("/proc")
) -> list[Service]:
    """Find the services that run with exactly one of these command lines, which are by name.

    A task that was killed right after it started a service had no time to write it down. The
    command lines name files in the engine's own folder, so that nothing else looks like them.
    """
    names = {_render_line(argv): name for name, argv in commands.items()}
    services = []
    for file in sorted(proc.glob("[0-9]*/cmdline")):
        line = _read_line(file)
        if line not in names:
            continue
        pid = int(file.parent.name)
        started = start_time(pid, proc) or 0
        service = Service(names[line], pid, started)
        services.append(service)
    return services


def _render_line(argv: Sequence[str]) -> str:
    """Write a command line as ``/proc/PID/cmdline`` does: a NUL ends each word (``proc(5)``)."""
    words = [f"{word}\0" for word in argv]
    return "".join(words)


def _read_line(file: Path) -> str:
    """Read the command line of a process; empty where it has ended meanwhile."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def wait_for_service(
    service: Service, answers: Callable[[], bool], log: Path, *, patience: float = 60.0
) -> None:
    """Wait until a service answers.

    Raises ``ToolMissing`` with the end of its log when it ends, or takes longer than ``patience``
    seconds.
    """

    def answers_while_it_lives() -> bool:
        if not service.lives():
            raise _no_answer(service, "ended", log)
        return answers()

    if not wait_until(answers_while_it_lives, patience=patience):
        raise _no_answer(service, "does not answer", log)


def _no_answer(service: Service, verb: str, log: Path) -> ToolMissing:
    return ToolMissing(
        f"{service.name} {verb}:\n{background.read_ending(log)}",
        hint=f"read {log}, then run `task engine:stop` and `task engine` again",
    )


def end_service(service: Service, *, patience: float = 20.0) -> bool:
    """End a service, and kill it after ``patience`` seconds; say whether it was still there."""
    # No service is ever started on Windows, which has no SIGKILL.
    if sys.platform == "win32" or not service.lives():
        return False

    def has_ended() -> bool:
        # What this process started stays in the process table until it is waited for.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(service.pid, os.WNOHANG)
        return not service.lives()

    for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(service.pid, number)
        if wait_until(has_ended, patience=seconds):
            break
    return True
