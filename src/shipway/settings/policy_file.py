"""A policy file: what somebody who uses images demands of them beyond a good signature. Pure."""

from __future__ import annotations

import tomllib

import msgspec

from shipway.settings import PolicySettings, Words
from shipway.settings.problems import find_problems, refusal


class Limits(PolicySettings, frozen=True, kw_only=True, rename="kebab"):
    """The keys of a policy file; what is left out is not limited."""

    builders: Words = ()
    """Exact identities of builders; one that ends with a slash allows whatever stands below it."""
    platforms: Words = ()
    """Exactly these platforms."""
    maximum_age: int = 0
    """Days since the image was built."""


def parse_limits(text: str, place: str) -> Limits:
    """Read a policy file; raises ``SettingsError`` with every problem at once."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise refusal(place, [f"not valid TOML: {error}"], "mend that line") from error
    problems = [*find_problems(found, Limits, "policy")]
    if problems:
        raise refusal(place, problems, "mend these; docs/verify.md says what a policy may hold")
    limits = msgspec.convert(found, Limits)
    if limits.maximum_age < 0:
        raise refusal(place, ["policy.maximum-age: days are counted from 1"], "mend it")
    return limits
