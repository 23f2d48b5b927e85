"""This module reads how GitHub's API refuses: for now, or for good, and what to do next. Pure.

Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api and
https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, MutableMapping
from datetime import UTC
from email.utils import parsedate_to_datetime

import msgspec

FIRST_PAUSE = 60.0
"""Says how many seconds to wait for a limit that says nothing; then twice as long each time."""
DELETION_NEEDS = (
    "the job needs `permissions: packages: write` (a classic token: `read:packages` and "
    "`delete:packages`), and the role Admin on the package"
)
"""Says what a token needs that deletes versions of a package."""
_TOO_MANY_REQUESTS = 429
_LIMIT_WORDS = re.compile(r"rate limit|abuse detection", re.IGNORECASE)
_NUMBERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
_LONGEST_QUOTE = 300
_MOST_SECONDS = 120


class _Document(msgspec.Struct, frozen=True):
    """Holds what the API says of a request that it refuses."""

    message: str = ""
    errors: tuple[object, ...] | None = None


class _Fault(msgspec.Struct, frozen=True):
    """Holds what is wrong with one field of a request."""

    field: str | None = None
    code: str | None = None
    message: str | None = None


def is_limit(status: int, headers: Mapping[str, str], text: str) -> bool:
    """Tell whether a refusal is one of GitHub's limits, and not a lack of rights.

    It tells both with 403, and the limits apart by a header or in words. ``headers`` have names in
    lower case.
    """
    if status == _TOO_MANY_REQUESTS:
        return True
    if status != 403:
        return False
    if _is_used_up(headers) or "retry-after" in headers:
        return True
    return _LIMIT_WORDS.search(text) is not None


def read_pause(headers: Mapping[str, str], now: float) -> float | None:
    """Give the seconds that an answer asks to wait, ``None`` where it does not say so readably.

    ``now`` is the time in seconds since 1970. A time that is over asks for no pause.
    """
    retry_after = headers.get("retry-after", "")
    pause = _read_retry_after(retry_after, now)
    if pause is None and _is_used_up(headers):
        reset_time = headers.get("x-ratelimit-reset", "")
        reset = _read_number(reset_time)
        if reset is not None:
            # Nobody knows when in that second.
            pause = reset + 1 - now
    if pause is None:
        return None
    return max(pause, 0.0)


def _is_used_up(headers: Mapping[str, str]) -> bool:
    """Tell whether a limit allows no further request for now."""
    remaining = headers.get("x-ratelimit-remaining", "")
    return remaining.strip() == "0"


def _read_retry_after(text: str, now: float) -> float | None:
    """Read a number of seconds, or a date (RFC 9110, 10.2.3)."""
    seconds = _read_number(text)
    if seconds is not None:
        return seconds
    try:
        date = parsedate_to_datetime(text)
        if date.tzinfo is None:
            date = date.replace(tzinfo=UTC)
        return date.timestamp() - now
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def drop_unreadable(headers: MutableMapping[str, str]) -> None:
    """Leave out the numbers of a limit that are none."""
    for name in _NUMBERS:
        if name in headers and _read_number(headers[name]) is None:
            del headers[name]


def _read_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def render_pause(seconds: float) -> str:
    """Say how long a pause is, for people."""
    if seconds <= _MOST_SECONDS:
        return f"{seconds:.0f} s"
    if seconds <= 60 * _MOST_SECONDS:
        return f"{seconds / 60:.0f} minutes"
    return "hours"


def quote_answer(text: str) -> str:
    """Give what the API says of a refusal, in its own words."""
    try:
        document = msgspec.json.decode(text, type=_Document)
    except (ValueError, RecursionError):
        return text[:_LONGEST_QUOTE]
    details: list[str] = []
    for fault in document.errors or ():
        detail = _describe(fault)
        if detail:
            details.append(detail)
    parts = [document.message, "; ".join(details)]
    words = ": ".join(part for part in parts if part)
    quote = words or text
    return quote[:_LONGEST_QUOTE]


def _describe(fault: object) -> str:
    try:
        about = msgspec.convert(fault, _Fault)
    except msgspec.ValidationError:
        return str(fault)
    words = (about.field, about.code, about.message)
    return " ".join(word for word in words if word)


_HINTS = {
    400: "do what GitHub's words say, or leave it as it is: it is refused again else",
    401: "the token is not accepted: set a valid GITHUB_TOKEN (in Actions: "
    "`env: GITHUB_TOKEN: ${{ github.token }}`)",
    409: "somebody changes the same thing at this moment: run the same command again",
}


def find_hint(status: int, text: str, permission: str) -> str:
    """Say what to do next about a refusal that is none of the limits.

    ``permission`` is what the token needs, as a workflow grants it.
    """
    if status == 403:
        return f"the token lacks a right: {_describe_permission(permission)}"
    if status == 404:
        return (
            "GitHub shows no such thing to this token: check GITHUB_REPOSITORY; "
            f"{_describe_permission(permission)}"
        )
    if status == 422:
        return _advise_on_content(text)
    return _HINTS.get(status, "run the same command again")


def _describe_permission(permission: str) -> str:
    if permission == "packages: write":
        return DELETION_NEEDS
    needs = f"the job needs `permissions: {permission}`"
    if permission.startswith("packages"):
        return f"{needs} (a classic token: `read:packages`)"
    return needs


def _advise_on_content(text: str) -> str:
    if "already_exists" in text:
        return "it is there already: look at it with `shipway status`, then run the command again"
    if "too long" in text:
        return "shorten what GitHub calls too long, then run the same command again"
    return "fix what GitHub's words name, then run the same command again; else it refuses again"
