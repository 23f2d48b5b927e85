"""What is in a pushed image is described by these types, between who reads it and who judges it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

SPDX, PROVENANCE = "https://spdx.dev/Document", "https://slsa.dev/provenance/"
"""Beginnings of the predicate types of in-toto statements that BuildKit makes."""
MANIFEST = "manifest"
CONFIGURATION = "configuration"
LAYER = "layer"
ATTESTATION = "attestation manifest"
STATEMENT = "statement"
NOT_THERE = "is not there"


class BrokenPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an image is not there, or is not what the image says of it."""

    kind: str
    """What the part is: one of the names above."""
    digest: str
    platform: str
    problem: str
    """Goes on after the part's name: ``is not there``."""

    def describe(self) -> str:
        """Say which part it is, and what is wrong with it."""
        return f"{self.kind} {self.digest} of {self.platform} {self.problem}"


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """An in-toto statement says something of the digests that are its subjects."""

    type: str
    """The type of its predicate, an address."""
    subjects: tuple[str, ...]
    """Digests, with their method: ``sha256:…``."""
    packages: tuple[tuple[str, str, str], ...] = ()
    """(name, version, license) that an SBOM names, without the image itself.

    The license is empty when it is not known.
    """
    distributions: tuple[tuple[str, str], ...] = ()
    """(name, version) of those of its packages that are Python distributions."""
    build: dict[str, Any] = {}  # Any: the values of a JSON document
    """The predicate of a provenance; empty in other statements."""


class Attestation(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest holds statements about another one, the ``subject`` of its annotation."""

    digest: str
    subject: str
    statements: tuple[Statement, ...]


class PlatformContents(msgspec.Struct, frozen=True, kw_only=True):
    """What the image of one platform holds."""

    digest: str
    labels: dict[str, str] = {}
    compiled: int = 0
    """How many compiled files it holds."""
    foreign: tuple[str, ...] = ()
    """Paths of compiled files for another machine."""
    distributions: tuple[tuple[str, str], ...] = ()
    """(name, version) of the Python distributions that are installed."""
    leaks: tuple[str, ...] = ()
    """Places in its configuration that hold a secret, such as ``config Env PIP_INDEX_URL``."""


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What an index holds, with everything below it.

    Of a part that is ``broken`` nothing is known. A platform whose manifest is so is none of the
    ``platforms``; one whose configuration or layers are so has no labels or files of them.
    """

    digest: str
    annotations: dict[str, str] = {}
    platforms: dict[str, PlatformContents] = {}
    attestations: tuple[Attestation, ...] = ()
    broken: tuple[BrokenPart, ...] = ()

    def lacks(self, kind: str, platform: str) -> bool:
        """Tell whether a part of this kind is broken in the image of a platform."""
        for part in self.broken:
            is_of_kind = part.kind == kind
            if is_of_kind and part.platform == platform:
                return True
        return False

    def statements(self, platform: str, kind: str) -> tuple[Statement, ...]:
        """Give the statements about a platform whose predicate type begins with ``kind``."""
        digest = self.platforms[platform].digest
        statements = self._statements(digest, kind)
        return tuple(statements)

    def _statements(self, digest: str, kind: str) -> Iterator[Statement]:
        for attestation in self.attestations:
            if attestation.subject != digest:
                continue
            for statement in attestation.statements:
                if statement.type.startswith(kind):
                    yield statement

    def packages(self, platform: str) -> tuple[tuple[str, str, str], ...]:
        """Give the (name, version, license) of each package that the platform's SBOM names."""
        packages: list[tuple[str, str, str]] = []
        for statement in self.statements(platform, SPDX):
            packages += statement.packages
        return tuple(packages)

    def distributions(self, platform: str) -> tuple[tuple[str, str], ...]:
        """Give the (name, version) of Python distributions, as installed and as the SBOM says."""
        distributions = [*self.platforms[platform].distributions]
        for statement in self.statements(platform, SPDX):
            distributions += statement.distributions
        return tuple(distributions)
