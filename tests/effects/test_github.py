"""GitHub's API."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from shipway.effects.github import Api
from shipway.errors import StepFailed
from shipway.model.actions import Answer, Effect, Request
from shipway.rehearsal.releases import API_PATH, make_server


@pytest.fixture(name="server")
def fixture_server(tmp_path: Path) -> Iterator[ThreadingHTTPServer]:
    """The releases endpoint, in this process."""
    server = make_server(tmp_path)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class TestApi:
    """GitHub's API, through PyGithub, against the stand-in that speaks its protocol."""

    releases = "/repos/acme/toy/releases"

    def send(
        self,
        server: ThreadingHTTPServer,
        method: str,
        path: str,
        *,
        token: str = "a-token",
        content: bytes = b"",
        expected: tuple[int, ...] = (200, 201),
        **body: str | bool,
    ) -> tuple[int, str]:
        api = Api(f"http://127.0.0.1:{server.server_address[1]}{API_PATH}", token)
        answer = api(
            Request(
                name="publish",
                why="test",
                method=method,
                path=path,
                body=body,
                content=content,
                effect=Effect.PUBLISH,
                expected=expected,
            )
        )
        return answer.code, answer.out

    def test_a_release_from_draft_to_published(self, server: ThreadingHTTPServer) -> None:
        _, text = self.send(server, "POST", self.releases, tag_name="v1", draft=True)
        upload = json.loads(text)["upload_url"].partition("{")[0]
        assert self.send(server, "GET", f"{self.releases}/tags/v1", expected=(404,))[0] == 404
        assert self.send(server, "POST", f"{upload}?name=image.json", content=b"{}")[0] == 201
        with pytest.raises(StepFailed, match="422"):
            self.send(server, "POST", f"{upload}?name=image.json", content=b"{}")
        self.send(server, "PATCH", f"{self.releases}/1", draft=False)
        found = json.loads(self.send(server, "GET", f"{self.releases}?per_page=100&page=1")[1])
        assert (found[0]["draft"], found[0]["assets"][0]["name"]) == (False, "image.json")
        assert self.send(server, "GET", f"{self.releases}/tags/v1")[0] == 200
        assert json.loads(self.send(server, "GET", f"{self.releases}?page=2")[1]) == []

    def test_a_published_tag_cannot_be_released_again(self, server: ThreadingHTTPServer) -> None:
        self.send(server, "POST", self.releases, tag_name="v1")
        with pytest.raises(StepFailed, match="already_exists"):
            self.send(server, "POST", self.releases, tag_name="v1")
        with pytest.raises(StepFailed, match="missing_field"):
            self.send(server, "POST", self.releases, name="x")

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/nowhere"),
            ("PATCH", "/repos/acme/toy/releases/9"),
            ("POST", "/repos/acme/toy/releases/9/assets"),
        ],
    )
    def test_what_is_not_there(self, server: ThreadingHTTPServer, method: str, path: str) -> None:
        with pytest.raises(StepFailed, match="404"):
            self.send(server, method, path, content=b"x" if method == "POST" else b"")

    def test_a_request_without_a_token_is_not_sent(self, server: ThreadingHTTPServer) -> None:
        with pytest.raises(StepFailed, match="no token") as caught:
            self.send(server, "GET", self.releases, token="")
        assert "GITHUB_TOKEN" in caught.value.hint

    def test_an_api_that_does_not_answer_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from requests import ConnectionError as NoConnection

        api = Api("http://127.0.0.1:1", "a-token")

        def unreachable(_: Request) -> Answer:
            raise NoConnection

        monkeypatch.setattr(api, "_connect", lambda: unreachable)
        with pytest.raises(StepFailed, match="did not answer"):
            api(Request(name="publish", why="test", method="GET", path="/x", effect=Effect.READ))


class Refusing(BaseHTTPRequestHandler):
    """Answers 503 to everything, and counts."""

    asked: list[str] = []

    def do_GET(self) -> None:  # pylint: disable=invalid-name
        self.asked.append(self.command)
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET  # noqa: N815  # http.server's name

    def log_message(self, format: str, *args: object) -> None:  # pylint: disable=redefined-builtin
        """Say nothing."""


@pytest.fixture(name="busy")
def fixture_busy() -> Iterator[str]:
    """The address of an API that is busy."""
    Refusing.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_write_is_not_sent_twice(busy: str) -> None:
    with pytest.raises(StepFailed, match="publish: "):
        Api(busy, "a-token")(
            Request(
                name="publish",
                why="draft",
                method="POST",
                path="/repos/a/b/releases",
                body={"tag_name": "v1"},
                effect=Effect.PUBLISH,
            )
        )
    assert Refusing.asked == ["POST"]
