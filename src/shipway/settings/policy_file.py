"""A policy file says what somebody who uses images demands of them beyond a good signature."""

from __future__ import annotations

import tomllib

import msgspec

from shipway.settings.problems import find_problems, settings_error
from shipway.settings.tables import PolicySettings, Words


class Limits(PolicySettings, frozen=True, kw_only=True, rename="kebab"):
    """The keys that a policy file may have; what is left out is not limited."""

    builders: Words = ()
    """Exact identities of builders; one that ends with a slash allows whatever stands below it."""
    platforms: Words = ()
    """The platforms that the image must have, no fewer and no more."""
    maximum_age: int = 0
    """Days since the image was built."""


def parse_limits(text: str, place: str) -> Limits:
    """Read a policy file; raises ``SettingsError`` with every problem at once."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise settings_error(place, [f"not valid TOML: {error}"], "fix that line") from error
    problems = [*find_problems(document, Limits, "policy")]
    if problems:
        hint = "fix these; docs/verify.md says what a policy may hold"
        raise settings_error(place, problems, hint)
    limits = msgspec.convert(document, Limits)
    if limits.maximum_age < 0:
        problem = "policy.maximum-age: days are counted from 1"
        raise settings_error(place, [problem], "set it to 1 or more, or leave it out")
    return limits
