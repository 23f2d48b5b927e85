"""Carries requests to GitHub's REST API, through PyGithub.

Every request keeps to the same rules. A limit is waited for as long as GitHub asks, up to the run's
patience. What may be sent twice is sent again here; another write was refused or done, and its
stage looks before it writes again.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from shipway.effects.patience import Patience
from shipway.errors import ContextError, StepFailed
from shipway.model.actions import Answer, Request
from shipway.tools import github_refusals

if TYPE_CHECKING:
    from github.Requester import (
        HTTPRequestsConnectionClass,
        HTTPSRequestsConnectionClass,
        Requester,
        RequestsResponse,
    )

_DEFAULT = "https://api.github.com"
_TIMEOUT = 30.0
"""Seconds that the API may take to answer."""
_ATTEMPTS = 3
"""How often a request is sent while a trouble lasts for which nobody asks to wait."""
_FIRST_PAUSE = 0.5
_TWICE = ("GET", "DELETE")
"""Methods that come to the same when they are sent twice."""
_Send: TypeAlias = Callable[[Request], tuple[Answer, Mapping[str, str]]]
"""Sends a request, and gives its answer with the headers."""
Connection: TypeAlias = "HTTPRequestsConnectionClass | HTTPSRequestsConnectionClass"


class Api:
    """Sends requests to the API that ``environment`` names, with its token.

    Connects with the first request, through its proxies; its authorities are trusted. An answer may
    take ``timeout`` seconds. ``patience`` says how many seconds a request may wait for troubles to
    pass; ``echo`` is given a line for each pause.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        timeout: float = _TIMEOUT,
        patience: float = 60.0,
        wait: Callable[[float], None] = time.sleep,
        echo: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._address = environment.get("GITHUB_API_URL") or _DEFAULT
        self._token = environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN") or ""
        self._timeout = max(int(min(timeout, _TIMEOUT)), 1)
        self._patience = patience
        self._environment = environment
        self._wait = wait
        self._echo = echo
        self._send: _Send | None = None
        self._next_pause = github_refusals.FIRST_PAUSE

    def __call__(self, request: Request) -> Answer:
        """Send the request; raises ``StepFailed`` when the status is not an expected one."""
        if not self._token:
            raise StepFailed(
                f"{request.name}: no token for GitHub's API, to {request.why}",
                hint="set GITHUB_TOKEN (in Actions: `env: GITHUB_TOKEN: ${{ github.token }}`)",
            )
        patience = Patience(
            self._patience,
            self._wait,
            pause=_FIRST_PAUSE,
            echo=self._echo,
        )
        attempts = 1
        while True:
            try:
                return self._send_once(request)
            except StepFailed as error:
                may_pass = error.passes and request.method in _TWICE
                if not may_pass or not patience.allows(error.pause):
                    raise
                if not error.pause:
                    attempts += 1
                if attempts > _ATTEMPTS:
                    raise
                if error.pause:
                    length = github_refusals.render_pause(error.pause)
                    self._echo(
                        f"{request.name}: GitHub's API asks to wait {length} ({request.why})"
                    )
                    patience.wait(error.pause)
                else:
                    patience.wait(trouble=error.message)

    def _send_once(self, request: Request) -> Answer:
        from github import GithubException  # slow to import
        from requests import RequestException

        from shipway.effects.connections import explain_trouble

        if self._send is None:
            self._send = self._connect()
        try:
            answer, headers = self._send(request)
        except GithubException as error:
            answer = Answer(code=error.status, out=_write_document(error.data))
            headers = error.headers or {}
        except RequestException as error:
            host = urlsplit(self._address).netloc
            trouble = explain_trouble(error, host, f"GitHub's API, to {request.why}")
            trouble.message = f"{request.name}: {trouble.message}"
            raise trouble from error
        except AssertionError as error:
            # So PyGithub refuses to send the token to an address that is not GitHub's.
            raise StepFailed(
                f"{request.name}: GitHub's API names an address of another server, to "
                f"{request.why}: {request.path!r}",
                hint="check GITHUB_API_URL, and what stands between",
            ) from error
        except (ValueError, OverflowError, RuntimeError) as error:
            # PyGithub follows addresses, and reads the headers about an upload, as they come.
            raise StepFailed(
                f"{request.name}: GitHub's API gave an answer that cannot be read, to "
                f"{request.why}: {error}",
                hint="check GITHUB_API_URL, and what stands between; then run the same command "
                "again",
                passes=True,
            ) from error
        if answer.code not in request.expected:
            raise self._refuse(request, answer, headers)
        self._next_pause = github_refusals.FIRST_PAUSE
        return answer

    def _connect(self) -> _Send:
        from github import Auth, Github

        if urlsplit(self._address).scheme not in ("http", "https"):
            raise ContextError(
                f"GITHUB_API_URL is {self._address!r}, which is no address",
                hint="unset it, or set it to one like https://api.github.com",
            )
        # PyGithub waits a second between writes, against abuse limits; a release makes three. It
        # asks nothing again: its own rules have no bound, and differ from those for writes.
        client = Github(
            auth=Auth.Token(self._token),
            base_url=self._address,
            timeout=self._timeout,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
        )
        requester = client.requester
        connection = _open_connection(self._address, self._timeout, self._environment)

        def send(request: Request) -> tuple[Answer, Mapping[str, str]]:
            if request.content:
                return _send_content(requester, request)
            return _send_json(requester, request, connection)

        return send

    def _refuse(self, request: Request, answer: Answer, headers: Mapping[str, str]) -> StepFailed:
        """Give the error for an answer whose status is not an expected one."""
        is_limit = github_refusals.is_limit(answer.code, headers, answer.out)
        passes = is_limit or answer.code >= 500
        pause = None
        if passes:
            pause = github_refusals.read_pause(headers, time.time())
        if is_limit and pause is None:
            pause = self._next_pause
            self._next_pause *= 2
        hint = github_refusals.find_hint(answer.code, answer.out, request.permission)
        if passes:
            hint = "run the same command again"
        if pause:
            length = github_refusals.render_pause(pause)
            hint = f"wait {length}, then run the same command again"
        words = github_refusals.quote_answer(answer.out)
        return StepFailed(
            f"{request.name}: GitHub's API answered {answer.code} to {request.method} "
            f"{request.path}: {words}",
            hint=hint,
            passes=passes,
            pause=pause or 0.0,
        )


def _write_document(data: object) -> str:
    """Give the text of what PyGithub has decoded already."""
    return data if isinstance(data, str) else json.dumps(data)


def _open_connection(address: str, timeout: int, environment: Mapping[str, str]) -> Connection:
    """Open a connection to ``address``; PyGithub opens others by the same rules.

    A file is sent to another host, which PyGithub allows or refuses.
    """
    from github.Requester import (
        HTTPRequestsConnectionClass,
        HTTPSRequestsConnectionClass,
        Requester,
    )

    def open_plain(host: str, port: int | None = None, **_options: object) -> Connection:
        connection = HTTPRequestsConnectionClass(host, port, timeout=timeout)
        return _apply_rules(connection, environment)

    def open_secure(host: str, port: int | None = None, **_options: object) -> Connection:
        connection = HTTPSRequestsConnectionClass(host, port, timeout=timeout)
        return _apply_rules(connection, environment)

    # They are only called, as the classes that they stand for would be.
    Requester.injectConnectionClasses(
        staticmethod(open_plain),
        staticmethod(open_secure),
    )
    parts = urlsplit(address)
    opener = open_secure if parts.scheme == "https" else open_plain
    return opener(parts.hostname or "", parts.port)


def _apply_rules(connection: Connection, environment: Mapping[str, str]) -> Connection:
    """Connect as ``environment`` says, and leave out headers that PyGithub fails to read."""
    from shipway.effects.connections import Connections

    connection.session = Connections(environment, attempts=0)
    receive = connection.getresponse

    def receive_readable() -> RequestsResponse:
        response = receive()
        github_refusals.drop_unreadable(response.headers)
        return response

    connection.getresponse = receive_readable
    return connection


def _send_json(
    requester: Requester, request: Request, connection: Connection
) -> tuple[Answer, Mapping[str, str]]:
    body = dict(request.body) or None
    status, headers, text = requester.requestJson(
        request.method, request.path, input=body, cnx=connection
    )
    return Answer(code=status, out=text), headers


def _send_content(requester: Requester, request: Request) -> tuple[Answer, Mapping[str, str]]:
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(request.content)),
    }
    content = io.BytesIO(request.content)
    requester.requestMemoryBlobAndCheck(
        request.method,
        request.path,
        {},
        headers,
        content,
    )
    return Answer(code=201), {}
