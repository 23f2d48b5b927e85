"""An image index and its entries, read from what ``docker buildx imagetools inspect`` prints.

Source of the shape: the OCI image index specification, and BuildKit's attestation storage, which keeps one manifest
of platform ``unknown/unknown`` for each platform, annotated with the digest that it speaks of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict, cast

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
SUBJECT = "vnd.docker.reference.digest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One manifest of an index. An attestation has a ``subject`` (the digest it speaks of) and no platform."""

    digest: str
    platform: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A multi-platform image: its digest, its entries in their order, and its annotations."""

    digest: str
    entries: tuple[Entry, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def images(self) -> tuple[Entry, ...]:
        """The entries that can be run, one a platform."""
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
        """The digest only stands in for one, in a dry run: no registry can be asked about it."""
        return not _DIGEST.fullmatch(self.digest)

    @property
    def leaves_first(self) -> tuple[str, ...]:
        """All digests, the index last: its signature is the record that everything below is signed."""
        return (*(entry.digest for entry in self.entries), self.digest)


class Platform(TypedDict, total=False):
    """`platform` of an index's entry."""

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

    A single manifest gives an index without entries, so that whoever asks for platforms sees that there are none.
    Raises ``ValueError`` when the text is not a manifest.
    """
    found = cast(_Manifest, json.loads(text))
    if not isinstance(found, dict) or not found.get("digest"):
        raise ValueError("not an image manifest: it has no digest")
    entries = tuple(_entry(manifest) for manifest in found.get("manifests") or [])
    return Index(
        digest=found["digest"], entries=entries, annotations=found.get("annotations") or {}
    )


def _entry(manifest: _Manifest) -> Entry:
    subject = (manifest.get("annotations") or {}).get(SUBJECT, "")
    platform = manifest.get("platform") or {}
    if subject and not is_runnable(platform):
        return Entry(digest=manifest["digest"], subject=subject)
    return Entry(digest=manifest["digest"], platform=platform_name(platform), subject=subject)


def is_runnable(platform: Platform) -> bool:
    """Whether an engine would run it: what only calls itself an attestation is an image all the same."""
    return platform.get("os", "unknown") != "unknown"


def platform_name(platform: Platform) -> str:
    """`linux/arm/v7` of an index's entry.

    BuildKit writes arm64 with the variant v8 or without one; both name the same machine (containerd's normalisation).
    """
    words = (
        platform.get("os", "unknown"),
        platform.get("architecture", "unknown"),
        platform.get("variant", ""),
    )
    name = "/".join(word for word in words if word)
    return "linux/arm64" if name == "linux/arm64/v8" else name
