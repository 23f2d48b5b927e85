"""A proxy on this machine that leads every host to this machine: the port is the one that is asked for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PATIENCE = 60


@contextmanager
def serve_proxy(*, leads: bool = True) -> Iterator[tuple[str, list[str]]]:
    """Give its address, and the first line of each request; one that does not lead anywhere refuses."""
    lines: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer(client: socket.socket) -> None:
            with client, suppress(OSError):
                line = client.recv(4096).split(b" HTTP/")[0].decode()
                lines.append(line)
                if not leads:
                    client.sendall(b"HTTP/1.1 502 no\r\nContent-Length: 0\r\n\r\n")
                    return
                port = int(line.rpartition(":")[2])
                with socket.create_connection(("127.0.0.1", port), _PATIENCE) as target:
                    client.sendall(b"HTTP/1.1 200 yes\r\n\r\n")
                    back = threading.Thread(target=_copy, args=(target, client), daemon=True)
                    back.start()
                    _copy(client, target)
                    back.join(_PATIENCE)

        def serve() -> None:
            with suppress(OSError):  # which is how it ends
                while True:
                    client, _address = server.accept()
                    threading.Thread(target=answer, args=(client,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", lines


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Pass on what comes, until it ends."""
    with suppress(OSError):
        while content := source.recv(65536):
            target.sendall(content)
        target.shutdown(socket.SHUT_WR)
