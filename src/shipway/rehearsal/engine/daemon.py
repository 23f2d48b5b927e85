"""Start the Docker Engine with settings and a bridge of its own, and ask whether it answers."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from shipway.effects.engine_record import Service
from shipway.effects.processes import Processes, Runner
from shipway.model.actions import Command
from shipway.rehearsal.engine.home import Home, check_length
from shipway.rehearsal.engine.services import start_service, wait_for_service
from shipway.rehearsal.files import write_text
from shipway.tools import buildx, cosign, debian, docker

_PASSED_ON = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "LANG",
)
_ANY_STATUS = tuple(range(256))


def render_settings(home: Home, mirror: int) -> str:
    """Write `daemon.json`: all in folders of its own, and the mirror asked before Docker Hub.

    ``mirror`` is its port, 0 where none runs: stand-ins must not take the place of images that can
    be had.
    """
    mirrors = []
    if mirror:
        mirrors.append(f"http://127.0.0.1:{mirror}")
    settings = {
        "features": {"containerd-snapshotter": True},
        "hosts": [home.client["DOCKER_HOST"]],
        "data-root": str(home.folder / "data"),
        "exec-root": str(home.run / "exec"),
        "pidfile": str(home.run / "docker.pid"),
        "bridge": home.bridge[0],
        "registry-mirrors": mirrors,
    }
    return json.dumps(settings, indent=2)


def start_engine(home: Home, mirror: int, environment: Mapping[str, str]) -> Service:
    """Start the engine and wait until it answers; ``mirror`` is the port of its mirror, or 0.

    Raises ``ContextError`` where its folder has too long a name, ``ToolMissing`` where it does not
    answer.
    """
    check_length(home)
    home.run.mkdir(parents=True, exist_ok=True)
    pid_file = home.run / "docker.pid"
    pid_file.unlink(missing_ok=True)
    settings = render_settings(home, mirror)
    write_text(home.engine_settings, settings)
    own = _own_environment(home, environment)
    make_bridge(home, Processes(own))
    log = home.log("dockerd")
    argv = home.commands["dockerd"]
    service = start_service("dockerd", argv, own, log)
    client = {**environment, **home.client, "PATH": own["PATH"]}
    wait_for_service(service, lambda: answers(client), log)
    return service


def _own_environment(home: Home, environment: Mapping[str, str]) -> dict[str, str]:
    """Make the environment that the engine runs in: a few of the user's variables, and its own."""
    own = {name: environment[name] for name in _PASSED_ON if name in environment}
    path = [*home.path, environment.get("PATH", "")]
    return {
        **own,
        **home.libraries,
        "PATH": ":".join(path),
        "HOME": str(home.folder),
    }


def make_bridge(home: Home, runner: Runner) -> None:
    """Make the network interface that containers of this engine are connected by."""
    name, address = home.bridge
    runner(debian.add_bridge(name))
    runner(debian.assign_address(name, address))
    runner(debian.bring_up(name))


def remove_bridge(home: Home, runner: Runner) -> None:
    """Take the network interface away, where it is there."""
    name, _ = home.bridge
    runner(debian.delete_bridge(name))


def answers(environment: Mapping[str, str]) -> bool:
    """Say whether an engine with buildx answers, and cosign is there."""
    runner = Processes(environment, patience=20)
    questions = (
        docker.ask_engine_version("engine"),
        buildx.ask_version("engine"),
        cosign.ask_cosign_version("engine"),
    )
    return all(_succeeds(question, runner, environment) for question in questions)


def _succeeds(question: Command, runner: Runner, environment: Mapping[str, str]) -> bool:
    """Say whether a program is there and ends well."""
    if not shutil.which(question.argv[0], path=environment.get("PATH")):
        return False
    answer = runner(replace(question, expected=_ANY_STATUS))
    return answer.code == 0


def other_engine_runs(root: Path = Path("/")) -> bool:
    """Say whether the machine's own Docker listens where it always does.

    A second engine takes the packet rules of the first away, and with them the ports that its
    containers publish.
    """
    if sys.platform == "win32":
        return False  # Docker has no such socket there
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(5)
        try:
            probe.connect(str(root / "run/docker.sock"))
        except OSError:
            return False
    return True


def is_root() -> bool:
    """Say whether this process may start an engine."""
    return sys.platform != "win32" and os.geteuid() == 0
