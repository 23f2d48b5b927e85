"""Decodes the JSON documents that a registry keeps into types, at the edge.

Sources: OCI image specification 1.1 ("Content Descriptors", "Image Manifest", "Image Index", "Image
Configuration"). A document of another shape is an error, never half of an answer.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec

from shipway.errors import StepFailed, VerificationFailed
from shipway.image.index import Platform

Digest = Annotated[str, msgspec.Meta(pattern=r"^sha256:[0-9a-f]{64}$")]
"""A digest becomes part of addresses and of names of files, so nothing else passes for one."""
Decoded = TypeVar("Decoded")
LARGEST_DOCUMENT = 256 * 1024 * 1024
"""Bytes that are read of a manifest or of another JSON document."""


class Descriptor(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A reference to content: what it is, how large it is in bytes, and its digest."""

    digest: Digest
    media_type: str = ""
    size: int = 0
    """Holds how many bytes the content has; 0 where that is not said."""
    platform: Platform | None = None
    annotations: dict[str, str] | None = None

    def annotation(self, name: str) -> str:
        """Give the annotation of that name, empty where it has none."""
        return (self.annotations or {}).get(name, "")


class Manifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A manifest of one image, or an index of several: then ``manifests`` are its entries."""

    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] | None = None
    manifests: tuple[Descriptor, ...] | None = None
    subject: Descriptor | None = None
    annotations: dict[str, str] | None = None
    length: int = 0
    """Holds how many bytes it was read from; what a document calls so counts for nothing."""


class TagList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the tags of an image."""

    tags: tuple[str, ...] | None = None


_Words = tuple[str, ...] | None


class _ContainerConfig(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """The part of an image's configuration that containers start with."""

    labels: dict[str, str] | None = None
    env: _Words = None
    cmd: _Words = None
    entrypoint: _Words = None
    on_build: _Words = None


class _Step(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the history says which instruction made a layer."""

    author: str = ""
    comment: str = ""
    created_by: str = ""


class ImageConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The configuration of an image of one platform."""

    author: str = ""
    config: _ContainerConfig | None = None
    history: tuple[_Step, ...] | None = None

    @property
    def labels(self) -> dict[str, str]:
        """Give the image's labels."""
        return (self.config and self.config.labels) or {}


def decode_document(content: bytes, document_type: type[Decoded], name: str) -> Decoded:
    """Read the JSON document ``name``; raises ``StepFailed`` where it is none of that type."""
    try:
        return msgspec.json.decode(content, type=document_type)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise StepFailed(
            f"what the registry has as {name} cannot be understood: {error}",
            hint="build the image again; if it stays so, the registry or the way to it is broken",
        ) from error


def decode_manifest(content: bytes, name: str) -> Manifest:
    """Read the manifest ``name``; raises ``StepFailed`` where it is none."""
    manifest = decode_document(content, Manifest, name)
    return msgspec.structs.replace(manifest, length=len(content))


class UnfitPart(VerificationFailed):
    """Says that a part of an image is there, and is not what the image says of it.

    ``problem`` goes on after the name of the part.
    """

    problem = ""


def unfit_part(digest: str, problem: str) -> UnfitPart:
    """Give the error for a part with this problem."""
    error = UnfitPart(
        f"{digest} {problem}",
        hint="do not use it; build the image again",
    )
    error.problem = problem
    return error


def require_size(descriptor: Descriptor, length: int) -> None:
    """Raise ``UnfitPart`` where content of ``length`` bytes was described as of another size."""
    if descriptor.size in (0, length):
        return
    raise unfit_part(
        descriptor.digest,
        f"has {length} bytes, not {descriptor.size} as what names it says",
    )


def wrong_content(digest: str) -> StepFailed:
    """Give the error for content that is not the one which its digest names."""
    return StepFailed(
        f"the registry gave something else than {digest}",
        hint="run the same command again; if it stays so, the registry or the way to it is broken",
    )
