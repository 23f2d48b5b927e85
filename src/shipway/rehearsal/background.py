"""Start processes that go on in the background, and read the end of what they write."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def start(
    argv: Sequence[str], environment: Mapping[str, str], log: Path, *, own_session: bool = False
) -> subprocess.Popen[bytes]:
    """Start a process that reads nothing and appends its output to ``log``.

    With ``own_session`` no signal of this process's terminal reaches it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            argv,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=own_session,
        )


def read_ending(log: Path) -> str:
    """Quote the last eight lines of a log, each cut to 200 characters; empty where no log is."""
    if not log.exists():
        return ""
    text = log.read_text(encoding="utf-8", errors="replace")
    lines = [f"  | {line[:200]}" for line in text.splitlines()]
    return "\n".join(lines[-8:])
