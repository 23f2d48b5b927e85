"""How GitHub's API refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from shipway.tools.github_refusals import (
    find_hint,
    is_limit,
    quote_answer,
    read_pause,
    render_pause,
)

NOW = 1_800_000_000.0
USED_UP = {"x-ratelimit-remaining": "0"}


@pytest.mark.parametrize(
    ("status", "headers", "text", "limited"),
    [
        (429, {}, "", True),
        (403, {"retry-after": "2"}, "", True),
        (403, USED_UP, "", True),
        (403, {}, "You have exceeded a secondary rate limit.", True),
        (403, {}, "You have triggered an abuse detection mechanism.", True),
        (403, {}, "API rate limit exceeded for user ID 1.", True),
        (403, {"x-ratelimit-remaining": "4999"}, "Resource not accessible by integration", False),
        (403, {"x-ratelimit-reset": "1800000100"}, "Must have admin rights", False),
        (401, {"retry-after": "2"}, "Bad credentials", False),
        (404, USED_UP, "Not Found", False),
        (422, {}, "rate limit", False),
    ],
)
def test_a_limit_is_told_from_a_lack_of_rights(
    status: int, headers: Mapping[str, str], text: str, limited: bool
) -> None:
    assert is_limit(status, headers, text) is limited


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"retry-after": "42"}, 42),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "-7"}, 0),
        ({"retry-after": " 5 "}, 5),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "1e12"}, 1e12),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Fri, 15 Jan 2027 08:00:30 GMT"}, 30),
        ({"retry-after": "Fri, 15 Jan 2027 08:00:30 -0000"}, 30),
        ({"retry-after": "Thu, 14 Jan 2027 08:00:00 GMT"}, 0),
        ({"retry-after": "Fri, 45 Jan 2027 08:00:00 GMT"}, None),
        ({**USED_UP, "x-ratelimit-reset": "1800000059"}, 60),
        ({**USED_UP, "x-ratelimit-reset": "1700000000"}, 0),
        ({**USED_UP, "x-ratelimit-reset": "1800000059.5"}, 60.5),
        ({**USED_UP, "x-ratelimit-reset": "soon"}, None),
        ({**USED_UP, "x-ratelimit-reset": "-1"}, 0),
        (USED_UP, None),
        ({"x-ratelimit-remaining": "12", "x-ratelimit-reset": "1800000059"}, None),
        ({**USED_UP, "retry-after": "2", "x-ratelimit-reset": "1800003600"}, 2),
        ({**USED_UP, "retry-after": "soon", "x-ratelimit-reset": "1800000059"}, 60),
        ({}, None),
    ],
)
def test_the_pause_is_the_one_that_is_asked_for(
    headers: Mapping[str, str], pause: float | None
) -> None:
    assert read_pause(headers, NOW) == pause


@pytest.mark.parametrize(
    ("seconds", "words"), [(2, "2 s"), (90, "90 s"), (2700, "45 minutes"), (1e300, "hours")]
)
def test_a_pause_is_told_in_words(seconds: float, words: str) -> None:
    assert render_pause(seconds) == words


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"message": "Not Found"}, "Not Found"),
        (
            {
                "message": "Validation Failed",
                "errors": [{"resource": "Release", "field": "tag_name", "code": "already_exists"}],
            },
            "Validation Failed: tag_name already_exists",
        ),
        (
            {
                "message": "Validation Failed",
                "errors": [
                    {"code": "custom", "message": "body is too long (maximum is 125000 characters)"}
                ],
            },
            "Validation Failed: custom body is too long (maximum is 125000 characters)",
        ),
        ({"message": "No", "errors": ["one thing", {"code": 7}]}, "No: one thing; {'code': 7}"),
        ({"message": "No", "errors": None}, "No"),
        ({"documentation_url": "x"}, '{"documentation_url": "x"}'),
        (["a list"], '["a list"]'),
    ],
)
def test_githubs_own_words_are_quoted(document: object, words: str) -> None:
    assert quote_answer(json.dumps(document)) == words


def test_what_is_no_document_is_quoted_as_it_is() -> None:
    assert quote_answer("<html>") == "<html>"
    assert len(quote_answer("x" * 1000)) == 300


@pytest.mark.parametrize(
    ("status", "text", "words"),
    [
        (400, "You cannot delete the last tagged version", "what GitHub's words say"),
        (401, "", "GITHUB_TOKEN"),
        (403, "", "`permissions: contents: write`"),
        (404, "", "GITHUB_REPOSITORY"),
        (409, "", "at this moment"),
        (422, "already_exists", "it is there already"),
        (422, "body is too long", "shorten"),
        (422, "Validation Failed", "GitHub's words"),
        (418, "", "run the same command again"),
    ],
)
def test_each_status_has_its_own_hint(status: int, text: str, words: str) -> None:
    assert words in find_hint(status, text, "contents: write")


def test_a_refusal_of_packages_speaks_of_packages() -> None:
    hint = find_hint(403, "", "packages: write")
    assert "`permissions: packages: write`" in hint
    assert "`read:packages` and `delete:packages`" in hint and "contents" not in hint
    reading = find_hint(403, "", "packages: read")
    assert "`permissions: packages: read`" in reading and "`read:packages`" in reading
