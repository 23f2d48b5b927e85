"""The one address of registry, releases and signing services: it passes requests on, or does what the director says.

`/point/NAME` and `/point/NAME/done` are announcements of programs, which lead nowhere.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.faults.director import Director

LONGEST_HANG = 120.0
_HOP = {
    "connection",
    "keep-alive",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "content-length",
}
"""They belong to one connection (RFC 9110, 7.6.1)."""

_WORDS = {"403": "You have exceeded a secondary rate limit."}

Reply = tuple[int, list[tuple[str, str]], bytes]
"""Status, headers and body."""


class _Handler(BaseHTTPRequestHandler):
    director: Director
    upstreams: Mapping[str, str]
    protocol_version = "HTTP/1.1"
    timeout = 150.0

    def _serve(self) -> None:
        body = self._read_body()
        client = self.headers.get("User-Agent", "").partition("/")[0]
        line = f"{self.command} {self.path} {client}"
        done = self.path.endswith("/done")
        verdict = "" if done else self.director.before(line)
        if verdict:
            self._strike(verdict)
            return
        answer: Reply
        if self.path.startswith("/point/"):
            answer = (204, [], b"")
        else:
            answer = self._forward(body)
        # A program has done its work when it says so a second time.
        finished = done or not self.path.startswith("/point/")
        if finished and self.director.after(line.replace("/done ", " ")):
            self._reset()
            return
        self._answer(*answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815  # http.server's names

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def _forward(self, body: bytes) -> Reply:
        upstream = next(
            address for prefix, address in self.upstreams.items() if self.path.startswith(prefix)
        )
        connection = http.client.HTTPConnection(upstream, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        with contextlib.closing(connection):
            connection.request(
                self.command, self.path, body, {**headers, "Content-Length": str(len(body))}
            )
            answer = connection.getresponse()
            content = answer.read()
            if self.path.startswith("/token") and answer.status == 200:
                self.director.tokens.add(str(json.loads(content)["value"]))
            length = (
                [("Content-Length", answer.headers["Content-Length"])]
                if self.command == "HEAD" and "Content-Length" in answer.headers
                else [("Content-Length", str(len(content)))]
            )
            kept = [
                (name, value) for name, value in answer.headers.items() if name.lower() not in _HOP
            ]
            return answer.status, [*kept, *length], content

    def _strike(self, verdict: str) -> None:
        if verdict.isdigit():
            document = {
                "message": _WORDS.get(verdict, f"fault {verdict}"),
                "errors": [{"code": "FAULT", "message": f"fault {verdict}"}],
            }
            content = json.dumps(document).encode()
            extra = {
                "429": [("Retry-After", "1")],
                "403": [("Retry-After", "1")],
                "401": [("WWW-Authenticate", 'Basic realm="fault"')],
            }
            self._answer(
                int(verdict),
                [
                    ("Content-Type", "application/json"),
                    ("Content-Length", str(len(content))),
                    *extra.get(verdict, []),
                ],
                content,
            )
            return
        if verdict == "hang":
            self.director.released.wait(LONGEST_HANG)
        self._reset()

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # pylint: disable=redefined-builtin
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that were killed hang up in the midst of things."""


@contextmanager
def stand_up(director: Director, upstreams: Mapping[str, str]) -> Iterator[str]:
    """The proxy before ``upstreams`` (path prefix → ``host:port``, which may be filled in later); gives its address."""
    handler = type("Bound", (_Handler,), {"director": director, "upstreams": upstreams})
    with serve(_Server(("127.0.0.1", 0), handler)) as port:
        yield f"127.0.0.1:{port}"


@contextmanager
def serve(server: ThreadingHTTPServer) -> Iterator[int]:
    """Serve for as long as the block takes; gives the port."""
    with server:
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
