"""A real Docker Engine and cosign on a bare Debian or Ubuntu machine, in a folder of its own.

`packages` fetches the tools, `daemon` starts and ends what runs, `bases` makes the two images that a build needs where
Docker Hub is out of reach, and `mirror` serves them. Nothing of the system is installed, upgraded or configured.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from shipway.errors import SettingsError, ToolMissing
from shipway.model import Command, Effect
from shipway.rehearsal.engine.daemon import BRIDGES, Home, answers, fetch_tools, free_port
from shipway.rehearsal.engine.daemon import remove_bridge, start_engine
from shipway.rehearsal.engine.mirror import fill_mirror, hub_answers, start_mirror
from shipway.rehearsal.engine.packages import is_root, machine_source
from shipway.rehearsal.engine.services import Record, end, read_record
from shipway.run.processes import Processes, Runner
from shipway.run.tools import cache_folder, equip

Say = Callable[[str], None]
INSTALL = ("install Docker Engine with buildx (docs.docker.com/engine/install) and cosign "
           "(docs.sigstore.dev/cosign/system_config/installation)")


def ensure(environment: Mapping[str, str], say: Say, *, suite: str = "trixie", root: Path = Path("/")) -> str:
    """Make sure that an engine with buildx, and cosign, are there. Gives one sentence about what was done.

    Raises ``ToolMissing`` where they are not there and cannot be set up, with what to install.
    """
    if answers(equip(environment)):
        return "Docker with buildx and cosign are there: nothing to do"
    if suite not in BRIDGES:
        raise SettingsError(f"no engine from {suite!r}", hint=f"the suites are {', '.join(BRIDGES)}")
    if not is_root():
        raise ToolMissing("Docker with buildx, or cosign, is not here, and only root can start an engine",
                          hint=f"{INSTALL}; or run `task engine` as root on Debian")
    machine_source(root, suite)
    base = cache_folder(environment) / "engine"
    with _alone(base):
        if answers(equip(environment)):
            return "the engine was started by another task: nothing to do"
        _end_all(base, say)
        home = Home(base / suite)
        say(f"engine: tools from Debian {suite}, in {home.folder}")
        fetch_tools(home, suite, Processes(environment), root)
        port = free_port()
        mirror = start_mirror(home, port, environment)
        record = Record(suite=suite, path=home.path, env=home.client, processes=(mirror,))
        record.write(base / "engine.json")
        docker = start_engine(home, suite, port, environment)
        record = Record(suite=suite, path=home.path, env=home.client, processes=(docker, mirror))
        record.write(base / "engine.json")
        runner = Processes(equip(environment), patience=600)
        if not hub_answers(runner):
            fill_mirror(home, port, runner, say)
    return f"the engine from Debian {suite} is running"


def foresee(environment: Mapping[str, str], *, suite: str = "trixie") -> str:
    """What ``ensure`` would do, in one sentence."""
    if answers(equip(environment)):
        return "Docker with buildx and cosign are there: nothing to do"
    return f"would unpack tools from Debian {suite} below {cache_folder(environment) / 'engine'} and start an engine"


def stop(environment: Mapping[str, str], say: Say, *, purge: bool = False) -> list[str]:
    """End what ``ensure`` started, and nothing else; the names of what was ended."""
    base = cache_folder(environment) / "engine"
    with _alone(base):
        ended = _end_all(base, say)
        if purge:
            shutil.rmtree(base, ignore_errors=True)
    return ended


def _end_all(base: Path, say: Say) -> list[str]:
    record = read_record(base / "engine.json")
    ended = [service.name for service in (record.processes if record else ()) if end(service)]
    for name in ended:
        say(f"ended {name}")
    runner = Processes({"PATH": ":".join([*(record.path if record else ()), "/usr/sbin:/usr/bin:/sbin:/bin"])})
    if record and ended:
        remove_bridge(record.suite, runner)
    _unmount(base, runner)
    (base / "engine.json").unlink(missing_ok=True)
    return ended


def _unmount(base: Path, runner: Runner, mounts: Path = Path("/proc/mounts")) -> None:
    """Take away what an engine that was killed left mounted below its folder, the innermost first."""
    if not mounts.exists():
        return
    places = [line.split()[1] for line in mounts.read_text(encoding="utf-8").splitlines()]
    for place in sorted((one for one in places if one.startswith(f"{base}/")), key=len, reverse=True):
        runner(Command(name="engine", why=f"unmount {place}", argv=("umount", "--lazy", place),
                       effect=Effect.LOCAL, expected=(0, 1, 32)))


@contextmanager
def _alone(base: Path) -> Iterator[None]:
    """One task at a time sets an engine up or ends it."""
    base.mkdir(parents=True, exist_ok=True)
    with (base.parent / "engine.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
