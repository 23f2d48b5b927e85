"""Reads the manifests and blobs of an image, each checked against its digest.

Layers are read once: what was found in one is kept under its digest in the user's cache folder,
since a digest names its content.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, cast

import msgspec

from shipway.effects.layers import Layer, read_layer
from shipway.effects.manifests import (
    LARGEST_DOCUMENT,
    Decoded,
    Descriptor,
    Manifest,
    decode_document,
    require_size,
    unfit_part,
    wrong_content,
)
from shipway.effects.registry import Registry
from shipway.errors import StepFailed

_FORMAT = "1"
"""Part of the names of kept layers: what was found by other rules is not used."""
_UNREADABLE = (tarfile.TarError, zlib.error, OSError, EOFError, ValueError, RecursionError)
"""What the readers of archives raise where a layer is not what its media type says."""


class RegistryImage:
    """Reads one image in a registry: its manifests, documents and layers."""

    def __init__(self, registry: Registry, cache: Path) -> None:
        self._registry = registry
        self._cache = cache / "layers"

    def manifest(self, descriptor: Descriptor) -> Manifest:
        """Read the manifest of one image, or of what is said of it.

        Raises ``UnfitPart`` where it is an index, or has another size.
        """
        digest = descriptor.digest
        _, manifest = self._registry.manifest(digest)
        if manifest.manifests is not None:
            raise unfit_part(digest, "is an index, not a manifest")
        require_size(descriptor, manifest.length)
        return manifest

    def document(self, descriptor: Descriptor, document_type: type[Decoded]) -> Decoded:
        """Read a blob that is a JSON document of this type."""
        with self._open(descriptor) as stream:
            content = stream.read(LARGEST_DOCUMENT)
        return decode_document(content, document_type, f"blob {descriptor.digest}")

    def confirm(self, descriptor: Descriptor) -> None:
        """Raise ``NotThere`` where a blob is gone; it is not read."""
        self._registry.require_blob(descriptor.digest)

    @contextmanager
    def _open(self, descriptor: Descriptor) -> Iterator[_HashedStream]:
        with self._registry.open(descriptor.digest) as raw:
            stream = _HashedStream(raw)
            yield stream
            stream.require(descriptor)

    def kept_layer(self, descriptor: Descriptor) -> Layer | None:
        """Give what a layer holds, where it was read before."""
        try:
            content = self._kept_path(descriptor).read_bytes()
            return msgspec.json.decode(content, type=Layer)
        except (OSError, ValueError):
            return None

    def _kept_path(self, descriptor: Descriptor) -> Path:
        name = descriptor.digest.replace(":", "-")
        # What was read had this size: where another one is said of it, it is read again.
        size = descriptor.size
        return self._cache / f"{name}.{size}.{_FORMAT}.json"

    def layer(self, descriptor: Descriptor) -> Layer:
        """Read what a layer holds, and keep it."""
        with self._open(descriptor) as stream:
            layer = _unpack(stream, descriptor)
        # Who has no home, or no room in it, reads the layer the next time, too.
        with suppress(OSError):
            self._keep(descriptor, layer)
        return layer

    def _keep(self, descriptor: Descriptor, layer: Layer) -> None:
        self._cache.mkdir(parents=True, exist_ok=True)
        # Two platforms may share a layer, and so may two runs: each writes a file of its own.
        with tempfile.NamedTemporaryFile(dir=self._cache, delete=False) as file:
            content = msgspec.json.encode(layer)
            file.write(content)
        kept = self._kept_path(descriptor)
        os.replace(file.name, kept)


class _HashedStream:
    """Passes a stream on, and computes the digest of what was read."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._hash = hashlib.sha256()
        self._length = 0

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes, everything that is left when it is negative."""
        content = self._raw.read(size)
        self._hash.update(content)
        self._length += len(content)
        return content

    def require(self, descriptor: Descriptor) -> None:
        """Read what is left, and hold all of it against its descriptor.

        Raises ``StepFailed`` for another digest, ``UnfitPart`` for another size.
        """
        while self.read(1 << 20):
            pass
        digest = f"sha256:{self._hash.hexdigest()}"
        if digest != descriptor.digest:
            raise wrong_content(descriptor.digest)
        require_size(descriptor, self._length)


def _unpack(stream: _HashedStream, descriptor: Descriptor) -> Layer:
    """Read a layer; raises ``StepFailed`` where it is no archive, or came as another one."""
    try:
        with decompress(cast(IO[bytes], stream), descriptor.media_type) as archive:
            return read_layer(archive)
    except _UNREADABLE as error:
        stream.require(descriptor)
        raise StepFailed(
            f"layer {descriptor.digest} cannot be read: {type(error).__name__}: {error}",
            hint="build the image again: it was pushed with a layer that is no archive",
        ) from error


@contextmanager
def decompress(stream: IO[bytes], media_type: str) -> Iterator[IO[bytes]]:
    """Give the stream without its compression, as the media type tells it.

    Source: OCI image specification, "Media Types". A stream that is compressed otherwise raises
    ``OSError`` or ``zlib.error`` when it is read.
    """
    if media_type.endswith("zstd"):
        import zstandard

        decompressor = zstandard.ZstdDecompressor()
        try:
            with decompressor.stream_reader(stream, read_across_frames=True) as plain:
                yield cast(IO[bytes], plain)
        except zstandard.ZstdError as error:
            raise OSError(f"not compressed with zstd: {error}") from error
    elif media_type.endswith("gzip"):
        import gzip

        with gzip.GzipFile(fileobj=stream, mode="rb") as unpacked:
            yield cast(IO[bytes], unpacked)
    else:
        yield stream
