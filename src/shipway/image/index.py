"""An image index and its entries are read from ``docker buildx imagetools inspect``.

Source of the shape: the OCI image index specification, and BuildKit's attestation storage, which
keeps one manifest of platform ``unknown/unknown`` for each platform, annotated with the digest
that it speaks of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict, cast

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
SUBJECT = "vnd.docker.reference.digest"
"""Annotation of an attestation: the digest that it speaks of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of an index stands for one manifest.

    An attestation has a ``subject`` (the digest that it speaks of) and no platform.
    """

    digest: str
    platform: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A multi-platform image has a digest, entries in their order, and annotations."""

    digest: str
    entries: tuple[Entry, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def images(self) -> tuple[Entry, ...]:
        """The entries that can be run, one for each platform."""
        return tuple(entry for entry in self.entries if entry.platform)

    @property
    def attestations(self) -> tuple[Entry, ...]:
        """The entries that speak of another one."""
        return tuple(entry for entry in self.entries if entry.subject)

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platforms, such as ``linux/arm64``, in the order of the index."""
        return tuple(entry.platform for entry in self.images)

    @property
    def imagined(self) -> bool:
        """Whether the digest only stands in for one, in a dry run: no registry knows it."""
        return not _DIGEST.fullmatch(self.digest)

    @property
    def leaves_first(self) -> tuple[str, ...]:
        """The digests of all entries, then the index's.

        Its signature comes last, as the record that everything below it is signed.
        """
        entries = [entry.digest for entry in self.entries]
        return (*entries, self.digest)


class Platform(TypedDict, total=False):
    """`platform` of an index's entry names the machine that the image is for."""

    os: str
    architecture: str
    variant: str


class _Manifest(TypedDict, total=False):
    digest: str
    platform: Platform
    annotations: dict[str, str]
    manifests: list["_Manifest"]


def parse_index(text: str) -> Index:
    """Read ``imagetools inspect --format '{{json .Manifest}}'``.

    A single manifest gives an index without entries, so that whoever asks for platforms sees that
    it has none. Raises ``ValueError`` when the text is not a manifest.
    """
    document = json.loads(text)
    if not isinstance(document, dict) or not document.get("digest"):
        raise ValueError("not an image manifest: it has no digest")
    index = cast(_Manifest, document)
    manifests = index.get("manifests") or []
    annotations = index.get("annotations") or {}
    return Index(
        digest=index["digest"],
        entries=tuple(map(_entry, manifests)),
        annotations=annotations,
    )


def _entry(manifest: _Manifest) -> Entry:
    annotations = manifest.get("annotations") or {}
    subject = annotations.get(SUBJECT, "")
    platform = manifest.get("platform") or {}
    is_attestation = subject and not is_runnable(platform)
    return Entry(
        digest=manifest["digest"],
        platform="" if is_attestation else platform_name(platform),
        subject=subject,
    )


def is_runnable(platform: Platform) -> bool:
    """Answer whether an engine would run it.

    What can be run is an image, even if it calls itself an attestation.
    """
    return platform.get("os", "unknown") != "unknown"


def platform_name(platform: Platform) -> str:
    """Name the platform of an index's entry, such as `linux/arm/v7`.

    BuildKit writes arm64 with the variant v8 or without one; both name the same machine
    (containerd's normalisation).
    """
    machine = (
        platform.get("os", "unknown"),
        platform.get("architecture", "unknown"),
        platform.get("variant", ""),
    )
    name = "/".join(filter(None, machine))
    return "linux/arm64" if name == "linux/arm64/v8" else name
