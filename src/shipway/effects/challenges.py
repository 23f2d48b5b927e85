"""Reads what a server says about how it wants to be asked: its challenges (RFC 7235). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.request import parse_http_list

_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETER = re.compile(rf"({_NAME})\s*=\s*(.*)", re.DOTALL)
_SCHEME = re.compile(rf"({_NAME})(?:\s+(.*))?", re.DOTALL)
_STRONGEST_FIRST = ("bearer", "basic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One way in which a server may be asked: a scheme in small letters, and its parameters."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse_challenges(header: str) -> list[Challenge]:
    """Read the header ``WWW-Authenticate``, several in one among them; nonsense gives none."""
    challenges: list[Challenge] = []
    parameters: dict[str, str] = {}
    for item in parse_http_list(header):
        parameter = _PARAMETER.fullmatch(item)
        if parameter is None:
            scheme = _SCHEME.fullmatch(item)
            if scheme is None:
                continue
            parameters = {}
            challenge = Challenge(scheme=scheme[1].lower(), parameters=parameters)
            challenges.append(challenge)
            parameter = _PARAMETER.fullmatch(scheme[2] or "")
        if parameter is not None:
            name = parameter[1].lower()
            parameters.setdefault(name, _unquote(parameter[2]))
    return challenges


def choose_challenge(challenges: list[Challenge]) -> Challenge | None:
    """Give the strongest of those that shipway can answer."""
    for scheme in _STRONGEST_FIRST:
        for challenge in challenges:
            if challenge.scheme == scheme:
                return challenge
    return None


def _unquote(value: str) -> str:
    value = value.strip()
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value
