"""A stand-in for the releases of GitHub's REST API, on loopback.

It answers what a client of `/repos/{owner}/{repo}/releases` may ask: list, create, change, upload, publish, delete. As
on GitHub, a draft is found in the list and not by its tag, and a published tag cannot be released again.
Source: docs.github.com, "REST API endpoints for releases" and "… for release assets".
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

PREFIX = "/api/v3"
LONGEST = 3600.0
"""Seconds after which it ends by itself."""

Release = dict[str, Any]
"""A release as the API shows it; Any: a JSON document."""


class Releases:
    """The releases of all repositories, kept in a folder so that they can be looked at."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "releases.json"

    def answer(
        self, method: str, path: str, query: dict[str, list[str]], body: bytes, base: str
    ) -> tuple[int, Any]:
        """(status, document) of a request; ``base`` is the address that the answers name."""
        routes: list[tuple[str, str, Callable[..., tuple[int, Any]]]] = [
            ("GET", r"/repos/([^/]+/[^/]+)/releases", self._list),
            ("GET", r"/repos/([^/]+/[^/]+)/releases/latest", self._latest),
            ("GET", r"/repos/([^/]+/[^/]+)/releases/tags/(.+)", self._by_tag),
            ("POST", r"/repos/([^/]+/[^/]+)/releases", self._create),
            ("PATCH", r"/repos/([^/]+/[^/]+)/releases/(\d+)", self._change),
            ("POST", r"/repos/([^/]+/[^/]+)/releases/(\d+)/assets", self._upload),
            ("DELETE", r"/repos/([^/]+/[^/]+)/releases/(\d+)", self._delete),
        ]
        with self._lock:
            for verb, pattern, handle in routes:
                found = re.fullmatch(pattern, path)
                if verb == method and found:
                    return handle(*found.groups(), query=query, body=body, base=base)
        return 404, {"message": "Not Found"}

    def _read(self) -> list[Release]:
        return (
            list(json.loads(self._file.read_text(encoding="utf-8"))) if self._file.exists() else []
        )

    def _write(self, releases: list[Release]) -> None:
        draft = self._file.with_suffix(".new")
        draft.write_text(json.dumps(releases, indent=2) + "\n", encoding="utf-8")
        draft.replace(self._file)

    def _list(
        self, repository: str, *, query: dict[str, list[str]], **_: object
    ) -> tuple[int, Any]:
        size, page = (
            int(query.get(name, [default])[0])
            for name, default in (("per_page", "30"), ("page", "1"))
        )
        ours = [one for one in reversed(self._read()) if one["repository"] == repository]
        return 200, ours[(page - 1) * size : page * size]

    def _latest(self, repository: str, **_: object) -> tuple[int, Any]:
        for one in self._read():
            if (
                one["repository"] == repository
                and not one["draft"]
                and one.get("make_latest") == "true"
            ):
                return 200, one
        return 404, {"message": "Not Found"}

    def _by_tag(self, repository: str, tag: str, **_: object) -> tuple[int, Any]:
        for one in self._read():
            if (one["repository"], one["tag_name"], one["draft"]) == (repository, tag, False):
                return 200, one
        return 404, {"message": "Not Found"}

    def _create(self, repository: str, *, body: bytes, base: str, **_: object) -> tuple[int, Any]:
        wanted, releases = json.loads(body), self._read()
        if not wanted.get("tag_name"):
            return 422, {
                "message": "Validation Failed",
                "errors": [{"code": "missing_field", "field": "tag_name"}],
            }
        if not wanted.get("draft") and self._by_tag(repository, wanted["tag_name"])[0] == 200:
            return 422, {
                "message": "Validation Failed",
                "errors": [{"code": "already_exists", "field": "tag_name"}],
            }
        number = max((one["id"] for one in releases), default=0) + 1
        address = f"{base}{PREFIX}/repos/{repository}/releases/{number}"
        release = {
            "draft": False,
            "prerelease": False,
            "body": "",
            "name": "",
            **wanted,
            "id": number,
            "repository": repository,
            "assets": [],
            "url": address,
            "upload_url": f"{address}/assets{{?name,label}}",
            "html_url": f"{base}/{repository}/releases/tag/{wanted['tag_name']}",
        }
        self._write([*releases, release])
        return 201, release

    def _change(self, repository: str, number: str, *, body: bytes, **_: object) -> tuple[int, Any]:
        releases = self._read()
        for one in releases:
            if (one["repository"], one["id"]) == (repository, int(number)):
                wanted = json.loads(body)
                if wanted.get("make_latest") == "true":
                    for other in releases:
                        other["make_latest"] = "false"
                one.update(wanted)
                self._write(releases)
                return 200, one
        return 404, {"message": "Not Found"}

    def _delete(self, repository: str, number: str, **_: object) -> tuple[int, Any]:
        releases = self._read()
        left = [
            one for one in releases if (one["repository"], one["id"]) != (repository, int(number))
        ]
        self._write(left)
        return (204, None) if len(left) < len(releases) else (404, {"message": "Not Found"})

    def _upload(
        self,
        repository: str,
        number: str,
        *,
        query: dict[str, list[str]],
        body: bytes,
        base: str,
    ) -> tuple[int, Any]:
        releases, name = self._read(), query.get("name", [""])[0]
        for one in releases:
            if (one["repository"], one["id"]) == (repository, int(number)):
                if not re.fullmatch(r"[\w.-]+", name) or name in {
                    asset["name"] for asset in one["assets"]
                }:
                    return 422, {
                        "message": "Validation Failed",
                        "errors": [{"code": "already_exists"}],
                    }
                folder = self._folder / "assets" / number
                folder.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(body)
                asset = {
                    "id": len(one["assets"]) + 1,
                    "name": name,
                    "size": len(body),
                    "state": "uploaded",
                    "url": f"{base}{PREFIX}/repos/{repository}/releases/assets/{len(one['assets']) + 1}",
                }
                one["assets"].append(asset)
                self._write(releases)
                return 201, asset
        return 404, {"message": "Not Found"}


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP for ``Releases``; a request without a token is refused, as on GitHub."""

    releases: Releases
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a body waits 40 ms for the answer to its headers

    def _serve(self) -> None:
        address = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.headers.get("Authorization"):
            status, document = 401, {"message": "Requires authentication"}
        else:
            base = f"http://{self.headers.get('Host', '127.0.0.1')}"
            path = address.path.removeprefix(PREFIX)
            status, document = self.releases.answer(
                self.command, path, parse_qs(address.query), body, base
            )
        content = b"" if status == 204 else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815  # http.server calls them by these names

    def log_message(self, format: str, *args: object) -> None:  # pylint: disable=redefined-builtin
        """Say nothing."""


def make_server(folder: Path, port: int = 0) -> ThreadingHTTPServer:
    """A server on loopback for the releases in ``folder``; a free port when none is given."""
    handler = type("Bound", (Handler,), {"releases": Releases(folder)})
    return ThreadingHTTPServer(("127.0.0.1", port), handler)


def main(folder: str, port: str) -> None:
    """Serve, for an hour at most."""
    server = make_server(Path(folder), int(port))
    timer = threading.Timer(LONGEST, server.shutdown)
    timer.daemon = True
    timer.start()
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
