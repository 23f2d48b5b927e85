"""Stand in for the releases of GitHub's REST API, on loopback.

It answers what a client of `/repos/{owner}/{repo}/releases` may ask: list, create, change, upload,
publish, delete. As on GitHub, a draft is in the list and not under its tag, and a published tag
cannot be released again.
Source: docs.github.com, "REST API endpoints for releases" and "… for release assets".

It is a program of its own and imports the standard library alone, so that it is up at once.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

API_PATH = "/api/v3"
SERVING_SECONDS = 3600.0
"""Time after which it ends by itself."""

HostedRelease = dict[str, Any]
"""A release as the API shows it; Any: a JSON document, with whatever fields a client sent."""
ApiReply = tuple[int, object]
"""A status and the JSON document that goes with it."""
_NOT_FOUND: ApiReply = (404, {"message": "Not Found"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """Hold a request to the API; ``base`` is the address that its answer names."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: bytes
    base: str

    def parameter(self, name: str, default: str) -> str:
        """Give the first value of a parameter of the query."""
        return self.query.get(name, [default])[0]


class _Missing(Exception):
    """Says that no release of the repository has the number."""


class ReleaseStore:
    """Keep the releases of all repositories in a folder, where people can look at them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "releases.json"
        self._routes: list[tuple[str, str, Callable[..., ApiReply]]] = [
            ("GET", r"/repos/([^/]+/[^/]+)/releases", self._list),
            ("GET", r"/repos/([^/]+/[^/]+)/releases/latest", self._latest),
            ("GET", r"/repos/([^/]+/[^/]+)/releases/tags/(.+)", self._by_tag),
            ("POST", r"/repos/([^/]+/[^/]+)/releases", self._create),
            ("PATCH", r"/repos/([^/]+/[^/]+)/releases/(\d+)", self._change),
            ("POST", r"/repos/([^/]+/[^/]+)/releases/(\d+)/assets", self._upload),
            ("DELETE", r"/repos/([^/]+/[^/]+)/releases/(\d+)", self._delete),
        ]

    def answer(self, request: ApiRequest) -> ApiReply:
        """Answer a request; 404 where no route leads, and where no release has the number."""
        with self._lock:
            for method, pattern, handle in self._routes:
                match = re.fullmatch(pattern, request.path)
                if match and method == request.method:
                    try:
                        return handle(request, *match.groups())
                    except _Missing:
                        return _NOT_FOUND
        return _NOT_FOUND

    def _read(self) -> list[HostedRelease]:
        if not self._file.exists():
            return []
        return list(json.loads(self._file.read_text(encoding="utf-8")))

    def _read_hosted(self, repository: str) -> list[HostedRelease]:
        """Read the releases of one repository, drafts too, the oldest first."""
        releases = self._read()
        return [release for release in releases if release["repository"] == repository]

    def _read_published(self, repository: str) -> list[HostedRelease]:
        releases = self._read_hosted(repository)
        return [release for release in releases if not release["draft"]]

    def _write(self, releases: list[HostedRelease]) -> None:
        draft = self._file.with_suffix(".new")
        text = json.dumps(releases, indent=2)
        draft.write_text(f"{text}\n", encoding="utf-8")
        draft.replace(self._file)

    def _list(self, request: ApiRequest, repository: str) -> ApiReply:
        size = int(request.parameter("per_page", "30"))
        page = int(request.parameter("page", "1"))
        releases = self._read_hosted(repository)
        releases.reverse()  # the newest comes first
        start = (page - 1) * size
        end = start + size
        return 200, releases[start:end]

    def _latest(self, _: ApiRequest, repository: str) -> ApiReply:
        for release in self._read_published(repository):
            if release.get("make_latest") == "true":
                return 200, release
        return _NOT_FOUND

    def _by_tag(self, _: ApiRequest, repository: str, tag: str) -> ApiReply:
        for release in self._read_published(repository):
            if release["tag_name"] == tag:
                return 200, release
        return _NOT_FOUND

    def _create(self, request: ApiRequest, repository: str) -> ApiReply:
        fields = json.loads(request.body)
        tag = fields.get("tag_name")
        if not tag:
            return _refuse("missing_field", field="tag_name")
        releases = self._read()
        is_public = any(
            (other["repository"], other["tag_name"], other["draft"]) == (repository, tag, False)
            for other in releases
        )
        if is_public and not fields.get("draft"):
            return _refuse("already_exists", field="tag_name")
        numbers = [release["id"] for release in releases]
        number = max(numbers, default=0) + 1
        address = f"{request.base}{API_PATH}/repos/{repository}/releases/{number}"
        created = {
            "draft": False,
            "prerelease": False,
            "body": "",
            "name": "",
            **fields,
            "id": number,
            "repository": repository,
            "assets": [],
            "url": address,
            "upload_url": f"{address}/assets{{?name,label}}",
            "html_url": f"{request.base}/{repository}/releases/tag/{tag}",
        }
        self._write([*releases, created])
        return 201, created

    def _change(self, request: ApiRequest, repository: str, number: str) -> ApiReply:
        releases = self._read()
        release = _find(releases, repository, number)
        fields = json.loads(request.body)
        if fields.get("make_latest") == "true":
            for other in releases:
                other["make_latest"] = "false"
        release.update(fields)
        self._write(releases)
        return 200, release

    def _delete(self, _: ApiRequest, repository: str, number: str) -> ApiReply:
        releases = self._read()
        release = _find(releases, repository, number)
        releases.remove(release)
        self._write(releases)
        return 204, None

    def _upload(self, request: ApiRequest, repository: str, number: str) -> ApiReply:
        releases = self._read()
        release = _find(releases, repository, number)
        name = request.parameter("name", "")
        assets = release["assets"]
        names = {asset["name"] for asset in assets}
        if name in names or not re.fullmatch(r"[\w.-]+", name):
            return _refuse("already_exists")
        folder = self._folder / "assets" / number
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(request.body)
        asset_number = len(assets) + 1
        address = f"{request.base}{API_PATH}/repos/{repository}/releases/assets/{asset_number}"
        uploaded = {
            "id": asset_number,
            "name": name,
            "size": len(request.body),
            "state": "uploaded",
            "url": address,
        }
        assets.append(uploaded)
        self._write(releases)
        return 201, uploaded


def _find(releases: list[HostedRelease], repository: str, number: str) -> HostedRelease:
    """Find a release by its number; raises ``_Missing`` where the repository has none such."""
    for release in releases:
        if release["repository"] == repository and release["id"] == int(number):
            return release
    raise _Missing


def _refuse(code: str, **details: str) -> ApiReply:
    return 422, {"message": "Validation Failed", "errors": [{"code": code, **details}]}


class Handler(BaseHTTPRequestHandler):
    """Speak HTTP for a ``ReleaseStore``; a request without a token is refused, as on GitHub."""

    store: ReleaseStore
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a body waits 40 ms for the answer to its headers

    def _serve(self) -> None:
        length = self.headers.get("Content-Length")
        body = self.rfile.read(int(length or 0))
        status, document = self._reply(body)
        content = b""
        if document is not None:
            content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _reply(self, body: bytes) -> ApiReply:
        if not self.headers.get("Authorization"):
            return 401, {"message": "Requires authentication"}
        address = urlsplit(self.path)
        host = self.headers.get("Host", "127.0.0.1")
        request = ApiRequest(
            method=self.command,
            path=address.path.removeprefix(API_PATH),
            query=parse_qs(address.query),
            body=body,
            base=f"http://{host}",
        )
        return self.store.answer(request)

    # http.server calls them by these names.
    do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # pylint: disable=redefined-builtin
        """Say nothing."""


def make_server(folder: Path, port: int = 0) -> ThreadingHTTPServer:
    """Make a server on loopback for the releases in ``folder``; port 0 stands for any free one."""

    class Bound(Handler):
        """Serve this folder."""

        store = ReleaseStore(folder)

    return ThreadingHTTPServer(("127.0.0.1", port), Bound)


def serve_releases(folder: str, port: str) -> None:
    """Serve the releases in ``folder``, for an hour at most."""
    server = make_server(Path(folder), int(port))
    timer = threading.Timer(SERVING_SECONDS, server.shutdown)
    timer.daemon = True
    timer.start()
    server.serve_forever()


if __name__ == "__main__":
    serve_releases(*sys.argv[1:])
