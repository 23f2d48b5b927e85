"""A guard: tests start no process unless they say so, and no connection leaves this machine. And what many share.

They see nothing of the workflow run or the hook that they are started in.
"""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.machine import forget_surroundings

# Before any test module is imported and any fixture is set up, whatever its scope.
forget_surroundings(os.environ)

if TYPE_CHECKING:
    # Read when a fixture is asked for: who runs one test does not wait for what it does not use.
    from shipway.model.target import Target
    from tests.support.registry import Registry

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@pytest.fixture(autouse=True)
def no_stray_effect(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that starts a process without the mark ``process``, or connects to another machine."""
    if request.node.get_closest_marker("engine"):
        return
    if not request.node.get_closest_marker("process"):
        monkeypatch.setattr(subprocess.Popen, "__init__", _refuse_process)
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, _to_this_machine(getattr(socket.socket, name)))


def _refuse_process(*_: object, **__: object) -> None:
    raise AssertionError("this test started a process; mark it with `process` if it has to")


def _to_this_machine(connect: Any) -> Any:  # Any: `connect` and `connect_ex` give different things
    def guarded(
        one: socket.socket, address: Any
    ) -> Any:  # Any: what an address is depends on the family
        if one.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOOPBACK:
            raise AssertionError(f"this test connected to {address[0]}; tests stay on this machine")
        return connect(one, address)

    return guarded


@pytest.fixture
def target() -> Target:
    """A release of a project with docs and a repository."""
    from tests.support.targets import make_target

    return make_target()


@pytest.fixture(name="registry")
def fixture_registry() -> Iterator[Registry]:
    """A registry on loopback."""
    from tests.support.registry import Registry

    registry = Registry()
    threading.Thread(
        target=registry.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
    ).start()
    yield registry
    registry.server.shutdown()
    registry.server.server_close()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let golden files be written anew."""
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files of tests/golden/ anew"
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with a golden file by its name; with ``--update-golden``, write it there."""
    from tests.support.golden import check

    return partial(check, update=request.config.getoption("--update-golden"))
