"""Run and fill the registry on loopback that the engine asks before Docker Hub."""

from __future__ import annotations

import shutil
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from shipway.effects.engine_record import Service
from shipway.effects.processes import Runner
from shipway.effects.proxies import find_proxies
from shipway.effects.registry import MANIFESTS
from shipway.rehearsal.engine import bases
from shipway.rehearsal.engine.home import Home
from shipway.rehearsal.engine.services import start_service, wait_for_service
from shipway.rehearsal.engine.sources import machine_source
from shipway.rehearsal.files import write_text
from shipway.rehearsal.ports import open_on_loopback
from shipway.rehearsal.registry import render_registry_config
from shipway.tools.build import build_stand_in

HUB = "https://registry-1.docker.io/v2/"


def start_mirror(home: Home, port: int, environment: Mapping[str, str]) -> Service:
    """Start the registry on ``port`` and wait until it answers; its images stay in the folder.

    Raises ``ToolMissing`` where it does not answer.
    """
    address = f"127.0.0.1:{port}"
    images = home.folder / "mirror"
    settings = render_registry_config(address, images)
    write_text(home.mirror_settings, settings)
    log = home.log("mirror")
    own = {"PATH": environment.get("PATH", "")}
    argv = home.commands["mirror"]
    service = start_service("mirror", argv, own, log)
    wait_for_service(service, lambda: mirror_answers(port), log)
    return service


def holds(port: int, image: str) -> bool:
    """Say whether the mirror has an image, such as ``library/python:tag``."""
    name, _, tag = image.partition(":")
    return mirror_answers(port, f"{name}/manifests/{tag}")


def mirror_answers(port: int, path: str = "") -> bool:
    """Say whether the mirror answers 200 for a path of its API; the empty one is its greeting."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v2/{path}",
        method="HEAD",
        headers={"Accept": ", ".join(MANIFESTS)},
    )
    try:
        with open_on_loopback(request) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def hub_answers(
    environment: Mapping[str, str], address: str = HUB, *, patience: float = 5.0
) -> bool:
    """Say whether Docker Hub can be reached: one request, ``patience`` seconds at most.

    A registry greets with 401 who has no token yet; a firewall in its place answers something else,
    or nothing.
    """
    try:
        context = ssl.create_default_context(cafile=environment.get("SSL_CERT_FILE"))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler(find_proxies(address, environment)),
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
        platforms = [f"linux/{architecture}" for architecture in bases.ARCHITECTURES]
        with _work_folder(home) as folder:
            source = machine_source(root, bases.SUITE)
            bases.python_context(folder, source, runner, root)
            _push(
                folder,
                port,
                bases.PYTHON,
                runner,
                platforms,
            )
    if not holds(port, bases.SCANNER):
        progress("making the SBOM scanner from syft")
        with _work_folder(home) as folder:
            bases.scanner_context(folder, runner, sys.executable)
            _push(folder, port, bases.SCANNER, runner)


@contextmanager
def _work_folder(home: Home) -> Iterator[Path]:
    """Give an empty folder, always at the same place.

    What a killed task left there goes with the next task.
    """
    folder = home.folder / "work"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _push(
    folder: Path, port: int, image: str, runner: Runner, platforms: Sequence[str] = ()
) -> None:
    """Build the context in ``folder`` and push it to the mirror."""
    reference = f"127.0.0.1:{port}/{image}"
    context = folder / "context"
    runner(build_stand_in(image, reference, context, platforms))
