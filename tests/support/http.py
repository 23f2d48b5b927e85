"""Requests to services on this machine, whose every answer is an answer, errors too."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPResponse


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows nobody elsewhere."""

    def redirect_request(self, *_words: object) -> None:
        """Take the redirect for the answer."""


@dataclass(frozen=True)
class Reply:
    """What a service answered; the names of ``headers`` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def request(
    url: str,
    method: str = "GET",
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Ask a service on this machine; it is not followed elsewhere."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect)
    question = urllib.request.Request(url, content, dict(headers or {}), method=method)
    try:
        with opener.open(question, timeout=10) as answer:
            return _read(answer.status, answer)
    except urllib.error.HTTPError as error:
        with error:
            return _read(error.code, error)


def _read(status: int, answer: HTTPResponse | urllib.error.HTTPError) -> Reply:
    headers = {name.lower(): text for name, text in answer.headers.items()}
    return Reply(status, headers, answer.read())


def send(
    url: str, method: str, content: bytes | None, headers: Mapping[str, str]
) -> tuple[int, dict[str, str]]:
    """Give (status, headers) of a request, as ``tests.support.published.Shelf`` asks."""
    reply = request(url, method, content, headers)
    return reply.status, {"Location": reply.headers.get("location", "")}
