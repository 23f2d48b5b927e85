"""One rehearsal of this repository, kept up for all end-to-end tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shipway.rehearsal.engine import daemon
from shipway.run.tools import equip

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Kept:
    """What a kept rehearsal printed, and the environment with its tools."""

    printed: dict[str, Any]
    environment: dict[str, str]

    def run(self, *argv: str, code: int = 0) -> str:
        """Run a real tool; gives its output, with its errors when it is meant to fail."""
        done = subprocess.run(argv, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, f"{argv[:3]} ended with {done.returncode}: {done.stderr}"
        return done.stdout + (done.stderr if code else "")

    @property
    def folder(self) -> Path:
        """Where the remotes are."""
        return Path(self.printed["remotes"]["folder"])


def shipway(*words: str) -> tuple[str, ...]:
    """The program, as a command of this Python."""
    return (sys.executable, "-m", "shipway", *words)


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
    done = subprocess.run(shipway("rehearse", "--keep", "--json"), cwd=PROJECT, env=environment, text=True, check=False,
                          stdout=subprocess.PIPE)
    assert done.returncode == 0, done.stdout
    printed = json.loads(done.stdout)
    yield Kept(printed, environment)
    # The guard of the rehearsal ends its services when their folder is gone.
    shutil.rmtree(printed["remotes"]["folder"])


@pytest.fixture(name="toy")
def fixture_toy(kept: Kept, tmp_path: Path, request: pytest.FixtureRequest) -> Any:  # Any: toy.py imports this module
    """A small project of the test's own."""
    from tests.e2e.toy import make_toy

    return make_toy(kept, tmp_path, request.node.name.partition("[")[0].replace("_", "-"))
