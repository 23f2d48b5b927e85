"""The guard of the tests guards."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest


class TestTheGuard:
    """Of `tests/conftest.py`."""

    def test_stops_a_process_that_nobody_announced(self) -> None:
        with pytest.raises(AssertionError, match="mark it with `process`"):
            subprocess.run([sys.executable, "-c", ""], check=True)

    @pytest.mark.parametrize("verb", ["connect", "connect_ex"])
    def test_stops_a_connection_that_leaves_the_machine(self, verb: str) -> None:
        with socket.socket() as one, pytest.raises(AssertionError, match="192.0.2.1; tests stay"):
            getattr(one, verb)(("192.0.2.1", 80))

    def test_lets_a_connection_to_this_machine_through(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as one:
            assert one.connect_ex(server.getsockname()) == 0

    @pytest.mark.process
    def test_lets_an_announced_process_through(self) -> None:
        assert subprocess.run([sys.executable, "-Sc", ""], check=True).returncode == 0
