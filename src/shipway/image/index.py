"""An image index and its entries are read from ``docker buildx imagetools inspect``.

Source of the shape: the OCI image index specification, and BuildKit's attestation storage, which
keeps one manifest of platform ``unknown/unknown`` for each platform, annotated with the digest
that it speaks of.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, TypedDict

import msgspec

from shipway.settings.platforms import describe_platform

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
    """A multi-platform image has a digest, entries in their order, and annotations.

    ``gone`` lists the digests of its parts that the registry no longer has.
    """

    digest: str
    entries: tuple[Entry, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)
    gone: tuple[str, ...] = ()

    @property
    def images(self) -> tuple[Entry, ...]:
        """Give the entries that can be run, one for each platform."""
        return tuple(entry for entry in self.entries if entry.platform)

    @property
    def attestations(self) -> tuple[Entry, ...]:
        """Give the entries that speak of another one."""
        return tuple(entry for entry in self.entries if entry.subject)

    @property
    def platforms(self) -> tuple[str, ...]:
        """List the platforms, such as ``linux/arm64``, in the order of the index."""
        return tuple(entry.platform for entry in self.images)

    @property
    def imagined(self) -> bool:
        """Answer whether the digest stands in for one, in a dry run: no registry knows it."""
        return not _DIGEST.fullmatch(self.digest)

    @property
    def leaves_first(self) -> tuple[str, ...]:
        """List the digests of all entries, then the index's.

        Its signature comes last, as the record that everything below it is signed.
        """
        entries = [entry.digest for entry in self.entries]
        return (*entries, self.digest)

    def describe_gone(self) -> str:
        """Name the parts that are gone, with the platform that each is of."""
        places = {entry.digest: entry.platform for entry in self.images}
        for attestation in self.attestations:
            subject = attestation.subject
            platform = places.get(subject, subject)
            places[attestation.digest] = f"attestations of {platform}"
        parts: list[str] = []
        for digest in self.gone:
            part = digest
            place = places.get(digest)
            if place:
                part += f" ({place})"
            parts.append(part)
        return ", ".join(parts)


Platform = TypedDict(
    "Platform",
    {
        "os": str,
        "architecture": str,
        "variant": str,
        "os.version": str,
        "os.features": list[str] | None,
    },
    total=False,
)
"""`platform` of an index's entry names the machine that the image is for.

An image's configuration has the same keys.
"""


_Digest = Annotated[str, msgspec.Meta(min_length=1)]


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    digest: _Digest
    platform: Platform | None = None
    annotations: dict[str, str] | None = None


class _Manifest(msgspec.Struct, frozen=True, kw_only=True):
    manifests: tuple[_Entry, ...] | None = None
    annotations: dict[str, str] | None = None


class _Described(_Manifest, frozen=True, kw_only=True):
    digest: _Digest


def parse_index(text: str) -> Index:
    """Read ``imagetools inspect --format '{{json .Manifest}}'``.

    A single manifest gives an index without entries, so that whoever asks for platforms sees that
    it has none. Raises ``ValueError`` when the text is not a manifest.
    """
    try:
        manifest = msgspec.json.decode(text, type=_Described)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(f"not an image manifest: {error}") from error
    return _make_index(manifest.digest, manifest)


def parse_manifest(text: str) -> Index:
    """Read ``imagetools inspect --raw``, the manifest itself: its digest is that of its text.

    Raises ``ValueError`` when the text is not a manifest.
    """
    try:
        manifest = msgspec.json.decode(text, type=_Manifest)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(f"not an image manifest: {error}") from error
    content = text.encode()
    checksum = hashlib.sha256(content).hexdigest()
    digest = f"sha256:{checksum}"
    return _make_index(digest, manifest)


def _make_index(digest: str, manifest: _Manifest) -> Index:
    entries: list[Entry] = []
    for description in manifest.manifests or ():
        entry = make_entry(
            description.digest,
            description.platform,
            description.annotations,
        )
        entries.append(entry)
    return Index(
        digest=digest,
        entries=tuple(entries),
        annotations=manifest.annotations or {},
    )


def make_entry(
    digest: str, platform: Platform | None, annotations: Mapping[str, str] | None
) -> Entry:
    """Tell from its platform and annotations whether an entry is an image or an attestation."""
    name = ""
    if not is_attestation(platform, annotations):
        name = platform_name(platform or {})
    subject = _read_subject(annotations)
    return Entry(
        digest=digest,
        platform=name,
        subject=subject,
    )


def _read_subject(annotations: Mapping[str, str] | None) -> str:
    """Give the digest that an entry speaks of, empty where it speaks of none."""
    if annotations is None:
        return ""
    return annotations.get(SUBJECT, "")


def is_attestation(platform: Platform | None, annotations: Mapping[str, str] | None) -> bool:
    """Answer whether an entry speaks of another one, and no engine would run it.

    What can be run is an image, even if it calls itself an attestation.
    """
    machine = platform or {}
    system = machine.get("os", "unknown")
    if system != "unknown":
        return False
    return bool(_read_subject(annotations))


def platform_name(platform: Platform) -> str:
    """Name the platform of an index's entry, such as `linux/arm/v7`."""
    return describe_platform(
        system=platform.get("os", "unknown"),
        machine=platform.get("architecture", "unknown"),
        variant=platform.get("variant", ""),
        version=platform.get("os.version", ""),
        features=platform.get("os.features") or (),
    )
