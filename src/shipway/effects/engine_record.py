"""This record remembers the engine that ``shipway engine`` set up, and whether it still runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import msgspec

_Text = Annotated[str, msgspec.Meta(pattern=r"\A[^\0]*\Z")]
"""Admits text that an environment can hold (``environ(7)``)."""
_Variable = Annotated[str, msgspec.Meta(pattern=r"\A[^\0=]+\Z")]
"""Admits the name of a variable of an environment."""
_ProcessId = Annotated[int, msgspec.Meta(ge=1, lt=2**31)]
_Ticks = Annotated[int, msgspec.Meta(ge=0)]


@dataclass(frozen=True, slots=True)
class Service:
    """Names a process that was started; ``started`` is its start time in clock ticks since boot.

    A process id comes round again; the pair of both does not, so that nothing else is ever taken
    for the service, or ended. Source: ``proc(5)``, field 22 of ``/proc/PID/stat``.
    """

    name: str
    pid: _ProcessId
    started: _Ticks

    def lives(self, proc: Path = Path("/proc")) -> bool:
        """Say whether exactly this process still runs."""
        start = start_time(self.pid, proc)
        return start is not None and start == self.started


def start_time(pid: int, proc: Path = Path("/proc")) -> int | None:
    """Read a process's start time in clock ticks since boot; ``None`` when it has ended."""
    try:
        # A process names itself, in any bytes.
        file = proc / str(pid) / "stat"
        status = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name in parentheses may itself hold spaces and parentheses.
    _, _, rest = status.rpartition(")")
    fields = rest.split()
    has_ended = fields[0] == "Z"
    if has_ended:
        return None
    return int(fields[19])


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Holds what `engine.json` says: how later tasks reach the engine, and what they must end."""

    suite: str
    path: tuple[_Text, ...]
    env: Mapping[_Variable, _Text]
    processes: tuple[Service, ...]
    ready: bool = True
    """Says whether all its work was done; a task that was killed leaves ``False``."""

    @property
    def lives(self) -> bool:
        """Say whether any of its services still runs."""
        return any(service.lives() for service in self.processes)

    @property
    def is_whole(self) -> bool:
        """Say whether all of its services run, and no work is left."""
        if not self.ready:
            return False
        return all(service.lives() for service in self.processes)

    def write(self, file: Path) -> None:
        """Write the whole record or leave the file as it was."""
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".new")
        content = msgspec.json.encode(asdict(self))
        document = msgspec.json.format(content, indent=2)
        draft.write_bytes(document + b"\n")
        draft.replace(file)


def read_record(file: Path) -> Record | None:
    """Read a record; ``None`` where no file is, or one that does not hold a whole record."""
    try:
        content = file.read_bytes()
        return msgspec.json.decode(content, type=Record)
    except (OSError, ValueError, RecursionError, msgspec.MsgspecError):
        return None
