"""A registry on loopback that wants a login: HTTP Basic, or tokens as distribution gives them; over TLS where asked.

Every action needs a token of its own, as with distribution's token authentication.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.authority import Authority

USER = "ann"
PASSWORD = "s3cret:word"
REFRESH = "refresh-me"
INDEX = b'{"schemaVersion": 2, "manifests": []}'
DIGEST = f"sha256:{hashlib.sha256(INDEX).hexdigest()}"


@dataclass
class GuardedRegistry:
    """What it asks for, and what it was asked."""

    scheme: str = "bearer"
    challenge: str = ""
    """In place of its own."""
    login: str = f"{USER}:{PASSWORD}"
    """Name and password that it takes."""
    life: float | None = None
    """Seconds that it says a token lasts; where none, it says nothing."""
    host: str = ""
    base: str = ""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Of each request the method, the path, and the scheme of its login."""
    statuses: list[int] = field(default_factory=list)
    """Of the answers, in the same order."""
    scopes: list[str] = field(default_factory=list)
    """Of which tokens were asked for, in this order."""
    revoked: set[str] = field(default_factory=set)
    token_answer: tuple[int, dict[str, str], bytes] | None = None
    """To give in place of a token."""
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    """To give in place of its own, one after the other, to questions about images."""

    @property
    def name(self) -> str:
        """Of the image that it has."""
        return f"{self.host}/acme/toy"

    def allows(self, method: str, authorization: str) -> bool:
        """Whether a request with this header may be answered."""
        scheme, _, value = authorization.partition(" ")
        if self.scheme == "basic":
            return scheme == "Basic" and self.knows(value)
        action = "delete" if method == "DELETE" else "pull"
        return scheme == "Bearer" and value not in self.revoked and value.endswith(f":{action}")

    def knows(self, encoded: str) -> bool:
        """Whether a name and password are right."""
        return base64.b64decode(encoded).decode() == self.login

    def make_challenge(self, method: str) -> str:
        """What stands in ``WWW-Authenticate``."""
        if self.challenge or self.scheme == "basic":
            return self.challenge or 'Basic realm="Registry Realm"'
        action = "delete" if method == "DELETE" else "pull"
        scope = f"repository:acme/toy:{action}"
        return f'Bearer realm="{self.base}/token",service="toy",scope="{scope}"'

    def make_token(self, scope: str) -> dict[str, object]:
        """A token, each another one."""
        self.scopes.append(scope)
        document: dict[str, object] = {"token": f"{len(self.scopes)}:{scope}"}
        if self.life is not None:
            document["expires_in"] = self.life
        return document


def _make_handler(registry: GuardedRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Of one request."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:  # pylint: disable=invalid-name
            authorization = self.headers.get("Authorization", "")
            registry.asked.append((self.command, self.path, authorization.partition(" ")[0]))
            if self.path.startswith("/token"):
                self.give_token(authorization)
            elif not registry.allows(self.command, authorization):
                challenge = registry.make_challenge(self.command)
                self.answer(401, {"WWW-Authenticate": challenge}, b"{}")
            elif registry.answers:
                self.answer(*registry.answers.pop(0))
            else:
                self.answer(202 if self.command == "DELETE" else 200, {}, INDEX)

        do_DELETE = do_GET
        do_HEAD = do_GET

        def do_POST(self) -> None:  # pylint: disable=invalid-name
            length = int(self.headers["Content-Length"])
            form = parse_qs(self.rfile.read(length).decode())
            registry.asked.append(("POST", self.path, ""))
            if form.get("grant_type") != ["refresh_token"]:
                self.answer(404, {}, b"{}")  # like registries that take passwords by GET alone
                return
            right = form.get("refresh_token") == [REFRESH]
            token = registry.make_token(form["scope"][0])
            document = {"access_token": token["token"]}
            self.answer(200 if right else 401, {}, json.dumps(document).encode())

        def give_token(self, authorization: str) -> None:
            """To whoever has the password; to nobody else."""
            scheme, _, value = authorization.partition(" ")
            scope = parse_qs(urlsplit(self.path).query)["scope"][0]
            if registry.token_answer is not None:
                self.answer(*registry.token_answer)
            elif scheme == "Basic" and registry.knows(value):
                self.answer(200, {}, json.dumps(registry.make_token(scope)).encode())
            else:
                self.answer(401, {}, b'{"errors": [{"code": "DENIED"}]}')

        def answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
            """Send all of it."""
            registry.statuses.append(status)
            self.send_response(status)
            own = {
                "Content-Length": str(len(content)),
                "Content-Type": "application/vnd.oci.image.index.v1+json",
            }
            for name, value in {**own, **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, *_words: object) -> None:  # pylint: disable=arguments-differ
            pass

    return Handler


@contextmanager
def serve_guarded(
    host: str = "127.0.0.1", authority: Authority | None = None, *, mutual: bool = False
) -> Iterator[GuardedRegistry]:
    """Serve it under a name; with an authority over TLS, where ``mutual`` to clients that it certified."""
    registry = GuardedRegistry()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(registry))
    if authority is not None:
        context = authority.context(host)
        if mutual:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(authority.file)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    registry.host = f"{host}:{server.server_port}"
    registry.base = f"{'https' if authority else 'http'}://{registry.host}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def resolve_to_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every name under ``.example`` lead to this machine."""
    resolve = socket.getaddrinfo

    def resolve_here(host: str, *words: Any, **options: Any) -> object:  # Any: as sockets call it
        here = "127.0.0.1" if str(host).endswith(".example") else host
        return resolve(here, *words, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_here)
