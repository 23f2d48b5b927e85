"""A registry on loopback that holds what it is given."""

from __future__ import annotations

import hashlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


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
                name = unquote(self.path.partition("?")[0].rpartition("/")[2])
                if name in registry.refused:
                    self.answer(registry.refused[name], b"", {})
                elif name == "list":
                    self.answer(200, *registry.list(self.path))
                elif "/referrers/" in self.path and not registry.about:
                    self.answer(404, b"", {})
                elif "/referrers/" in self.path:
                    found = [{"digest": one} for one in registry.about.get(name, [])]
                    self.answer(200, json.dumps({"manifests": found}).encode(), {})
                else:
                    content = registry.blobs.get(registry.names.get(name, name))
                    self.answer(404 if content is None else 200, content or b"", {})

            def do_HEAD(self) -> None:  # pylint: disable=invalid-name
                if registry.answers_head:
                    self.do_GET()
                else:
                    self.answer(403, b"", {})

            def do_DELETE(self) -> None:  # pylint: disable=invalid-name
                digest = self.path.rpartition("/")[2]
                registry.asked.append(f"DELETE {digest}")
                refusal = registry.undeletable.get("") or registry.undeletable.get(digest)
                if refusal:
                    self.answer(*refusal, {})
                    return
                registry.names = {
                    name: one for name, one in registry.names.items() if one != digest
                }
                self.answer(404 if registry.blobs.pop(digest, None) is None else 202, b"", {})

            def answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
                """Send all of it."""
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            def log_message(self, *_words: object) -> None:  # pylint: disable=arguments-differ
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.name = f"127.0.0.1:{self.server.server_port}/acme/toy"

    def list(self, path: str) -> tuple[bytes, dict[str, str]]:
        """Two tags a page."""
        names = sorted(self.names)
        begin = names.index(path.partition("last=")[2]) + 1 if "last=" in path else 0
        page = names[begin : begin + 2]
        more = begin + 2 < len(names)
        link = (
            {"Link": f'<{path.partition("?")[0]}?n=2&last={page[-1]}>; rel="next"'} if more else {}
        )
        return json.dumps({"tags": page}).encode(), link

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
