"""`python3 -m shipway.effects.read_image IMAGE@DIGEST`: what is in a pushed image, read back from the registry, as JSON.

Layers are read once: what was found in one is kept under its digest in the user's cache folder, since a digest names
its content. Every blob is checked against its digest.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Collection, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from itertools import repeat
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from shipway.effects import layers
from shipway.effects.environment import cache_folder
from shipway.effects.registry import NotThere, Registry, connect
from shipway.errors import ShipwayError, StepFailed
from shipway.image.contents import (
    PROVENANCE,
    SPDX,
    Attestation,
    Contents,
    PlatformContents,
    Statement,
)
from shipway.image.index import SUBJECT, Index, is_runnable, parse_index, platform_name
from shipway.image.sbom import parse_packages

Node = dict[str, Any]  # Any: the values of a JSON document
_SIDE_BY_SIDE = 4
_WORTH_A_PROCESS = 16 * 1024 * 1024
"""Bytes of layers that take longer to read than it takes to start a process."""
_FORMAT = "1"
"""Part of the names of kept layers: what was found by other rules is not used."""
PREDICATE = "in-toto.io/predicate-type"
"""Annotation of an attestation's layers (BuildKit's `docs/attestations/attestation-storage.md`)."""
_LARGEST_DOCUMENT = 256 * 1024 * 1024


class Image:
    """One image in a registry: its manifests and blobs, each checked against its digest."""

    def __init__(self, registry: Registry, cache: Path) -> None:
        self._registry = registry
        self._cache = cache / "layers"

    def manifest(self, digest: str) -> Node:
        """A manifest or an index."""
        return cast(Node, json.loads(self._document("manifests", digest)))

    def document(self, digest: str) -> Node:
        """A blob that is a JSON document."""
        return cast(Node, json.loads(self._document("blobs", digest)))

    def _document(self, kind: str, digest: str) -> bytes:
        with self._open(kind, digest) as stream:
            return stream.read(_LARGEST_DOCUMENT)

    @contextmanager
    def _open(self, kind: str, digest: str) -> Iterator[IO[bytes]]:
        with self._registry.open(kind, digest) as raw:
            stream = _Checked(raw)
            yield cast(IO[bytes], stream)
            stream.finish(digest)

    def kept(self, descriptor: Node) -> layers.Layer | None:
        """What a layer holds, where it was read before."""
        try:
            return cast(
                layers.Layer, json.loads(self._kept(descriptor).read_text(encoding="utf-8"))
            )
        except (OSError, ValueError):
            return None

    def _kept(self, descriptor: Node) -> Path:
        return self._cache / f"{descriptor['digest'].replace(':', '-')}.{_FORMAT}.json"

    def layer(self, descriptor: Node) -> layers.Layer:
        """Read what a layer holds, and keep it."""
        kept = self._kept(descriptor)
        with (
            self._open("blobs", descriptor["digest"]) as stream,
            plain(stream, str(descriptor["mediaType"])) as content,
        ):
            found = layers.read_layer(content)
        # Who has no home, or no room in it, reads the layer the next time, too.
        with suppress(OSError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            # Two platforms may share a layer, and so may two runs: each writes a file of its own.
            with tempfile.NamedTemporaryFile(
                "w", dir=kept.parent, delete=False, encoding="utf-8"
            ) as fresh:
                json.dump(found, fresh)
            os.replace(fresh.name, kept)
        return found


class _Checked:
    """A stream that hashes what is read."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """As a file's."""
        found = self._raw.read(size)
        self._hash.update(found)
        return found

    def finish(self, digest: str) -> None:
        """Read what is left; raises ``StepFailed`` when it was something else than ``digest`` names."""
        while self.read(1 << 20):
            pass
        if f"sha256:{self._hash.hexdigest()}" != digest:
            raise another(digest)


def another(digest: str) -> StepFailed:
    """The error for content that is not the one which its digest names."""
    return StepFailed(
        f"the registry gave something else than {digest}",
        hint="run the same command again; if it stays so, the registry or the way to it is broken",
    )


@contextmanager
def plain(stream: IO[bytes], media_type: str) -> Iterator[IO[bytes]]:
    """The stream without its compression, as the media type tells it (OCI image specification, "Media Types")."""
    if media_type.endswith("zstd"):
        import zstandard

        with zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True) as plain:
            yield cast(IO[bytes], plain)
    elif media_type.endswith("gzip"):
        import gzip

        with gzip.GzipFile(fileobj=stream, mode="rb") as unpacked:
            yield cast(IO[bytes], unpacked)
    else:
        yield stream


def resolve(name: str, word: str) -> Index | None:
    """The index behind a tag or a digest, ``None`` when there is none; its digest is that of the bytes that came."""
    with connect(name) as registry:
        try:
            digest, found = registry.manifest(word)
        except NotThere:
            return None
    if word.startswith("sha256:") and word != digest:
        raise another(word)
    return parse_index(json.dumps({**found, "digest": digest}))


def read_sboms(name: str, index: Index) -> dict[str, list[Node]]:
    """The predicates of the SBOMs of each platform of an image."""
    with connect(name) as registry:
        image = Image(registry, Path())
        return {
            one.platform: [
                found["predicate"]
                for entry in index.attestations
                if entry.subject == one.digest
                for layer in image.manifest(entry.digest)["layers"]
                if str((layer.get("annotations") or {}).get(PREDICATE, SPDX)).startswith(SPDX)
                and str(
                    (found := image.document(layer["digest"])).get("predicateType", "")
                ).startswith(SPDX)
            ]
            for one in index.images
        }


def describe(name: str, digest: str, cache: Path) -> Contents:
    """Read the index ``digest`` of the image ``name`` and everything below it."""
    with connect(name) as registry:
        image = Image(registry, cache)
        index = image.manifest(digest)
        entries = index.get("manifests") or []
        manifests = {
            platform_name(entry.get("platform", {})): (
                entry["digest"],
                image.manifest(entry["digest"]),
            )
            for entry in entries
            if _is_image(entry)
        }
        read = _layers(
            image,
            name,
            cache,
            {
                layer["digest"]: layer for _, one in manifests.values() for layer in one["layers"]
            }.values(),
        )
        return Contents(
            digest=digest,
            annotations=index.get("annotations") or {},
            platforms={
                platform: _platform(image, platform, *one, read)
                for platform, one in manifests.items()
            },
            attestations=tuple(
                _attestation(image, entry) for entry in entries if not _is_image(entry)
            ),
        )


def _platform(
    image: Image, platform: str, digest: str, manifest: Node, read: dict[str, layers.Layer]
) -> PlatformContents:
    config = image.document(manifest["config"]["digest"])
    found = layers.merge(read[one["digest"]] for one in manifest["layers"])
    return PlatformContents(
        digest=digest,
        labels=(config.get("config") or {}).get("Labels") or {},
        compiled=len(found["compiled"]),
        foreign=tuple(layers.foreign(found, platform)),
        distributions=tuple(
            sorted((name, version) for name, version in found["distributions"].values())
        ),
    )


def _layers(
    image: Image, name: str, cache: Path, descriptors: Collection[Node]
) -> dict[str, layers.Layer]:
    """What each layer holds, by digest."""
    known = {one["digest"]: image.kept(one) for one in descriptors}
    unread = sorted(
        (one for one in descriptors if known[one["digest"]] is None),
        key=lambda one: -one.get("size", 0),
    )
    read: dict[str, layers.Layer] = {
        digest: found for digest, found in known.items() if found is not None
    }
    if sum(one.get("size", 0) for one in unread[1:]) < _WORTH_A_PROCESS:
        return read | {one["digest"]: image.layer(one) for one in unread}
    # To unpack and walk an archive is work for a processor: threads would wait for one another.
    with ProcessPoolExecutor(
        min(len(unread), _SIDE_BY_SIDE), multiprocessing.get_context("spawn")
    ) as pool:
        return read | dict(
            zip(
                (one["digest"] for one in unread),
                pool.map(_layer, repeat(name), repeat(cache), unread),
                strict=True,
            )
        )


def _layer(name: str, cache: Path, descriptor: Node) -> layers.Layer:
    with connect(name) as registry:
        return Image(registry, cache).layer(descriptor)


def _is_image(entry: Node) -> bool:
    return not _subject(entry) or is_runnable(entry.get("platform") or {})


def _subject(entry: Node) -> str:
    return str((entry.get("annotations") or {}).get(SUBJECT, ""))


def _attestation(image: Image, entry: Node) -> Attestation:
    manifest = image.manifest(entry["digest"])
    return Attestation(
        digest=entry["digest"],
        subject=_subject(entry),
        statements=tuple(_statement(image.document(one["digest"])) for one in manifest["layers"]),
    )


def _statement(found: Node) -> Statement:
    kind, predicate = str(found.get("predicateType", "")), found.get("predicate") or {}
    subjects = {
        f"{method}:{value}"
        for one in found.get("subject") or []
        for method, value in (one.get("digest") or {}).items()
    }
    packages = parse_packages([predicate]) if kind.startswith(SPDX) else ()
    return Statement(
        type=kind,
        subjects=tuple(sorted(subjects)),
        build=predicate if kind.startswith(PROVENANCE) else {},
        packages=tuple((one.name, one.version, one.license) for one in packages),
    )


def main(reference: str) -> None:
    """Print it; ends with the error's own words otherwise."""
    name, _, digest = reference.partition("@")
    try:
        found = describe(name, digest, cache_folder(os.environ))
    except ShipwayError as error:
        sys.exit(str(error))
    sys.stdout.buffer.write(msgspec.json.encode(found))


if __name__ == "__main__":
    main(sys.argv[1])
