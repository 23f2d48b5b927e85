"""What is in a pushed image, as it was read back from the registry: the words between who reads and who judges."""

from __future__ import annotations

from typing import Any

import msgspec

SPDX, PROVENANCE = "https://spdx.dev/Document", "https://slsa.dev/provenance/"
"""Beginnings of the predicate types of in-toto statements that BuildKit makes."""


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """An in-toto statement: what it says of which digests."""

    type: str
    """Predicate type."""
    subjects: tuple[str, ...]
    """Digests, with their method: ``sha256:…``."""
    packages: tuple[tuple[str, str, str], ...] = ()
    """Of an SBOM: (name, version, license), without the image itself; the license is empty when it is not known."""
    build: dict[str, Any] = {}  # Any: the values of a JSON document
    """Of a provenance: its predicate."""


class Attestation(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest with statements about another one, the ``subject`` of its annotation."""

    digest: str
    subject: str
    statements: tuple[Statement, ...]


class PlatformContents(msgspec.Struct, frozen=True, kw_only=True):
    """The image of one platform."""

    digest: str
    labels: dict[str, str] = {}
    compiled: int = 0
    """Number of compiled files."""
    foreign: tuple[str, ...] = ()
    """Compiled files for another machine."""
    distributions: tuple[tuple[str, str], ...] = ()
    """Python distributions that are installed: (name, version)."""


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """An index with everything below it."""

    digest: str
    annotations: dict[str, str] = {}
    platforms: dict[str, PlatformContents] = {}
    attestations: tuple[Attestation, ...] = ()

    def statements(self, platform: str, kind: str) -> tuple[Statement, ...]:
        """The statements about a platform whose predicate type begins with ``kind``."""
        digest = self.platforms[platform].digest
        return tuple(
            statement
            for one in self.attestations
            if one.subject == digest
            for statement in one.statements
            if statement.type.startswith(kind)
        )

    def packages(self, platform: str) -> tuple[tuple[str, str, str], ...]:
        """The packages that the platform's SBOM names."""
        return tuple(package for one in self.statements(platform, SPDX) for package in one.packages)


def parse_contents(text: str) -> Contents:
    """Read what ``shipway.effects.read_image`` prints; raises ``ValueError``."""
    return msgspec.json.decode(text, type=Contents)
