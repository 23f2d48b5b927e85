"""Run a registry on loopback, with its images in a folder."""

from __future__ import annotations

import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from shipway.errors import ToolMissing
from shipway.rehearsal import background
from shipway.rehearsal.files import write_text
from shipway.rehearsal.ports import free_port, open_on_loopback
from shipway.rehearsal.waiting import wait_until
from shipway.tools.docker import run_registry

PROGRAMS = ("docker-registry", "registry")
"""Debian's name of the CNCF distribution's program, and upstream's."""


def start_registry(folder: Path, environment: Mapping[str, str]) -> str:
    """Start a registry; gives its address (``127.0.0.1:PORT``), which answers a moment later.

    Without the program it runs as a container of the Docker Engine.
    """
    address = f"127.0.0.1:{free_port()}"
    program = find_program(environment)
    if program is None:
        argv = run_registry(address)
    else:
        argv = _native(folder, address, program)
    background.start(argv, environment, _log(folder))
    return address


def wait_for_registry(address: str, folder: Path, *, patience: float = 60.0) -> None:
    """Wait until the registry that was started in ``folder`` answers.

    Raises ``ToolMissing`` with the end of its log when it takes longer than ``patience`` seconds.
    """
    wait_for_address(
        f"http://{address}/v2/",
        "the registry",
        _log(folder),
        patience=patience,
    )


def _log(folder: Path) -> Path:
    return folder / "log"


def render_registry_config(address: str, images: Path) -> str:
    """Write the settings of a registry that listens at ``address`` and keeps ``images``.

    Source: distribution.github.io/distribution, "Configuring a registry".
    """
    settings = {
        "version": 0.1,
        "log": {"level": "error"},
        "http": {"addr": address},
        "storage": {
            "filesystem": {"rootdirectory": str(images)},
            "delete": {"enabled": True},
        },
    }
    # JSON is YAML.
    return json.dumps(settings)


def find_program(environment: Mapping[str, str]) -> str | None:
    """Give the path of the registry's program, under either name."""
    for name in PROGRAMS:
        program = shutil.which(name, path=environment.get("PATH"))
        if program:
            return program
    return None


def _native(folder: Path, address: str, program: str) -> tuple[str, ...]:
    config = folder / "config.json"
    write_text(config, render_registry_config(address, folder / "data"))
    return (program, "serve", str(config))


def wait_for_address(url: str, name: str, log: Path, *, patience: float = 60.0) -> None:
    """Wait until ``url`` answers, with whatever status.

    Raises ``ToolMissing`` with the ``name`` of the service and the end of its log when it takes
    longer than ``patience`` seconds.
    """
    if wait_until(lambda: _responds(url), patience=patience):
        return
    raise ToolMissing(
        f"{name} does not answer\n{background.read_ending(log)}",
        hint="run `task engine`, then the same command again",
    )


def _responds(url: str) -> bool:
    try:
        with open_on_loopback(urllib.request.Request(url)):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
