"""What is in a pushed image is described by these types, between who reads it and who judges it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

SPDX, PROVENANCE = "https://spdx.dev/Document", "https://slsa.dev/provenance/"
"""Beginnings of the predicate types of in-toto statements that BuildKit makes."""


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


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What an index holds, with everything below it."""

    digest: str
    annotations: dict[str, str] = {}
    platforms: dict[str, PlatformContents] = {}
    attestations: tuple[Attestation, ...] = ()

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
