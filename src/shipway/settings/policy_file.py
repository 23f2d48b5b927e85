"""A policy file says what somebody who uses images demands of them beyond a good signature."""

from __future__ import annotations

from typing import Annotated

import msgspec

from shipway.settings.platforms import parse_platforms, platform_problems
from shipway.settings.problems import find_problems, parse_toml, settings_error
from shipway.settings.tables import PolicySettings, Words


class Limits(PolicySettings, frozen=True, kw_only=True, rename="kebab"):
    """The keys that a policy file may have; what is left out is not limited, but for ``severity``."""

    builders: Words = ()
    """Exact identities of builders; one that ends with a slash allows whatever stands below it."""
    platforms: Words = ()
    """The platforms that the image must have, no fewer and no more."""
    maximum_age: Annotated[int, msgspec.Meta(ge=1)] = 0
    """Days since the image was built; 0, for any age, where it is left out."""


def parse_limits(text: str, place: str) -> Limits:
    """Read a policy file; raises ``SettingsError`` with every problem at once."""
    document = parse_toml(text, place)
    problems = [*find_problems(document, Limits, "policy")]
    limits = Limits()
    if not problems:
        limits = msgspec.convert(document, Limits)
        for problem in platform_problems(limits.platforms):
            problems.append(f"policy.platforms: {problem}")
    if problems:
        hint = "fix these; docs/verify.md says what a policy may hold"
        raise settings_error(place, problems, hint)
    platforms = parse_platforms(limits.platforms)
    return msgspec.structs.replace(limits, platforms=platforms)
