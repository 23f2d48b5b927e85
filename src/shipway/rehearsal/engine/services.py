"""Processes that go on after the task that started them, and the file that remembers them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from shipway.errors import ToolMissing


@dataclass(frozen=True, slots=True)
class Service:
    """A process that was started: ``started`` is its start time in clock ticks since boot (``proc(5)``, field 22).

    A process id comes round again; the pair does not, so that nothing else is ever ended.
    """

    name: str
    pid: int
    started: int

    def lives(self, proc: Path = Path("/proc")) -> bool:
        """Whether exactly this process still runs."""
        return start_time(self.pid, proc) == self.started


def start_time(pid: int, proc: Path = Path("/proc")) -> int:
    """Start time of a process in clock ticks since boot; 0 when there is none, or only its remains."""
    try:
        # The name in parentheses may itself hold spaces and parentheses.
        fields = (proc / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] == "Z" else int(fields[19])


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
    return Service(name, process.pid, start_time(process.pid))


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
                found.append(Service(names[line], pid, start_time(pid, proc)))
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What `engine.json` says: how later tasks reach the engine, and what has to be ended some day."""

    suite: str
    path: tuple[str, ...]
    env: Mapping[str, str]
    processes: tuple[Service, ...]
    ready: bool = True
    """Whether everything was done that belongs to it; a task that was killed leaves ``False``."""

    @property
    def lives(self) -> bool:
        """Whether any of it still runs."""
        return any(service.lives() for service in self.processes)

    @property
    def is_whole(self) -> bool:
        """Whether all of it runs, and nothing is left to be done."""
        return self.ready and all(service.lives() for service in self.processes)

    def write(self, file: Path) -> None:
        """Write it whole or not at all."""
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".new")
        draft.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        draft.replace(file)


def read_record(file: Path) -> Record | None:
    """The record, ``None`` when there is none or none that can be read."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        processes = tuple(
            Service(one["name"], one["pid"], one["started"]) for one in found["processes"]
        )
        return Record(
            suite=found["suite"],
            path=tuple(found["path"]),
            env=found["env"],
            processes=processes,
            ready=found.get("ready", True),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
