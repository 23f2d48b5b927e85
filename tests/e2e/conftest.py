"""One rehearsal of this repository, kept up for all end-to-end tests; and cosign that signs without a key."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipway.effects.environment import equip
from shipway.effects.processes import Processes
from shipway.rehearsal import leash
from shipway.rehearsal.engine import daemon
from shipway.rehearsal.registry import PROGRAMS, start_registry, wait_for_registry
from shipway.tools.cosign import ask_for_help, knows_signing_configs
from tests.sigstore.flags import install
from tests.sigstore.service import stand_up
from tests.support.kept import PROJECT, Kept, shipway
from tests.support.keyless import Bench
from tests.support.parts import require_part
from tests.support.toy import Toy, make_toy


@pytest.fixture(scope="session", name="environment")
def fixture_environment() -> dict[str, str]:
    """The environment with a real engine and cosign; without them a laptop skips, and CI fails."""
    environment = equip(os.environ)
    if not daemon.answers(environment):
        message = "no Docker Engine with buildx, or no cosign: run `task engine`"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return environment


@pytest.fixture(scope="session", name="kept")
def fixture_kept(environment: dict[str, str]) -> Iterator[Kept]:
    """The rehearsal, run as people run it."""
    done = subprocess.run(
        shipway("rehearse", "--working-tree", "--keep", "--json"),
        cwd=PROJECT,
        env=environment,
        text=True,
        check=False,
        stdout=subprocess.PIPE,
    )
    assert done.returncode == 0, done.stdout
    printed = json.loads(done.stdout)
    yield Kept(printed, environment)
    # The guard of the rehearsal ends its services when their folder is gone.
    shutil.rmtree(printed["remotes"]["folder"])


@pytest.fixture(name="toy")
def fixture_toy(kept: Kept, tmp_path: Path, request: pytest.FixtureRequest) -> Toy:
    """A small project of the test's own."""
    return make_toy(kept, tmp_path, request.node.name.partition("[")[0].replace("_", "-"))


@pytest.fixture(name="bench")
def fixture_bench(tmp_path: Path) -> Iterator[Bench]:
    """Everything, for one test; without the tools a laptop skips, and CI fails."""
    tools = equip(os.environ)
    cosign, *registries = (
        shutil.which(name, path=tools["PATH"]) for name in ("cosign", *PROGRAMS, "docker")
    )
    if not cosign or not any(registries):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "no cosign, or no registry: run `task engine`"
        )
    with leash.hold(tmp_path / "services") as mark, stand_up(tmp_path) as sigstore:
        folder = tmp_path / "services/registry"
        registry = start_registry(folder, tools | mark)
        plain = {"PATH": tools["PATH"], "HOME": str(tmp_path), "DOCKER_CONFIG": str(tmp_path)}
        help_text = Processes(plain)(ask_for_help("bench"))
        environment = install(
            tmp_path / "bin", cosign, sigstore, plain, modern=knows_signing_configs(help_text)
        )
        wait_for_registry(registry, folder)
        yield Bench(sigstore, Processes(environment, patience=60), registry)


@pytest.fixture(scope="session", name="real_registry")
def fixture_real_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a registry of the third generation, which lists no referrers either."""
    folder = tmp_path_factory.mktemp("registry")
    program = require_part("registry")
    with leash.hold(folder / "leash") as mark:
        address = start_registry(folder, {**mark, "PATH": str(program)})
        wait_for_registry(address, folder)
        yield address
