"""Tells the secrets of an environment apart, and keeps their values out of what people see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shipway.settings.secret_names import is_secret_name

_SHORTEST = 6
"""Characters; shorter values are not masked: they would blank out ordinary words."""


def split(environment: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Give the environment as (public variables, secrets)."""
    public: dict[str, str] = {}
    secret: dict[str, str] = {}
    for name, value in environment.items():
        variables = secret if is_secret_name(name) else public
        variables[name] = value
    return public, secret


def redact(text: str, values: Iterable[str]) -> str:
    """Replace every secret value in ``text`` by ``***``.

    The longest comes first, so that no part of one is left over.
    """
    for value in sorted(set(values), key=len, reverse=True):
        if len(value) >= _SHORTEST:
            text = text.replace(value, "***")
    return text
