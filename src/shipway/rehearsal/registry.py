"""A registry on loopback, with its images in a folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from shipway.errors import ToolMissing

PROGRAMS = ("docker-registry", "registry")
"""Debian's name of the CNCF distribution's program, and upstream's."""


def start_registry(folder: Path, port: int, environment: Mapping[str, str]) -> str:
    """Start it; gives its address (``127.0.0.1:PORT``), which answers a moment later.

    Without the program it runs as a container of the Docker Engine.
    """
    folder.mkdir(parents=True)
    address = f"127.0.0.1:{port}"
    program = next(
        (found for name in PROGRAMS if (found := shutil.which(name, path=environment.get("PATH")))),
        None,
    )
    argv = _native(folder, address, program) if program else _container(address)
    with (folder / "log").open("ab") as log:
        subprocess.Popen(
            argv, env=dict(environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    return address


def _native(folder: Path, address: str, program: str) -> tuple[str, ...]:
    config = folder / "config.json"
    # JSON is YAML.
    config.write_text(
        json.dumps(
            {
                "version": 0.1,
                "log": {"level": "error"},
                "http": {"addr": address},
                "storage": {
                    "filesystem": {"rootdirectory": str(folder / "data")},
                    "delete": {"enabled": True},
                },
            }
        ),
        encoding="utf-8",
    )
    return (program, "serve", str(config))


def _container(address: str) -> tuple[str, ...]:
    # In the foreground: the container ends with its client, and so with the rehearsal.
    return ("docker", "run", "--rm", "--publish", f"{address}:5000", "registry:2")


def wait_for(url: str, what: str, log: Path, *, patience: float = 60.0) -> None:
    """Wait until something answers at ``url``; raises ``ToolMissing`` with the end of its log."""
    # No proxy: this is the machine itself.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + patience
    while time.monotonic() < until:
        try:
            with opener.open(url, timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    said = log.read_text(encoding="utf-8", errors="replace")[-800:] if log.exists() else ""
    raise ToolMissing(
        f"{what} does not answer\n{said}", hint="run `task engine`, then the same command again"
    )
