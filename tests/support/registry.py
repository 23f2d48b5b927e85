"""A registry on loopback that holds what it is given."""

from __future__ import annotations

import hashlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


Answer = tuple[int, bytes, dict[str, str]]
"""Status, body and headers."""


class Registry:
    """A registry with what is put into it; it can be told to answer otherwise for a while."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.names: dict[str, str] = {}
        self.about: dict[str, list[str]] = {}
        self.troubles: list[tuple[int, dict[str, str]]] = []
        self.answers_head = True
        self.refused: dict[str, int] = {}
        """The status with which it answers who asks for a digest or a tag."""
        self.undeletable: dict[str, tuple[int, bytes]] = {}
        """What it answers to who would delete a digest; under an empty one, any."""
        self.asked: list[str] = []
        self.methods: list[str] = []
        self.headers: list[dict[str, str]] = []
        registry = self

        class Handler(BaseHTTPRequestHandler):
            """GET of blobs and manifests."""

            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else a body waits 40 ms for the answer to its headers

            def do_GET(self) -> None:  # pylint: disable=invalid-name
                registry.asked.append(self.path)
                registry.methods.append(self.command)
                registry.headers.append(dict(self.headers))
                if registry.troubles:
                    status, headers = registry.troubles.pop(0)
                    self.answer(status, b"", headers)
                    return
                self.answer(*registry.get(self.path))

            def do_HEAD(self) -> None:  # pylint: disable=invalid-name
                if registry.answers_head:
                    self.do_GET()
                else:
                    self.answer(403, b"", {})

            def do_DELETE(self) -> None:  # pylint: disable=invalid-name
                self.answer(*registry.delete(self.path.rpartition("/")[2]))

            def answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
                """Send all of it."""
                about = {
                    "Docker-Distribution-Api-Version": "registry/2.0",
                    "Content-Length": str(len(content)),
                }
                self.send_response(status)
                for name, value in {**about, **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            def log_message(self, *_words: object) -> None:  # pylint: disable=arguments-differ
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.name = f"127.0.0.1:{self.server.server_port}/acme/toy"

    def get(self, path: str) -> Answer:
        """Answer a question for ``path``."""
        place = path.partition("?")[0]
        name = unquote(place.rpartition("/")[2])
        if name in self.refused:
            return self.refused[name], b"", {}
        if place == "/v2/":
            return _answer_json(200, {})
        if name == "list":
            return 200, *self.list(path)
        if "/referrers/" in place:
            return self._list_referrers(name)
        digest = self.names.get(name, name)
        content = self.blobs.get(digest)
        is_blob = "/blobs/" in place
        if content is None:
            return refuse(404, "BLOB_UNKNOWN" if is_blob else "MANIFEST_UNKNOWN")
        kind = "application/octet-stream" if is_blob else _kind_of(content)
        return 200, content, {"Content-Type": kind, "Docker-Content-Digest": digest}

    def delete(self, digest: str) -> Answer:
        """Delete a manifest with all its tags."""
        self.asked.append(f"DELETE {digest}")
        refusal = self.undeletable.get("") or self.undeletable.get(digest)
        if refusal:
            return *refusal, {}
        self.names = {tag: named for tag, named in self.names.items() if named != digest}
        if self.blobs.pop(digest, None) is None:
            return refuse(404, "MANIFEST_UNKNOWN")
        return 202, b"", {}

    def list(self, path: str) -> tuple[bytes, dict[str, str]]:
        """List two tags a page, whatever was asked for."""
        place = path.partition("?")[0]
        names = sorted(self.names)
        begin = names.index(path.partition("last=")[2]) + 1 if "last=" in path else 0
        page = names[begin : begin + 2]
        image = place.removeprefix("/v2/").removesuffix("/tags/list")
        _, content, headers = _answer_json(200, {"name": image, "tags": page})
        if begin + 2 < len(names):
            headers["Link"] = f'<{place}?n=2&last={page[-1]}>; rel="next"'
        return content, headers

    def _list_referrers(self, digest: str) -> Answer:
        if not self.about:
            return 404, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"}
        found = [{"digest": one} for one in self.about.get(digest, [])]
        return _answer_json(200, {"manifests": found})

    def put(self, content: bytes | object) -> str:
        """Keep a blob, or a JSON document; gives its digest."""
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        self.blobs[digest] = data
        return digest

    def image(self, *packed: tuple[str, bytes]) -> str:
        """An image of (media type, layer)."""
        config = self.put({"config": {"Labels": {"a": "b"}}})
        return self.put(
            {
                "config": {"digest": config},
                "layers": [{"digest": self.put(data), "mediaType": kind} for kind, data in packed],
            }
        )


def refuse(status: int, code: str) -> Answer:
    """Answer an error as distribution does (its `registry/api/errcode`)."""
    message = code.lower().replace("_", " ")
    return _answer_json(status, {"errors": [{"code": code, "message": message}]})


def _answer_json(status: int, document: object) -> Answer:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    return status, json.dumps(document).encode(), headers


def _kind_of(content: bytes) -> str:
    """Give the media type of a manifest, the one of an image where it says nothing or is broken."""
    try:
        return str(json.loads(content)["mediaType"])
    except (ValueError, LookupError, TypeError):
        return "application/vnd.oci.image.manifest.v1+json"
