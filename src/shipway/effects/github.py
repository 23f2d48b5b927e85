"""Carries requests to GitHub's REST API, through PyGithub: its retries, limits, connections."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from shipway.errors import StepFailed
from shipway.model.actions import Answer, Request

if TYPE_CHECKING:
    from github.Requester import Requester

DEFAULT = "https://api.github.com"
_TIMEOUT = 30.0
"""Seconds that the API may take to answer."""
_ATTEMPTS = 3
"""How often a question is asked again."""
_TOO_MANY_REQUESTS = 429
_LONGEST_QUOTE = 300


class Api:
    """Sends requests to the API at ``address``, with a token. Connects with the first request."""

    def __init__(self, address: str, token: str, *, patience: float = _TIMEOUT) -> None:
        self._address = address or DEFAULT
        self._token = token
        self._timeout = int(min(patience, _TIMEOUT))
        self._send: Callable[[Request], Answer] | None = None

    def __call__(self, request: Request) -> Answer:
        """Send the request; raises ``StepFailed`` when the status is not an expected one."""
        from github import GithubException  # slow to import
        from requests import RequestException

        if not self._token:
            raise StepFailed(
                f"{request.name}: no token for GitHub's API, to {request.why}",
                hint="set GITHUB_TOKEN (in Actions: `env: GITHUB_TOKEN: ${{ github.token }}`)",
            )
        if self._send is None:
            self._send = self._connect()
        try:
            answer = self._send(request)
        except GithubException as error:
            answer = Answer(code=error.status, err=str(error.data or error.message))
        except RequestException as error:
            raise StepFailed(
                f"{request.name}: GitHub's API did not answer, to {request.why}: "
                f"{type(error).__name__}",
                hint="check the network, then run the same command again",
                passes=True,
            ) from error
        if answer.code not in request.expected:
            raise _refused(request, answer)
        return answer

    def _connect(self) -> Callable[[Request], Answer]:
        from github import Auth, Github, GithubRetry

        # A write whose answer is lost may be done: only questions are asked again here.
        retry = GithubRetry(
            total=_ATTEMPTS,
            allowed_methods=("GET",),
            status_forcelist=[_TOO_MANY_REQUESTS, *range(500, 600)],
            backoff_factor=0.5,
        )
        # PyGithub waits a second between writes, against abuse limits; a release makes three.
        client = Github(
            auth=Auth.Token(self._token),
            base_url=self._address,
            timeout=self._timeout,
            retry=retry,
            seconds_between_requests=None,
            seconds_between_writes=None,
        )
        requester = client.requester

        def send(request: Request) -> Answer:
            return (
                _send_content(requester, request)
                if request.content
                else _send_json(requester, request)
            )

        return send


def _send_json(requester: Requester, request: Request) -> Answer:
    body = dict(request.body) or None
    status, _, text = requester.requestJson(request.method, request.path, input=body)
    return Answer(code=status, out=text)


def _send_content(requester: Requester, request: Request) -> Answer:
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
    return Answer(code=201)


def _refused(request: Request, answer: Answer) -> StepFailed:
    """Give the error for an answer whose status is not an expected one."""
    quote = (answer.err or answer.out)[:_LONGEST_QUOTE]
    return StepFailed(
        f"{request.name}: GitHub's API answered {answer.code} to {request.method} {request.path}: "
        f"{quote}",
        hint="401 or 403: the job needs `contents: write`; otherwise run the same command again",
        passes=answer.code == _TOO_MANY_REQUESTS or answer.code >= 500,
    )
