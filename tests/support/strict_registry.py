"""Distribution's own registry, as strict as one can be: TLS by an authority of its own, a token for each action.

Source: distribution.github.io/distribution, "Token Authentication Specification".
"""

from __future__ import annotations

import base64
import json
import re
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from shipway.rehearsal import background
from shipway.rehearsal.ports import free_port
from shipway.rehearsal.registry import find_program
from tests.support.authority import Authority
from tests.support.guarded_registry import PASSWORD, USER

HOST = "registry.example"
ISSUER = "toy issuer"
SERVICE = "toy"
LIFE = 60
_SCOPE = re.compile(r"repository:(?P<name>[^:]+):(?P<actions>[a-z,]+)")


@dataclass
class StrictRegistry:
    """Where it is, and which tokens it gave."""

    address: str
    authority: Authority
    scopes: list[str] = field(default_factory=list)

    @property
    def login(self) -> dict[str, dict[str, str]]:
        """The only one that it takes, as Docker's configuration has it."""
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return {self.address: {"auth": pair}}


@contextmanager
def stand_up_strict(folder: Path, environment: Mapping[str, str]) -> Iterator[StrictRegistry]:
    """Start it in ``folder``; it ends with whoever holds the leash of ``environment``."""
    folder.mkdir()
    authority = Authority(folder)
    context = authority.context(HOST)
    files = folder / f"{HOST}.key-and-certificate"
    registry = StrictRegistry(f"{HOST}:{free_port()}", authority)
    with _serve_tokens(registry, files, context) as realm:
        config = _write_config(folder, registry, realm, files)
        program = find_program(environment)
        assert program is not None, "no registry: run `task engine`"
        process = background.start((program, "serve", str(config)), environment, folder / "log")
        try:
            _wait(registry, folder / "log")
            yield registry
        finally:
            process.terminate()
            process.wait()


def _write_config(folder: Path, registry: StrictRegistry, realm: str, files: Path) -> Path:
    port = registry.address.rpartition(":")[2]
    settings = {
        "version": 0.1,
        "log": {"level": "error"},
        "http": {
            "addr": f"127.0.0.1:{port}",
            "host": f"https://{registry.address}",
            "tls": {"certificate": str(files), "key": str(files)},
        },
        "storage": {
            "filesystem": {"rootdirectory": str(folder / "data")},
            "delete": {"enabled": True},
        },
        "auth": {
            "token": {
                "realm": realm,
                "service": SERVICE,
                "issuer": ISSUER,
                "rootcertbundle": str(registry.authority.file),
            }
        },
    }
    config = folder / "config.json"
    config.write_text(json.dumps(settings), encoding="utf-8")
    return config


def _wait(registry: StrictRegistry, log: Path) -> None:
    from shipway.effects.connections import speaks_tls
    from shipway.rehearsal.waiting import wait_until

    port = int(registry.address.rpartition(":")[2])

    def answers() -> bool:
        try:
            return speaks_tls("127.0.0.1", port)
        except OSError:
            return False

    assert wait_until(answers, patience=30), background.read_ending(log)


@contextmanager
def _serve_tokens(registry: StrictRegistry, files: Path, context: ssl.SSLContext) -> Iterator[str]:
    """Serve its tokens; gives the address for them."""
    key, chain = _read_signer(files)

    class Handler(BaseHTTPRequestHandler):
        """Gives a token for what is asked, and for nothing besides."""

        def do_GET(self) -> None:  # pylint: disable=invalid-name
            pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if self.headers.get("Authorization") != f"Basic {pair}":
                self.answer(401, {"errors": [{"code": "UNAUTHORIZED"}]})
                return
            scopes = parse_qs(urlsplit(self.path).query).get("scope", [])
            registry.scopes += scopes
            token = jwt.encode(_make_claims(scopes), key, algorithm="ES256", headers={"x5c": chain})
            self.answer(200, {"token": token, "expires_in": LIFE})

        def do_POST(self) -> None:  # pylint: disable=invalid-name
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.answer(404, {})

        def answer(self, status: int, document: object) -> None:
            """Send a JSON document."""
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_words: object) -> None:  # pylint: disable=arguments-differ
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"https://{HOST}:{server.server_port}/token"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _read_signer(files: Path) -> tuple[ec.EllipticCurvePrivateKey, list[str]]:
    """Give the key that signs tokens, and its certificate as a token names it."""
    text = files.read_text(encoding="utf-8")
    key_text, marker, rest = text.partition("-----BEGIN CERTIFICATE-----")
    certificate = rest.partition("-----END CERTIFICATE-----")[0]
    key = load_pem_private_key(key_text.encode(), None)
    assert marker and isinstance(key, ec.EllipticCurvePrivateKey)
    return key, ["".join(certificate.split())]


def _make_claims(scopes: list[str]) -> dict[str, object]:
    now = int(time.time())
    access = []
    for scope in " ".join(scopes).split():
        match = _SCOPE.fullmatch(scope)
        if match:
            actions = match["actions"].split(",")
            access.append({"type": "repository", "name": match["name"], "actions": actions})
    return {
        "iss": ISSUER,
        "sub": USER,
        "aud": SERVICE,
        "nbf": now - 10,
        "iat": now,
        "exp": now + LIFE,
        "jti": str(time.monotonic_ns()),
        "access": access,
    }
