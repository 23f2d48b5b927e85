"""A registry on loopback that the engine asks before Docker Hub, and what it holds."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from shipway.model import Command, Effect
from shipway.rehearsal.engine import bases
from shipway.rehearsal.engine.daemon import Home
from shipway.rehearsal.engine.packages import machine_source
from shipway.rehearsal.engine.services import Service, start, wait_for
from shipway.run.processes import Runner


def start_mirror(home: Home, port: int, environment: Mapping[str, str]) -> Service:
    """Start the registry; its images stay in the cache folder."""
    config = home.folder / "mirror.json"
    # JSON is YAML.
    config.write_text(json.dumps({
        "version": 0.1, "log": {"level": "error"}, "http": {"addr": f"127.0.0.1:{port}"},
        "storage": {"filesystem": {"rootdirectory": str(home.folder / "mirror")}, "delete": {"enabled": True}},
    }), encoding="utf-8")
    argv = (str(home.tools / "usr/bin/docker-registry"), "serve", str(config))
    service = start("mirror", argv, {"PATH": environment.get("PATH", "")}, home.log("mirror"))
    wait_for(service, lambda: holds(port, ""), home.log("mirror"))
    return service


def holds(port: int, image: str) -> bool:
    """Whether the mirror has an image (``library/python:tag``), or for an empty name whether it answers at all."""
    name, _, tag = image.partition(":")
    path = f"{name}/manifests/{tag}" if image else ""
    # No proxy: this is the machine itself.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    wanted = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v2/{path}", method="HEAD", headers={"Accept": wanted})
    try:
        with opener.open(request, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def hub_answers(runner: Runner) -> bool:
    """Whether Docker Hub can be reached: asked for the very image that builds begin with."""
    reference = bases.PYTHON.removeprefix("library/")
    asked = Command(name="engine", why="see whether Docker Hub answers", effect=Effect.READ, expected=(0, 1),
                    argv=("docker", "buildx", "imagetools", "inspect", reference, "--format", "{{.Manifest.Digest}}"))
    return runner(asked).code == 0


def fill_mirror(home: Home, port: int, runner: Runner, say: Callable[[str], None], suite: str = "trixie") -> None:
    """Make what builds ask Docker Hub for, as far as it is not there yet."""
    if not holds(port, bases.PYTHON):
        say("Docker Hub is out of reach: making the Python base image from Debian's packages")
        with tempfile.TemporaryDirectory(prefix="shipway-base-") as folder:
            bases.python_context(Path(folder), machine_source(Path("/"), suite), runner)
            _push(Path(folder), port, bases.PYTHON, [f"linux/{machine}" for machine in bases.MACHINES], runner)
    if not holds(port, bases.SCANNER):
        say("making the SBOM scanner from syft")
        with tempfile.TemporaryDirectory(prefix="shipway-scanner-") as folder:
            bases.scanner_context(Path(folder), runner, sys.executable)
            _push(Path(folder), port, bases.SCANNER, [], runner)
    shutil.rmtree(home.folder / "apt", ignore_errors=True)


def _push(folder: Path, port: int, image: str, platforms: list[str], runner: Runner) -> None:
    argv = ["docker", "buildx", "build", "--progress=plain", "--provenance=false"]
    argv += [f"--platform={','.join(platforms)}"] if platforms else []
    argv += [f"--output=type=image,name=127.0.0.1:{port}/{image},push=true", str(folder / "context")]
    runner(Command(name="engine", why=f"make {image}", argv=tuple(argv), effect=Effect.LOCAL))
