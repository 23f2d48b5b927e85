"""Small policies, each of one concern, say what must hold of an image before anybody trusts it.

The stages of a release and ``shipway verify IMAGE`` judge by the same policies. What is missing
does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from shipway.image.policies.build import Built, Fresh
from shipway.image.policies.contents import (
    Complete,
    Labels,
    Licenses,
    NamesWhatIsInstalled,
    OwnVersion,
    RightArchitecture,
    Subjects,
)
from shipway.image.policies.evidence import Evidence, Point, Policy, describe_faults
from shipway.image.policies.index import (
    NO_INDEX,
    Attested,
    Platforms,
    Resolved,
    Signed,
    StillAtDigest,
)
from shipway.image.policies.secrets import NoSecrets

__all__ = [
    "NO_INDEX",
    "Evidence",
    "Expected",
    "Point",
    "Policy",
    "content_policy",
    "describe_faults",
    "strict_policy",
]


@dataclass(frozen=True, slots=True)
class _All:
    """Several policies hold together, in their order."""

    policies: tuple[Policy, ...]

    def check(self, image: Evidence) -> Iterator[Point]:
        """Give every point of every policy: nothing stops at the first fault."""
        for policy in self.policies:
            yield from policy.check(image)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is known beforehand about an image.

    What is empty is not known, and then has only to be consistent.
    """

    platforms: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    named: tuple[str, ...] = ()
    """Keys of labels that have to be there, and say the same everywhere."""
    distribution: str = ""
    """Name of the project's own Python distribution, which may be installed in the image."""
    version: str = ""
    """Version of the release; empty for what is no release."""
    source: str = ""
    """Address of the repository that is built, such as ``https://github.com/owner/name``."""
    builders: tuple[str, ...] = ()
    """Exact identities of builders; one that ends with a slash allows whatever stands below it."""
    licenses: tuple[str, ...] = ()
    allow_foreign: tuple[str, ...] = ()
    maximum_age: int = 0
    """Days since the image was built; 0 for any age."""
    now: int = 0
    """Seconds since 1970, to compare ages with."""


def content_policy(expected: Expected) -> Policy:
    """Give what has to hold of the content of an image, before it is signed and ever after."""
    policies: list[Policy] = [
        Complete(),
        Labels(expected.labels, expected.named),
        RightArchitecture(expected.allow_foreign),
        NamesWhatIsInstalled(),
        Built(expected.builders, expected.source),
        NoSecrets(),
        Subjects(),
    ]
    if expected.distribution and expected.version:
        policies.append(OwnVersion(expected.distribution, expected.version))
    if expected.licenses:
        policies.append(Licenses(expected.licenses))
    if expected.maximum_age:
        policies.append(Fresh(expected.maximum_age, expected.now))
    return _All(tuple(policies))


def strict_policy(expected: Expected) -> Policy:
    """Give everything that has to hold of an image that is out."""
    policies = (
        Resolved(),
        Signed(),
        Platforms(expected.platforms),
        Attested(),
        content_policy(expected),
        StillAtDigest(),
    )
    return _All(policies)
