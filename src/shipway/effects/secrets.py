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
    """Replace every secret value in ``text`` by ``***``, and each line of one that has several.

    The longest comes first, so that no part of one is left over.
    """
    words: set[str] = set()
    for value in values:
        words.add(value)
        # A private key is printed line by line, too.
        words.update(line.strip() for line in value.splitlines())
    for word in sorted(words, key=len, reverse=True):
        if len(word) >= _SHORTEST:
            text = text.replace(word, "***")
    return text
