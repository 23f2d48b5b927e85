"""Carries requests to GitHub's REST API, through PyGithub: its retries, its limits, its connections."""

from __future__ import annotations

import io
from collections.abc import Callable

from shipway.errors import StepFailed
from shipway.model.actions import Answer, Request

DEFAULT = "https://api.github.com"
_TIMEOUT = 30.0
"""Seconds that the API may take to answer."""
_ATTEMPTS = 3
"""How often a question is asked again."""


class Api:
    """One API at ``address``, with a token. Connects with the first request."""

    def __init__(self, address: str, token: str, *, patience: float = _TIMEOUT) -> None:
        self._address = address or DEFAULT
        self._token = token
        self._timeout = int(min(patience, _TIMEOUT))
        self._send: Callable[[Request], Answer] | None = None

    def __call__(self, request: Request) -> Answer:
        """Send it; raises ``StepFailed`` when the status is not an expected one."""
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
                f"{request.name}: GitHub's API did not answer, to {request.why}: {type(error).__name__}",
                hint="check the network, then run the same command again",
                passes=True,
            ) from error
        if answer.code not in request.expected:
            raise StepFailed(
                f"{request.name}: GitHub's API answered {answer.code} to {request.method} {request.path}: "
                f"{(answer.err or answer.out)[:300]}",
                hint="401 or 403: the job needs `contents: write`; otherwise run the same command again",
                passes=answer.code == 429 or answer.code >= 500,
            )
        return answer

    def _connect(self) -> Callable[[Request], Answer]:
        from github import Auth, Github, GithubRetry

        # A write whose answer is lost may be done: only questions are asked again, writes after a look.
        retry = GithubRetry(
            total=_ATTEMPTS,
            allowed_methods=("GET",),
            status_forcelist=[429, *range(500, 600)],
            backoff_factor=0.5,
        )
        # One second between writes is PyGithub's default against abuse limits; a release makes three of them.
        requester = Github(
            auth=Auth.Token(self._token),
            base_url=self._address,
            timeout=self._timeout,
            retry=retry,
            seconds_between_requests=None,
            seconds_between_writes=None,
        ).requester

        def send(request: Request) -> Answer:
            if request.content:
                headers = {
                    "Content-Type": "application/json",
                    "Content-Length": str(len(request.content)),
                }
                requester.requestMemoryBlobAndCheck(
                    request.method, request.path, {}, headers, io.BytesIO(request.content)
                )
                return Answer(code=201)
            status, _, text = requester.requestJson(
                request.method, request.path, input=dict(request.body) or None
            )
            return Answer(code=status, out=text)

        return send
