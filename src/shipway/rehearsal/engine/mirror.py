"""A registry on loopback that the engine asks before Docker Hub, and what it holds."""

from __future__ import annotations

import json
import shutil
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from shipway.effects.engine_record import Service
from shipway.effects.processes import Runner
from shipway.model.actions import Command, Effect
from shipway.rehearsal.engine import bases
from shipway.rehearsal.engine.daemon import Home
from shipway.rehearsal.engine.services import start, wait_for
from shipway.rehearsal.engine.sources import machine_source

HUB = "https://registry-1.docker.io/v2/"


def start_mirror(home: Home, port: int, environment: Mapping[str, str]) -> Service:
    """Start the registry; its images stay in the cache folder."""
    # JSON is YAML.
    home.mirror_settings.write_text(
        json.dumps(
            {
                "version": 0.1,
                "log": {"level": "error"},
                "http": {"addr": f"127.0.0.1:{port}"},
                "storage": {
                    "filesystem": {"rootdirectory": str(home.folder / "mirror")},
                    "delete": {"enabled": True},
                },
            }
        ),
        encoding="utf-8",
    )
    service = start(
        "mirror", home.commands["mirror"], {"PATH": environment.get("PATH", "")}, home.log("mirror")
    )
    wait_for(service, lambda: holds(port, ""), home.log("mirror"))
    return service


def holds(port: int, image: str) -> bool:
    """Whether the mirror has an image (``library/python:tag``), or for an empty name whether it answers at all."""
    name, _, tag = image.partition(":")
    path = f"{name}/manifests/{tag}" if image else ""
    # No proxy: this is the machine itself.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    wanted = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v2/{path}", method="HEAD", headers={"Accept": wanted}
    )
    try:
        with opener.open(request, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def hub_answers(
    environment: Mapping[str, str], address: str = HUB, *, patience: float = 5.0
) -> bool:
    """Whether Docker Hub can be reached: one request, ``patience`` seconds at most.

    401 is how a registry greets who has no token yet; a firewall in its place answers something else, or nothing.
    """
    proxy = environment.get("HTTPS_PROXY") or environment.get("https_proxy")
    try:
        context = ssl.create_default_context(cafile=environment.get("SSL_CERT_FILE"))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({"https": proxy} if proxy else {}),
            urllib.request.HTTPSHandler(context=context),
        )
        with opener.open(address, timeout=patience) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as answer:
        return answer.code == 401
    except OSError:
        return False


def fill_mirror(
    home: Home, port: int, runner: Runner, progress: Callable[[str], None], root: Path = Path("/")
) -> None:
    """Make what builds ask Docker Hub for, as far as it is not there yet."""
    if not holds(port, bases.PYTHON):
        progress("Docker Hub is out of reach: making the Python base image from Debian's packages")
        with _folder(home) as folder:
            bases.python_context(folder, machine_source(root, bases.SUITE), runner)
            _push(
                folder,
                port,
                bases.PYTHON,
                [f"linux/{machine}" for machine in bases.MACHINES],
                runner,
            )
    if not holds(port, bases.SCANNER):
        progress("making the SBOM scanner from syft")
        with _folder(home) as folder:
            bases.scanner_context(folder, runner, sys.executable)
            _push(folder, port, bases.SCANNER, [], runner)


@contextmanager
def _folder(home: Home) -> Iterator[Path]:
    """A folder to work in, always the same one: what a killed task left there goes with the next one."""
    folder = home.folder / "work"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _push(folder: Path, port: int, image: str, platforms: list[str], runner: Runner) -> None:
    argv = ["docker", "buildx", "build", "--progress=plain", "--provenance=false"]
    argv += [f"--platform={','.join(platforms)}"] if platforms else []
    argv += [
        f"--output=type=image,name=127.0.0.1:{port}/{image},push=true",
        str(folder / "context"),
    ]
    runner(Command(name="engine", why=f"make {image}", argv=tuple(argv), effect=Effect.LOCAL))
