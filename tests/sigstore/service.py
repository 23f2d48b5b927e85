"""All of it behind one address on loopback, for as long as a test takes."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import serialization

from tests.sigstore.authority import Authority, Refused
from tests.sigstore.identity import Issuer, Workflow
from tests.sigstore.timestamps import TimestampAuthority, make_timestamp_authority
from tests.sigstore.trust import Trust, write_trust

LONGEST = 900.0
"""Seconds after which the services stop by themselves."""

Reply = tuple[int, str, bytes]
"""Status, media type and body."""


@dataclass(kw_only=True)
class Sigstore:
    """The services. A test puts another ``workflow`` in its place, or an authority that is up to something."""

    url: str
    issuer: Issuer
    authority: Authority
    trust: Trust
    timestamps: TimestampAuthority
    workflow: Workflow = field(default_factory=Workflow)
    """The job that asks for tokens."""
    refusals: list[str] = field(default_factory=list)
    """Why requests were refused, the latest one last."""

    def environment(self) -> dict[str, str]:
        """What the runner adds for a job with ``permissions: id-token: write``."""
        return {
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self.issuer.bearer,
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/token?api-version=2.0",
        }

    def get(self, target: str, bearer: str) -> Reply:
        """Tokens, and what is known of the issuer."""
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        if path == "/token":
            if bearer != self.issuer.bearer:
                raise Refused(401, "the runner does not know this job")
            return _json(
                200,
                {"value": self.issuer.mint(self.workflow, query.get("audience", ["github"])[0])},
            )
        if path == "/.well-known/openid-configuration":
            return _json(200, self.issuer.discovery())
        if path == "/.well-known/jwks":
            return _json(200, self.issuer.keys())
        raise Refused(404, "Not Found", path)

    def post(self, target: str, bearer: str, body: bytes) -> Reply:
        """Timestamps; certificates, by either version of Fulcio's API (its `fulcio.proto`, `fulcio_legacy.proto`)."""
        if target == "/api/v1/timestamp":
            return self._stamp(body)
        if target == "/api/v1/signingCert":  # cosign 2
            asked = json.loads(body)
            key, proof = (
                base64.b64decode(one)
                for one in (asked["publicKey"]["content"], asked["signedEmailAddress"])
            )
            return (
                201,
                "application/pem-certificate-chain",
                "".join(self._issue(bearer, key, proof)).encode(),
            )
        if target == "/api/v2/signingCert":  # cosign 3
            asked = json.loads(body)["publicKeyRequest"]
            chain = self._issue(
                bearer,
                asked["publicKey"]["content"].encode(),
                base64.b64decode(asked["proofOfPossession"]),
            )
            return _json(200, {"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}})
        raise Refused(404, "Not Found", target)

    def _stamp(self, question: bytes) -> Reply:
        """Sigstore's authority names the same media type for a refusal, which is JSON (seen with 2.1.5)."""
        status, content = 400, b'{"code":400,"message":"Error generating timestamp response"}'
        try:
            status, content = 200, self.timestamps.stamp(question)
        except ValueError as error:
            self.refusals.append(repr(error))
        return status, "application/timestamp-reply", content

    def _issue(self, token: str, key: bytes, proof: bytes) -> list[str]:
        chain = self.authority.issue(token, key, proof)
        return [one.public_bytes(serialization.Encoding.PEM).decode() for one in chain]


class _Handler(BaseHTTPRequestHandler):
    sigstore: Sigstore
    timeout = 10.0
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a body waits 40 ms for the answer to its headers

    def _reply(self) -> None:
        bearer = self.headers.get("Authorization", "").partition(" ")[2]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            if self.command == "GET":
                status, kind, content = self.sigstore.get(self.path, bearer)
            else:
                status, kind, content = self.sigstore.post(self.path, bearer, body)
        except Refused as error:
            self.sigstore.refusals.append(str(error))
            status, kind, content = _refuse(error.status, error.reason)
        except (KeyError, TypeError, ValueError) as error:
            self.sigstore.refusals.append(repr(error))
            status, kind, content = _refuse(400, repr(error))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _reply  # noqa: N815  # http.server calls them by these names

    def log_message(self, format: str, *args: object) -> None:  # pylint: disable=redefined-builtin
        """Say nothing: the tests do."""


@contextmanager
def stand_up(folder: Path, *, longest: float = LONGEST) -> Iterator[Sigstore]:
    """The services, on a port of 127.0.0.1 that was free, with their files in ``folder``; they end with the block."""

    class Handler(_Handler):
        """Of these services: several may stand side by side."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        authority, timestamps = Authority(url), make_timestamp_authority()
        Handler.sigstore = Sigstore(
            url=url,
            issuer=Issuer(url),
            authority=authority,
            timestamps=timestamps,
            trust=write_trust(folder, url, authority, timestamps),
        )
        end = threading.Timer(longest, server.shutdown)
        end.daemon = True
        end.start()
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        thread.start()
        try:
            yield Handler.sigstore
        finally:
            end.cancel()
            server.shutdown()
            thread.join()


def _json(status: int, document: dict[str, Any]) -> Reply:  # Any: JSON
    return status, "application/json", json.dumps(document).encode()


_CODES = {400: 3, 401: 16, 404: 5}
"""gRPC's numbers of what HTTP calls by others (`google/rpc/code.proto`)."""


def _refuse(status: int, reason: str) -> Reply:
    """Answer an error as a gateway to gRPC does, which Fulcio is behind."""
    return _json(status, {"code": _CODES[status], "message": reason, "details": []})
