"""GitHub's API."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from shipway.effects.github import Api
from shipway.errors import ContextError, StepFailed
from shipway.model.actions import Answer, Effect, Request
from shipway.rehearsal.releases import API_PATH, make_server
from tests.support.authority import Authority
from tests.support.guarded_registry import resolve_to_loopback, serve_guarded


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


def name_api(address: str, token: str = "a-token") -> dict[str, str]:
    """The environment that names an API."""
    return {"GITHUB_API_URL": address, "GITHUB_TOKEN": token}


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
        api = Api(name_api(f"http://127.0.0.1:{server.server_address[1]}{API_PATH}", token))
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

        api = Api(name_api("http://127.0.0.1:1"), wait=lambda _seconds: None)

        def unreachable(_: Request) -> Answer:
            raise NoConnection

        monkeypatch.setattr(api, "_connect", lambda: unreachable)
        with pytest.raises(StepFailed, match="could not ask 127.0.0.1:1 for GitHub's API"):
            api(Request(name="publish", why="test", method="GET", path="/x", effect=Effect.READ))


Row = tuple[int, Mapping[str, str], str]
"""Status, headers and body of an answer."""
WHY = "draft the release v1"
SECONDARY = '{"message": "You have exceeded a secondary rate limit."}'


@dataclass
class Scripted:
    """An API that gives answers that were written before; the last one for ever."""

    rows: list[Row]
    asked: list[str] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    address: str = ""

    def api(self, patience: float = 90.0) -> Api:
        """A client whose pauses take no time."""
        return Api(
            name_api(self.address),
            patience=patience,
            wait=self.waited.append,
            echo=self.lines.append,
        )


@pytest.fixture(name="serve")
def fixture_serve() -> Iterator[Callable[..., Scripted]]:
    """Start an API with answers."""
    with contextlib.ExitStack() as stack:

        def serve(*rows: Row) -> Scripted:
            script = Scripted(list(rows))

            class Handler(BaseHTTPRequestHandler):
                """Gives the next answer."""

                protocol_version = "HTTP/1.1"

                def answer(self) -> None:
                    """Give the next one."""
                    script.asked.append(self.command)
                    self.rfile.read(int(self.headers.get("Content-Length") or 0))
                    status, headers, text = script.rows[0]
                    del script.rows[: len(script.rows) > 1]
                    content = text.encode()
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)

                do_GET = do_POST = do_DELETE = do_PATCH = answer  # noqa: N815

                def log_message(self, format: str, *args: object) -> None:  # pylint: disable=redefined-builtin
                    """Say nothing."""

            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
            server.daemon_threads = True
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            script.address = f"http://127.0.0.1:{server.server_port}"
            return script

        yield serve


def ask(method: str, **words: Any) -> Request:
    """A request of publish; Any: whatever a request has."""
    body = {"tag_name": "v1"} if method in ("POST", "PATCH") else {}
    effect = Effect.READ if method == "GET" else Effect.PUBLISH
    path = "/repos/a/b/releases"
    defaults = {"name": "publish", "why": WHY, "path": path, "body": body, "effect": effect}
    return Request(method=method, **{**defaults, **words})


class TestALimit:
    """GitHub tells its limits with 403 and 429, and says how long they last."""

    @pytest.mark.parametrize("status", [403, 429])
    @pytest.mark.parametrize("method", ["GET", "DELETE"])
    def test_is_waited_for_as_it_says(
        self, serve: Callable[..., Scripted], method: str, status: int
    ) -> None:
        script = serve((status, {"Retry-After": "7"}, SECONDARY), (200, {}, "[]"))
        assert script.api()(ask(method)).code == 200
        (pause,) = script.waited
        assert 7 <= pause <= 8
        assert script.lines == [f"publish: GitHub's API asks to wait 7 s ({WHY})"]

    def test_is_no_trouble_of_the_api_which_is_told_for_each_pause(
        self, serve: Callable[..., Scripted]
    ) -> None:
        script = serve((502, {}, "bad gateway"), (503, {}, "busy"), (200, {}, "[]"))
        assert script.api()(ask("GET")).code == 200
        assert len(script.waited) == len(script.lines) == 2
        for line, status, pause in zip(script.lines, (502, 503), script.waited, strict=True):
            assert f"GitHub's API answered {status} to GET" in line
            assert line.endswith(f"; again in {pause:.0f} s")

    def test_is_waited_for_until_it_ends(self, serve: Callable[..., Scripted]) -> None:
        headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.time()) + 20)}
        script = serve((403, headers, "{}"), (200, {}, "[]"))
        assert script.api()(ask("GET")).code == 200
        (pause,) = script.waited
        assert 18 <= pause <= 23

    def test_that_says_nothing_takes_a_minute_and_then_two(
        self, serve: Callable[..., Scripted]
    ) -> None:
        script = serve((403, {}, SECONDARY), (403, {}, SECONDARY), (200, {}, "[]"))
        assert script.api(600)(ask("GET")).code == 200
        first, second = script.waited
        assert 60 <= first <= 61 and 120 <= second <= 121

    def test_that_comes_back_after_an_answer_begins_with_a_minute_again(
        self, serve: Callable[..., Scripted]
    ) -> None:
        limit: Row = (403, {}, SECONDARY)
        answer: Row = (200, {}, "[]")
        api = serve(limit, answer, limit, answer, limit, answer)
        send = api.api()
        for _ in range(3):
            assert send(ask("DELETE")).code == 200
        assert len(api.waited) == 3 and all(60 <= pause <= 61 for pause in api.waited)

    @pytest.mark.parametrize("patience", [5.0, 90.0])
    def test_that_lasts_longer_than_the_run_waits_is_told(
        self, serve: Callable[..., Scripted], patience: float
    ) -> None:
        script = serve((403, {"Retry-After": "2700"}, SECONDARY))
        with pytest.raises(StepFailed, match="secondary rate limit") as caught:
            script.api(patience)(ask("GET"))
        assert not script.waited and "wait 45 minutes" in caught.value.hint

    @pytest.mark.parametrize("method", ["POST", "PATCH"])
    def test_of_a_write_is_left_to_its_stage(
        self, serve: Callable[..., Scripted], method: str
    ) -> None:
        script = serve((403, {"Retry-After": "7"}, SECONDARY))
        with pytest.raises(StepFailed) as caught:
            script.api()(ask(method))
        assert caught.value.passes and caught.value.pause == 7
        assert script.asked == [method] and not script.waited

    def test_of_an_upload_is_one_too(self, serve: Callable[..., Scripted]) -> None:
        script = serve((403, {"Retry-After": "7"}, SECONDARY))
        with pytest.raises(StepFailed) as caught:
            script.api()(ask("POST", content=b"{}", body={}))
        assert caught.value.passes and caught.value.pause == 7

    def test_of_writes_grows_while_it_says_nothing(self, serve: Callable[..., Scripted]) -> None:
        script = serve((403, {}, SECONDARY))
        api = script.api()
        pauses: list[float] = []
        for _ in range(3):
            with pytest.raises(StepFailed) as caught:
                api(ask("POST"))
            pauses.append(caught.value.pause)
        assert pauses == [60, 120, 240]

    def test_is_no_lack_of_rights_and_a_lack_of_rights_is_final(
        self, serve: Callable[..., Scripted]
    ) -> None:
        script = serve((403, {}, '{"message": "Resource not accessible by integration"}'))
        for method in ("GET", "POST", "DELETE"):
            with pytest.raises(StepFailed, match="not accessible") as caught:
                script.api()(ask(method))
            assert not caught.value.passes and "contents: write" in caught.value.hint
        assert script.asked == ["GET", "POST", "DELETE"]

    @pytest.mark.parametrize(
        "headers",
        [
            {"Retry-After": "soon"},
            {"Retry-After": "9" * 400},
            {"Retry-After": "-1"},
            {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"},
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"},
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9" * 30},
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"},
            {"x-ratelimit-limit": "x", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "inf"},
        ],
    )
    def test_neither_hangs_nor_breaks_whatever_it_says(
        self, serve: Callable[..., Scripted], headers: Mapping[str, str]
    ) -> None:
        script = serve((403, headers, SECONDARY))
        with pytest.raises(StepFailed) as caught:
            script.api()(ask("GET"))
        assert caught.value.passes and "again" in caught.value.hint
        assert len(script.asked) <= 3 and sum(script.waited) < 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_said_of_limits_breaks_no_answer(
    serve: Callable[..., Scripted], method: str
) -> None:
    headers = {
        "X-RateLimit-Limit": "many",
        "X-RateLimit-Remaining": "1e999",
        "X-RateLimit-Reset": "nan",
    }
    script = serve((200, headers, "[]"), (403, headers, SECONDARY), (200, headers, "[]"))
    api = script.api()
    assert api(ask(method)).code == 200
    assert api(ask("GET")).code == 200
    assert script.asked == [method, "GET", "GET"] and 60 <= script.waited[0] <= 61


def test_a_service_that_is_busy_is_asked_three_times(serve: Callable[..., Scripted]) -> None:
    script = serve((503, {}, "busy"))
    with pytest.raises(StepFailed, match="503") as caught:
        script.api()(ask("GET"))
    assert caught.value.passes and script.asked == ["GET"] * 3 and len(script.waited) == 2


def test_a_write_is_not_sent_twice(serve: Callable[..., Scripted]) -> None:
    script = serve((503, {}, ""))
    with pytest.raises(StepFailed, match="publish: "):
        script.api()(ask("POST"))
    assert script.asked == ["POST"]


@pytest.mark.parametrize("address", ["api.github.com", "ftp://api.github.com", "localhost:1"])
def test_what_is_no_address_is_said(address: str) -> None:
    with pytest.raises(ContextError, match="GITHUB_API_URL"):
        Api(name_api(address))(ask("GET"))


def test_a_refused_certificate_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from requests.exceptions import SSLError

    def refuse(_: Request) -> object:
        raise SSLError

    waited: list[float] = []
    api = Api(name_api("https://api.example"), wait=waited.append)
    monkeypatch.setattr(api, "_connect", lambda: refuse)
    with pytest.raises(StepFailed, match="is not trusted"):
        api(ask("GET"))
    assert not waited


def test_the_api_behind_an_authority_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to_loopback(monkeypatch)
    authority = Authority(tmp_path)
    with serve_guarded("api.example", authority) as server:
        for environment, words in (
            ({}, "is not trusted"),
            ({"SSL_CERT_FILE": str(authority.file)}, "answered 401"),
        ):
            api = Api({**name_api(server.base), **environment})
            with pytest.raises(StepFailed, match=words):
                api(ask("GET"))


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/repos/a/b/releases/1/assets", "https://other.example/assets"]
)
def test_a_file_is_sent_to_no_other_server(address: str) -> None:
    api = Api(name_api("http://127.0.0.1:2"))
    upload = Request(
        name="publish",
        why="test",
        effect=Effect.PUBLISH,
        method="POST",
        path=address,
        content=b"{}",
        expected=(201,),
    )
    with pytest.raises(StepFailed, match="names an address of another server"):
        api(upload)
