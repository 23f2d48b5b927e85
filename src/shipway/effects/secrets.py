"""Tells the secrets of an environment apart, and keeps them out of what people see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from shipway.settings.secret_marks import find_passwords, is_secret_name, mask_secrets

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


def hidden_values(environment: Mapping[str, str]) -> list[str]:
    """List what is not to be shown: values of secrets, and passwords in addresses of others.

    A proxy's address holds one, and yet every command needs it.
    """
    public, secret = split(environment)
    values = [*secret.values()]
    for address in public.values():
        for password in find_passwords(address):
            values += (password, unquote(password))
    return values


def redact(text: str, values: Iterable[str]) -> str:
    """Replace by ``***`` what ``blank`` does, and whatever looks like a secret, known or not."""
    text = blank(text, values)
    return mask_secrets(text)


def blank(text: str, values: Iterable[str]) -> str:
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
