"""When a rehearsal is gone, nothing of it stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shipway.rehearsal import leash

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform != "linux", reason="a leash finds its processes in /proc"),
]

HOLDER = """
import os, subprocess, sys, time
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from shipway.rehearsal import leash
with leash.hold(Path(sys.argv[1])) as mark:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], env={**os.environ, **mark},
                             start_new_session=True)
    print(child.pid, flush=True)
    time.sleep(60)
"""
SOURCE = str(Path(leash.__file__).parents[2])


def soon(holds: Callable[[], bool]) -> bool:
    """Whether it holds within five seconds."""
    until = time.monotonic() + 5
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
    return holds()


def gone(pid: int) -> bool:
    """Whether a process has ended; its remains count as ended."""
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
            == "Z"
        )
    except OSError:
        return True


@pytest.mark.parametrize("number", [leash.KILL, signal.SIGTERM])
def test_a_rehearsal_that_is_killed_leaves_no_process_and_no_folder(
    tmp_path: Path, number: signal.Signals
) -> None:
    folder = tmp_path / "rehearsal"
    folder.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder), SOURCE], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        child = int(holder.stdout.readline())
        assert not gone(child)
        holder.send_signal(number)
    assert soon(lambda: gone(child)) and soon(lambda: not folder.exists())


def test_the_end_of_the_block_ends_everything(tmp_path: Path) -> None:
    folder = tmp_path / "rehearsal"
    folder.mkdir()
    with leash.hold(folder) as mark:
        child = subprocess.Popen(["sleep", "60"], env={**os.environ, **mark})
    child.wait(timeout=5)
    assert not folder.exists()


def test_nothing_without_the_mark_is_touched(tmp_path: Path) -> None:
    with subprocess.Popen(
        ["sleep", "60"], env={leash.LEASH_VARIABLE: "/another", "PATH": os.environ["PATH"]}
    ) as other:
        leash.sweep(str(tmp_path / "rehearsal"))
        assert other.poll() is None
        other.kill()


def test_a_process_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "rehearsal"
    folder.mkdir()
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, leash.LEASH_VARIABLE: str(folder)},
        stdout=subprocess.PIPE,
        text=True,
    ) as deaf:
        assert deaf.stdout is not None and deaf.stdout.readline()
        leash.sweep(str(folder), patience=0.05)
        assert deaf.wait(timeout=5) == -leash.KILL


def test_kept_remotes_stay_until_their_folder_is_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "rehearsal"
    folder.mkdir()
    with leash.hold(folder, keep=True) as mark:
        child = subprocess.Popen(["sleep", "60"], env={**os.environ, **mark})
    assert child.poll() is None and folder.exists()
    folder.rmdir()
    assert child.wait(timeout=5) == -signal.SIGTERM


def test_the_guard_sweeps_at_the_end_of_its_pipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept: list[str] = []
    monkeypatch.setattr(leash, "sweep", swept.append)
    for text in (b"", b"keep\n"):
        reading, writing = os.pipe()
        os.write(writing, text)
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8") as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            leash.guard(str(tmp_path / "not there"))
    assert len(swept) == 2
