"""A guard: tests start no process unless they say so, and no connection leaves this machine.

They see nothing of the workflow run or the hook that they are started in.
"""

from __future__ import annotations

import os
import socket
import subprocess
from typing import Any

import pytest

from tests.machine import forget_surroundings

# Before any test module is imported and any fixture is set up, whatever its scope.
forget_surroundings(os.environ)

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
    def guarded(one: socket.socket, address: Any) -> Any:  # Any: what an address is depends on the family
        if one.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOOPBACK:
            raise AssertionError(f"this test connected to {address[0]}; tests stay on this machine")
        return connect(one, address)

    return guarded
