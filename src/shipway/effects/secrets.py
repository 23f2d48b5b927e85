"""Which variables of the environment are secrets, and how their values are kept out of what people see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shipway.settings.secret_names import is_secret_name

_SHORTEST = 6
"""Shorter values are not masked: they would blank out ordinary words, and are no secrets worth the name."""


def split(environment: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The environment as (public variables, secrets)."""
    secret = {name: value for name, value in environment.items() if is_secret_name(name)}
    return {name: value for name, value in environment.items() if name not in secret}, secret


def redact(text: str, values: Iterable[str]) -> str:
    """``text`` with every secret value replaced by ``***``, the longest first so that no part of one is left over."""
    for value in sorted(set(values), key=len, reverse=True):
        if len(value) >= _SHORTEST:
            text = text.replace(value, "***")
    return text
