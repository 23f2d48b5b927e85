"""What has to hold of an image before anybody trusts it: small policies that compose, one concern each. Pure.

The stages of a release and ``shipway verify IMAGE`` judge by the same ones. What is missing does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from shipway.image.policies.build import Built, Fresh
from shipway.image.policies.contents import (
    Labels,
    Licenses,
    NamesWhatIsInstalled,
    RightArchitecture,
    Subjects,
)
from shipway.image.policies.evidence import Evidence, Point, Policy
from shipway.image.policies.index import Attested, Platforms, Resolved, Signed, StillAtDigest

__all__ = ["All", "Evidence", "Expected", "Policy", "content_policy", "strict_policy"]


@dataclass(frozen=True, slots=True)
class All:
    """Each of several policies, in their order."""

    policies: tuple[Policy, ...]

    def check(self, image: Evidence) -> Iterator[Point]:
        """Every point of every policy: nothing stops at the first fault."""
        for policy in self.policies:
            yield from policy.check(image)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is known beforehand about an image. What is empty is not known, and then has only to be consistent."""

    platforms: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    named: tuple[str, ...] = ()
    """Labels that have to be there, and say the same everywhere."""
    source: str = ""
    """Address of the repository that the image is built from, such as ``https://github.com/owner/name``."""
    builders: tuple[str, ...] = ()
    """Exact identities of builders; one that ends with a slash allows whatever stands below it."""
    licenses: tuple[str, ...] = ()
    allow_foreign: tuple[str, ...] = ()
    maximum_age: int = 0
    """Days."""
    now: int = 0
    """Seconds since 1970, to compare ages with."""


def content_policy(expected: Expected) -> Policy:
    """What has to hold of the content of an image, before it is signed and ever after."""
    limits: tuple[Policy, ...] = (Licenses(expected.licenses),) if expected.licenses else ()
    limits += (Fresh(expected.maximum_age, expected.now),) if expected.maximum_age else ()
    return All(
        (
            Labels(expected.labels, expected.named),
            RightArchitecture(expected.allow_foreign),
            NamesWhatIsInstalled(),
            Built(expected.builders, expected.source),
            Subjects(),
            *limits,
        )
    )


def strict_policy(expected: Expected) -> Policy:
    """Everything that has to hold of an image that is out."""
    return All(
        (
            Resolved(),
            Signed(),
            Platforms(expected.platforms),
            Attested(),
            content_policy(expected),
            StillAtDigest(),
        )
    )
