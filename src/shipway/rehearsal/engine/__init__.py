"""A real Docker Engine and cosign on a bare Debian machine, in a folder of its own.

`sources` reads where Debian's packages come from, `packages` fetches them, `daemon` starts the engine, `services` keeps
track of what runs, `bases` makes the two images that a build needs where Docker Hub is out of reach, and `mirror`
serves them. Nothing of the system is installed, upgraded or configured.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from shipway.effects.engine_record import Record, Service, read_record
from shipway.effects.environment import cache_folder, equip
from shipway.effects.processes import Processes, Runner
from shipway.errors import ContextError, SettingsError, ToolMissing
from shipway.model.actions import Command, Effect
from shipway.rehearsal.engine.daemon import (
    SUITES,
    Home,
    answers,
    fetch_tools,
    other_engine_runs,
    remove_bridge,
    start_engine,
)
from shipway.rehearsal.engine.debs import is_root
from shipway.rehearsal.engine.mirror import fill_mirror, hub_answers, start_mirror
from shipway.rehearsal.engine.services import end, find
from shipway.rehearsal.engine.sources import machine_source, what_to_install
from shipway.rehearsal.ports import free_port

Progress = Callable[[str], None]
_DONE = "Docker with buildx and cosign are there: nothing to do"


def ensure(
    environment: Mapping[str, str],
    progress: Progress,
    *,
    suite: str = "trixie",
    root: Path = Path("/"),
) -> str:
    """Make sure that an engine with buildx, and cosign, are there. Gives one sentence about what was done.

    What an earlier task left unfinished is finished, what has ended is started again. An engine from another suite
    goes on running beside the new one, which later tasks use. Raises ``ToolMissing`` where Docker or cosign are not
    there and cannot be set up, with what to install.
    """
    base = cache_folder(environment) / "engine"
    if _serves(environment, base, suite):
        return _DONE
    if suite not in SUITES:
        raise SettingsError(f"no engine from {suite!r}", hint=f"the suites are {', '.join(SUITES)}")
    _refuse(environment, root)
    machine_source(root, suite)
    with _alone(base, progress):
        if _serves(environment, base, suite):
            return "the engine was started by another task: nothing to do"
        _start(Home(base / suite), suite, environment, progress, root)
    return f"the engine from Debian {suite} is running"


def preview(
    environment: Mapping[str, str], *, suite: str = "trixie", root: Path = Path("/")
) -> str:
    """What ``ensure`` would do, in one sentence; raises where it would."""
    base = cache_folder(environment) / "engine"
    if _serves(environment, base, suite):
        return _DONE
    _refuse(environment, root)
    return f"would unpack tools from Debian {suite} below {base} and start an engine"


def stop(environment: Mapping[str, str], progress: Progress, *, purge: bool = False) -> list[str]:
    """End what ``ensure`` started, and nothing else; the names of what was ended."""
    base = cache_folder(environment) / "engine"
    with _alone(base, progress):
        ended = [name for suite in SUITES for name in _end_all(Home(base / suite), suite, progress)]
        if purge:
            shutil.rmtree(base, ignore_errors=True)
    return ended


def _serves(environment: Mapping[str, str], base: Path, suite: str) -> bool:
    """Whether all is there: an engine of the user's, or one of our own from this suite with all that belongs to it."""
    record = read_record(base / "engine.json")
    if record and record.lives and not environment.get("DOCKER_HOST"):
        if record.suite != suite or not record.is_whole:
            return False
    return answers(equip(environment))


def _refuse(environment: Mapping[str, str], root: Path) -> None:
    """Raise where an engine of our own would be of no use, do harm, or not start."""
    if environment.get("DOCKER_HOST"):
        raise ToolMissing(
            "the engine that DOCKER_HOST names does not answer, or buildx or cosign is not here",
            hint="mend it or install them, or unset DOCKER_HOST for an engine of shipway's own",
        )
    if sys.platform != "linux":
        raise ToolMissing(
            "Docker with buildx, or cosign, is not here, and shipway starts an engine of its own on "
            "Linux only",
            hint=what_to_install(root, sys.platform),
        )
    if other_engine_runs(root):
        raise ToolMissing(
            "Docker runs here, but buildx or cosign is not here; a second engine beside it would close "
            "the ports that its containers publish",
            hint=what_to_install(root),
        )
    if not is_root():
        raise ToolMissing(
            "Docker with buildx, or cosign, is not here, and only root can start an engine",
            hint=what_to_install(root),
        )


def _start(
    home: Home, suite: str, environment: Mapping[str, str], progress: Progress, root: Path
) -> None:
    known = read_record(home.record)
    if known and known.is_whole and answers({**equip(environment), **home.client}):
        known.write(home.folder.parent / "engine.json")
        return
    _end_all(home, suite, progress)
    progress(f"engine: tools from Debian {suite}, in {home.folder}")
    fetch_tools(home, suite, Processes(environment), root)
    port = 0 if hub_answers(environment) else free_port()
    services: tuple[Service, ...] = (start_mirror(home, port, environment),) if port else ()
    _remember(home, suite, services, ready=False)
    services = (start_engine(home, port, environment), *services)
    _remember(home, suite, services, ready=False)
    if port:
        fill_mirror(home, port, Processes(equip(environment), patience=600), progress, root)
    _remember(home, suite, services, ready=True)


def _remember(home: Home, suite: str, services: tuple[Service, ...], *, ready: bool) -> None:
    record = Record(suite=suite, path=home.path, env=home.client, processes=services, ready=ready)
    for file in (home.record, home.folder.parent / "engine.json"):
        record.write(file)


def _end_all(home: Home, suite: str, progress: Progress) -> list[str]:
    current = home.folder.parent / "engine.json"
    records = {
        file: record
        for file in (home.record, current)
        if (record := read_record(file)) and record.suite == suite
    }
    known = [service for record in records.values() for service in record.processes]
    ended = [service.name for service in (*known, *find(home.commands)) if end(service)]
    for name in ended:
        progress(f"ended {name}")
    runner = Processes(
        {"PATH": ":".join([*home.path, "/usr/sbin:/usr/bin:/sbin:/bin"]), **home.libraries}
    )
    if ended:
        remove_bridge(home, runner)
    _unmount(home.folder, runner)
    for file in records:
        file.unlink(missing_ok=True)
    return ended


def _unmount(base: Path, runner: Runner, mounts: Path = Path("/proc/mounts")) -> None:
    """Take away what an engine that was killed left mounted below its folder, the innermost first."""
    if not mounts.exists():
        return
    places = [place for place in _read_mounts(mounts) if place.startswith(f"{base}/")]
    for place in sorted(places, key=len, reverse=True):
        runner(
            Command(
                name="engine",
                why=f"unmount {place}",
                argv=("umount", "--lazy", place),
                effect=Effect.LOCAL,
                expected=(0, 1, 32),
            )
        )


def _read_mounts(mounts: Path) -> list[str]:
    """Read the places where something is mounted, from a file like `/proc/mounts`.

    The kernel writes a blank, tab, newline or backslash of a path as three octal digits, such as
    ``\\040``, and every other byte as it is. Source: ``proc(5)``, ``fstab(5)``.
    """
    lines = os.fsdecode(mounts.read_bytes()).split("\n")
    places = [line.split(" ")[1] for line in lines if line]
    return [re.sub(r"\\([0-7]{3})", _decode_octal, place) for place in places]


def _decode_octal(digits: re.Match[str]) -> str:
    return chr(int(digits[1], 8))


@contextmanager
def _alone(base: Path, progress: Progress) -> Iterator[None]:
    """One task at a time sets an engine up or ends it."""
    if sys.platform == "win32":
        raise ContextError(
            "shipway starts no engine of its own on Windows, so there is none to end",
            hint="end Docker Desktop by its own menu",
        )
    import fcntl

    base.mkdir(parents=True, exist_ok=True)
    with (base.parent / "engine.lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("engine: another task sets it up or ends it; waiting for that")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
