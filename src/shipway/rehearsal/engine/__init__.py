"""Set up a real Docker Engine and cosign on a bare Debian machine, in a folder of its own.

`sources` reads where Debian's packages come from, `debs` fetches them, `home` lays out the folder,
`tools` fills it, `daemon` starts the engine, `services` starts and ends what runs, `bases` makes
the two images that a build needs where Docker Hub is out of reach, `mirror` serves them, and
`mounts` takes away what a killed engine left. Nothing of the system is installed, upgraded or
configured.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from shipway.effects.engine_record import Record, Service, read_record
from shipway.effects.environment import current_record, equip
from shipway.effects.processes import Processes
from shipway.errors import ContextError, SettingsError, ToolMissing
from shipway.rehearsal.engine.daemon import (
    answers,
    is_root,
    other_engine_runs,
    remove_bridge,
    start_engine,
)
from shipway.rehearsal.engine.home import Home
from shipway.rehearsal.engine.mirror import fill_mirror, hub_answers, start_mirror
from shipway.rehearsal.engine.mounts import unmount_below
from shipway.rehearsal.engine.services import end_service, find_services
from shipway.rehearsal.engine.sources import machine_source, what_to_install
from shipway.rehearsal.engine.tools import SUITES, fetch_tools
from shipway.rehearsal.ports import free_port

_Progress = Callable[[str], None]
_DONE = "Docker with buildx and cosign are there: nothing to do"


def ensure_engine(
    progress: _Progress,
    *,
    suite: str = "trixie",
    environment: Mapping[str, str] | None = None,
    root: Path = Path("/"),
) -> str:
    """Make sure that an engine with buildx, and cosign, are there; gives a sentence on what it did.

    What an earlier task left unfinished is finished, what has ended is started again. An engine
    from another suite goes on running beside the new one, which later tasks use. ``environment`` is
    this process's own where none is named. Raises ``ToolMissing`` where Docker or cosign are not
    there and cannot be set up, with what to install.
    """
    environment = _own(environment)
    base = _base_folder(environment)
    if _serves(environment, suite):
        return _DONE
    _require_startable(environment, suite, root)
    with _alone(base, progress):
        if _serves(environment, suite):
            return "the engine was started by another task: nothing to do"
        _start(
            Home(base / suite),
            suite,
            environment,
            progress,
            root,
        )
    return f"the engine from Debian {suite} is running"


def preview_engine(
    *,
    suite: str = "trixie",
    environment: Mapping[str, str] | None = None,
    root: Path = Path("/"),
) -> str:
    """Say in a sentence what ``ensure_engine`` would do; raises where it would."""
    environment = _own(environment)
    base = _base_folder(environment)
    if _serves(environment, suite):
        return _DONE
    _require_startable(environment, suite, root)
    return f"would unpack tools from Debian {suite} below {base} and start an engine"


def stop_engine(
    progress: _Progress, *, purge: bool = False, environment: Mapping[str, str] | None = None
) -> list[str]:
    """End what ``ensure_engine`` started, and nothing else; gives the names of what was ended.

    With ``purge`` its folder is deleted.
    """
    environment = _own(environment)
    base = _base_folder(environment)
    ended: list[str] = []
    with _alone(base, progress):
        for suite in SUITES:
            ended += _end_all(Home(base / suite), suite, environment, progress)
        if purge:
            shutil.rmtree(base, ignore_errors=True)
    return ended


def preview_stop(environment: Mapping[str, str] | None = None) -> list[str]:
    """Name the services that ``stop_engine`` would end."""
    environment = _own(environment)
    base = _base_folder(environment)
    names: list[str] = []
    for suite in SUITES:
        home = Home(base / suite)
        records = _read_records(home, suite, environment)
        services = _find_all(home, records.values())
        names += [service.name for service in services if service.lives()]
    return names


def _own(environment: Mapping[str, str] | None) -> Mapping[str, str]:
    return os.environ if environment is None else environment


def _base_folder(environment: Mapping[str, str]) -> Path:
    """Name the folder that every engine has a folder in, beside the record of the one in use."""
    return current_record(environment).parent


def _serves(environment: Mapping[str, str], suite: str) -> bool:
    """Say whether an engine of the user's answers, or a whole one of our own from this suite."""
    record = read_record(current_record(environment))
    if record and record.lives and not environment.get("DOCKER_HOST"):
        if record.suite != suite or not record.is_whole:
            return False
    return answers(equip(environment))


def _require_startable(environment: Mapping[str, str], suite: str, root: Path) -> None:
    """Raise where an engine of our own from ``suite`` would be of no use, do harm, or not start."""
    if suite not in SUITES:
        suites = ", ".join(SUITES)
        raise SettingsError(
            f"no engine from {suite!r}",
            hint=f"set --suite to one of {suites}",
        )
    if environment.get("DOCKER_HOST"):
        raise ToolMissing(
            "the engine that DOCKER_HOST names does not answer, or buildx or cosign is not here",
            hint="fix it or install them, or unset DOCKER_HOST for an engine of shipway's own",
        )
    if sys.platform != "linux":
        raise ToolMissing(
            "Docker with buildx, or cosign, is not here, and shipway starts an engine of its own "
            "on Linux only",
            hint=what_to_install(root, sys.platform),
        )
    if other_engine_runs(root):
        raise ToolMissing(
            "Docker runs here, but buildx or cosign is not here; a second engine beside it would "
            "close the ports that its containers publish",
            hint=what_to_install(root),
        )
    if not is_root():
        raise ToolMissing(
            "Docker with buildx, or cosign, is not here, and only root can start an engine",
            hint=what_to_install(root),
        )
    machine_source(root, suite)


def _start(
    home: Home, suite: str, environment: Mapping[str, str], progress: _Progress, root: Path
) -> None:
    if _is_up(home, environment):
        return
    _end_all(home, suite, environment, progress)
    progress(f"engine: tools from Debian {suite}, in {home.folder}")
    fetch_tools(home, suite, Processes(environment), root)
    port = 0 if hub_answers(environment) else free_port()
    services: tuple[Service, ...] = ()
    if port:
        services = (start_mirror(home, port, environment),)
    _remember(home, suite, services, environment, ready=False)
    services = (start_engine(home, port, environment), *services)
    _remember(home, suite, services, environment, ready=False)
    if port:
        runner = Processes(equip(environment), patience=600)
        fill_mirror(
            home,
            port,
            runner,
            progress,
            root,
        )
    _remember(home, suite, services, environment, ready=True)


def _is_up(home: Home, environment: Mapping[str, str]) -> bool:
    """Say whether this engine runs as a whole; it is taken back into use where it does."""
    record = read_record(home.record)
    if record is None or not record.is_whole:
        return False
    if not answers({**equip(environment), **home.client}):
        return False
    record.write(current_record(environment))
    return True


def _remember(
    home: Home,
    suite: str,
    services: tuple[Service, ...],
    environment: Mapping[str, str],
    *,
    ready: bool,
) -> None:
    record = Record(
        suite=suite,
        path=home.path,
        env=home.client,
        processes=services,
        ready=ready,
    )
    for file in (home.record, current_record(environment)):
        record.write(file)


def _end_all(
    home: Home, suite: str, environment: Mapping[str, str], progress: _Progress
) -> list[str]:
    """End every service of one engine, take away what it left, and give the names of the ended."""
    records = _read_records(home, suite, environment)
    services = _find_all(home, records.values())
    ended = [service.name for service in services if end_service(service)]
    for name in ended:
        progress(f"ended {name}")
    path = ":".join([*home.path, "/usr/sbin:/usr/bin:/sbin:/bin"])
    runner = Processes({"PATH": path, **home.libraries})
    if ended:
        remove_bridge(home, runner)
    unmount_below(home.folder, runner)
    for file in records:
        file.unlink(missing_ok=True)
    return ended


def _find_all(home: Home, records: Iterable[Record]) -> list[Service]:
    """Find the services of one engine, each once: those of its records, and those that only run."""
    services: list[Service] = []
    for record in records:
        services += record.processes
    services += find_services(home.commands)
    return list(dict.fromkeys(services))


def _read_records(home: Home, suite: str, environment: Mapping[str, str]) -> dict[Path, Record]:
    """Read the records of one engine, by their files: its own, and the one in use where it is."""
    records: dict[Path, Record] = {}
    for file in (home.record, current_record(environment)):
        record = read_record(file)
        if record and record.suite == suite:
            records[file] = record
    return records


@contextmanager
def _alone(base: Path, progress: _Progress) -> Iterator[None]:
    """Let one task at a time set an engine up or end it; raises ``ContextError`` on Windows."""
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
