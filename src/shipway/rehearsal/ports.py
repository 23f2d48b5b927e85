"""Find ports for services on loopback, and ask what listens there."""

from __future__ import annotations

import socket
import urllib.request
from http.client import HTTPResponse
from typing import cast


def free_port() -> int:
    """Find a port of the loopback address that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def open_on_loopback(request: urllib.request.Request, timeout: float = 5) -> HTTPResponse:
    """Ask a service on this machine, without a proxy; ``timeout`` is in seconds.

    Raises ``HTTPError`` for an answer that is an error, ``OSError`` where nothing answers.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return cast(HTTPResponse, opener.open(request, timeout=timeout))
