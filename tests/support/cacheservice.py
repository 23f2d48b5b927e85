"""A double of GitHub's Actions cache service, version 2, on loopback: what BuildKit's `type=gha` talks to.

Two protocols, as in the real one: Twirp (JSON) says where an entry is, signed addresses in the manner of Azure's block
blobs carry its bytes. Everything is in memory. Listing keys (`repository=`, `ghtoken=`) is not here: no setting changes
the address that BuildKit asks for it (go-actions-cache, `rest.go`, `apiURL`).
Sources: github.com/tonistiigi/go-actions-cache, what BuildKit sends; github.com/actions/toolkit, `packages/cache`, the
messages; learn.microsoft.com, "Blob service REST API"; twitchtv.github.io/twirp, "Errors".
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

READ, WRITE = 1, 2  # bits of a scope's `Permission`
LONGEST = (
    900.0  # seconds after which it ends by itself; a token and a signed address are good as long
)
TWIRP = "/twirp/github.actions.results.api.v1.CacheService/"
Document = dict[str, Any]  # Any: JSON, what a Twirp method is asked and answers


class Refusal(Exception):
    """An answer that is an error: its status, Twirp's or Azure's code, and a sentence."""


@dataclass(eq=False)
class Entry:
    """An entry; it has content once it is uploaded, and is found once it is finalized."""

    number: int
    scope: str
    key: str
    version: str
    blocks: dict[str, bytes] = field(default_factory=dict)
    content: bytes | None = None
    final: bool = False


class CacheService:
    """The entries, oldest first, and who may read and write them; ``asked`` has a line for each request."""

    def __init__(self) -> None:
        self.address = ""
        self.entries: list[Entry] = []
        self.asked: list[str] = []
        self.lock = threading.Lock()
        self._secret = secrets.token_bytes()

    def environment(self, scopes: dict[str, int]) -> dict[str, str]:
        """What GitHub's runner gives to an action, and to no `run:` step."""
        return {
            "ACTIONS_RESULTS_URL": f"{self.address}/",
            "ACTIONS_RUNTIME_TOKEN": self.token(scopes),
            "ACTIONS_CACHE_SERVICE_V2": "True",
        }

    def token(self, scopes: dict[str, int]) -> str:
        """A JWT with permissions by scope, the run's own first. Source: go-actions-cache, `cache.go`, `New`."""
        access, now = (
            [{"Scope": scope, "Permission": bits} for scope, bits in scopes.items()],
            int(time.time()),
        )
        claims = {"ac": json.dumps(access), "nbf": now - 60, "exp": now + int(LONGEST)}
        signed = ".".join(
            _encode(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims)
        )
        return f"{signed}.{self._sign(signed)}"

    def evict(self, prefix: str, *, bytes_only: bool = False) -> int:
        """Forget the entries whose key begins so, as the service may at any time; gives how many.

        With ``bytes_only`` they are still found: what a client sees when an entry goes between look-up and download.
        """
        with self.lock:
            gone = [entry for entry in self.entries if entry.key.startswith(prefix)]
            for entry in gone:
                entry.content = None
                if not bytes_only:
                    self.entries.remove(entry)
        return len(gone)

    def call(self, method: str, token: str, asked: Document) -> Document:
        """The answer of a Twirp method."""
        methods = {
            "CreateCacheEntry": self._create,
            "FinalizeCacheEntryUpload": self._finalize,
            "GetCacheEntryDownloadURL": self._find,
        }
        if method not in methods:
            raise Refusal(404, "bad_route", f"no handler for path {method}")
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._sign(signed), signature):
            raise Refusal(401, "unauthenticated", "invalid token")
        claims = json.loads(base64.urlsafe_b64decode(signed.partition(".")[2] + "=="))
        return methods[method](
            {one["Scope"]: one["Permission"] for one in json.loads(claims["ac"])}, asked
        )

    def blob(self, number: int, query: dict[str, str], right: str) -> Entry:
        """The entry behind a signed address, which gives one right, `r` or `w`, for a time."""
        signature = self._sign(f"{number} {right} {query.get('se')}")
        if (
            not hmac.compare_digest(signature, query.get("sig", ""))
            or int(query["se"]) < time.time()
        ):
            raise Refusal(403, "AuthenticationFailed", "Server failed to authenticate the request.")
        for entry in self.entries:
            if entry.number == number and (right == "w" or entry.content is not None):
                return entry
        raise Refusal(404, "BlobNotFound", "The specified blob does not exist.")

    def _create(self, scopes: dict[str, int], asked: Document) -> Document:
        """Reserve an entry. A token that may not write gets `ok: false` and no error (toolkit, pull request 2429)."""
        scope = next((scope for scope, permission in scopes.items() if permission & WRITE), None)
        if scope is None:
            return {"ok": False, "message": "cache write denied: token has no writable scopes"}
        if self._reserved(scopes, asked):
            raise Refusal(
                409,
                "already_exists",
                "cache entry with the same key, version, and scope already exists",
            )
        entry = Entry(secrets.randbits(48), scope, asked["key"], asked["version"])
        self.entries.append(entry)
        return {"ok": True, "signed_upload_url": self._signed(entry, "w")}

    def _finalize(self, scopes: dict[str, int], asked: Document) -> Document:
        """Show an upload that is as long as announced. Protobuf's JSON has 64-bit numbers as strings; both are read."""
        entry = self._reserved(scopes, asked)
        if entry is None:
            raise Refusal(404, "not_found", "cache entry not found")
        entry.final = entry.content is not None and len(entry.content) == int(asked["size_bytes"])
        return {"ok": entry.final, "entry_id": str(entry.number)}

    def _find(self, scopes: dict[str, int], asked: Document) -> Document:
        """Scope by scope: the key itself, then what begins with it, then with each restore key; newest first.

        Source: docs.github.com, "Dependency caching reference", on matching a key and on access from other branches.
        """
        readable = [scope for scope, permission in scopes.items() if permission & READ]
        if not readable:
            raise Refusal(
                403, "permission_denied", "cache read denied: token has no readable scopes"
            )
        usable = [
            one for one in reversed(self.entries) if one.final and one.version == asked["version"]
        ]
        found: list[Entry] = []
        for ours in ([one for one in usable if one.scope == scope] for scope in readable):
            found += [one for one in ours if one.key == asked["key"]]
            for prefix in (asked["key"], *asked.get("restore_keys", ())):
                found += [one for one in ours if one.key.startswith(prefix)]
        if not found:
            return {"ok": False}
        return {
            "ok": True,
            "matched_key": found[0].key,
            "signed_download_url": self._signed(found[0], "r"),
        }

    def _reserved(self, scopes: dict[str, int], asked: Document) -> Entry | None:
        ours = [one for one in self.entries if scopes.get(one.scope, 0) & WRITE]
        return next(
            (one for one in ours if (one.key, one.version) == (asked["key"], asked["version"])),
            None,
        )

    def _signed(self, entry: Entry, right: str) -> str:
        end = int(time.time() + LONGEST)
        return f"{self.address}/blobs/{entry.number}?se={end}&sig={self._sign(f'{entry.number} {right} {end}')}"

    def _sign(self, text: str) -> str:
        return _encode(hmac.digest(self._secret, text.encode(), "sha256"))


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _put(entry: Entry, query: dict[str, str], body: bytes) -> None:
    if query.get("comp") == "block":
        entry.blocks[query["blockid"]] = body
    elif query.get("comp") == "blocklist":
        names = [element.text or "" for element in ElementTree.fromstring(body)]
        if not entry.blocks.keys() >= set(names):
            raise Refusal(400, "InvalidBlockList", "The specified block list is invalid.")
        entry.content = b"".join(entry.blocks[name] for name in names)
    else:
        entry.content = body


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP for a ``CacheService``."""

    service: CacheService
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a body waits 40 ms for the answer to its headers
    timeout = 30

    def _serve(self) -> None:
        address, body = (
            urlsplit(self.path),
            self.rfile.read(int(self.headers.get("Content-Length", 0))),
        )
        with self.service.lock:
            try:
                if found := re.fullmatch(r"/blobs/(\d+)", address.path):
                    self._blob(int(found[1]), dict(parse_qsl(address.query)), body)
                else:
                    self._twirp(address.path.removeprefix(TWIRP), json.loads(body or b"{}"))
            except Refusal as no:
                status, code, message = no.args
                text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
                document = text if found else json.dumps({"code": code, "msg": message})
                self._answer(status, document.encode(), {"x-ms-error-code": code}, message)

    do_GET = do_HEAD = do_PUT = do_POST = _serve

    def _twirp(self, method: str, asked: Document) -> None:
        self.service.asked.append(f"{method} {asked.get('key')}")
        answer = self.service.call(
            method, self.headers.get("Authorization", "").removeprefix("Bearer "), asked
        )
        self._answer(200, json.dumps(answer).encode(), {})

    def _blob(self, number: int, query: dict[str, str], body: bytes) -> None:
        """Put Block, Put Block List and Put Blob; Get Blob, whole or a range of it; Get Blob Properties."""
        self.service.asked.append(f"{self.command} {query.get('comp', 'blob')}")
        entry = self.service.blob(number, query, "w" if self.command == "PUT" else "r")
        content = entry.content or b""
        want = re.fullmatch(
            r"bytes=(\d+)-(\d*)", self.headers.get("x-ms-range", self.headers.get("Range", ""))
        )
        if self.command == "PUT":
            _put(entry, query, body)
            self._answer(201, b"", {})
        elif want is None:
            self._answer(200, content, {})
        elif part := content[int(want[1]) : int(want[2] or len(content)) + 1]:
            self._answer(
                206,
                part,
                {"Content-Range": f"bytes {want[1]}-{int(want[1]) + len(part) - 1}/{len(content)}"},
            )
        else:
            raise Refusal(
                416,
                "InvalidRange",
                "The range specified is invalid for the current size of the resource.",
            )

    def _answer(
        self, status: int, body: bytes, headers: dict[str, str], reason: str | None = None
    ) -> None:
        """Every answer has `x-ms-request-id`: after an upload go-actions-cache reads it without a check for nil."""
        self.send_response(status, reason)
        always = {
            "Content-Length": str(len(body)),
            "x-ms-request-id": secrets.token_hex(),
            "ETag": '"0x1"',
        }
        for name, value in {**headers, **always, "Last-Modified": formatdate(usegmt=True)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body if self.command != "HEAD" else b"")

    def log_message(self, *_: object) -> None:
        """Say nothing; ``asked`` remembers."""


@contextmanager
def serve(longest: float = LONGEST) -> Iterator[CacheService]:
    """A service on a free port of 127.0.0.1 until the block ends, ``longest`` seconds at most."""
    service = CacheService()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"service": service}))
    service.address = f"http://127.0.0.1:{server.server_port}"
    end = threading.Timer(longest, server.shutdown)
    for thread in (threading.Thread(target=_run, args=(server,)), end):
        thread.daemon = True
        thread.start()
    try:
        yield service
    finally:
        end.cancel()
        server.shutdown()


def _run(server: ThreadingHTTPServer) -> None:
    with server:
        server.serve_forever(0.05)
