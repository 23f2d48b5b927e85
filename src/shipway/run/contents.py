"""`python3 -m shipway.run.contents IMAGE@DIGEST`: what is in a pushed image, read back from the registry, as JSON.

Layers are read once: what was found in one is kept under its digest in the user's cache folder, since a digest names
its content. Every blob is checked against its digest.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from shipway.contents import PROVENANCE, SPDX, Attestation, Contents, Platform, Statement
from shipway.errors import ShipwayError, StepFailed
from shipway.image import SUBJECT, Index, is_runnable, parse_index, platform_name
from shipway.run import layers
from shipway.run.registry import NotThere, Registry, connect
from shipway.run.tools import cache_folder
from shipway.sbom import parse_packages

Node = dict[str, Any]  # Any: the values of a JSON document
_SIDE_BY_SIDE = 4
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

    def layer(self, descriptor: Node) -> layers.Layer:
        """What a layer holds; from the cache when it was read before."""
        digest = str(descriptor["digest"])
        kept = self._cache / f"{digest.replace(':', '-')}.{_FORMAT}.json"
        try:
            return cast(layers.Layer, json.loads(kept.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            pass
        with self._open("blobs", digest) as stream, plain(stream, str(descriptor["mediaType"])) as content:
            found = layers.read_layer(content)
        # Who has no home, or no room in it, reads the layer the next time, too.
        with suppress(OSError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            # Two platforms may share a layer, and so may two runs: each writes a file of its own.
            with tempfile.NamedTemporaryFile("w", dir=kept.parent, delete=False, encoding="utf-8") as fresh:
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
    return StepFailed(f"the registry gave something else than {digest}",
                      hint="run the same command again; if it stays so, the registry or the way to it is broken")


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
        return {one.platform: [
            found["predicate"] for entry in index.attestations if entry.subject == one.digest
            for layer in image.manifest(entry.digest)["layers"]
            if str((layer.get("annotations") or {}).get(PREDICATE, SPDX)).startswith(SPDX)
            and str((found := image.document(layer["digest"])).get("predicateType", "")).startswith(SPDX)
        ] for one in index.images}


def describe(name: str, digest: str, cache: Path) -> Contents:
    """Read the index ``digest`` of the image ``name`` and everything below it."""
    with connect(name) as registry, ProcessPoolExecutor(max_workers=_SIDE_BY_SIDE) as pool:
        image = Image(registry, cache)
        index = image.manifest(digest)
        entries = index.get("manifests") or []
        # Unpacking and walking an archive is work for a processor: threads would wait for one another.
        platforms = {(platform := platform_name(entry.get("platform", {}))): pool.submit(
            _platform, name, cache, platform, entry) for entry in entries if _is_image(entry)}
        attestations = tuple(_attestation(image, entry) for entry in entries if not _is_image(entry))
        return Contents(digest=digest, annotations=index.get("annotations") or {}, attestations=attestations,
                        platforms={platform: found.result() for platform, found in platforms.items()})


def _is_image(entry: Node) -> bool:
    return not _subject(entry) or is_runnable(entry.get("platform") or {})


def _subject(entry: Node) -> str:
    return str((entry.get("annotations") or {}).get(SUBJECT, ""))


def _platform(name: str, cache: Path, platform: str, entry: Node) -> Platform:
    with connect(name) as registry:
        image = Image(registry, cache)
        manifest = image.manifest(entry["digest"])
        config = image.document(manifest["config"]["digest"])
        found = layers.merge(image.layer(one) for one in manifest["layers"])
    return Platform(digest=entry["digest"], labels=(config.get("config") or {}).get("Labels") or {},
                    compiled=len(found["compiled"]), foreign=tuple(layers.foreign(found, platform)),
                    distributions=tuple(sorted((name, version) for name, version in found["distributions"].values())))


def _attestation(image: Image, entry: Node) -> Attestation:
    manifest = image.manifest(entry["digest"])
    return Attestation(digest=entry["digest"], subject=_subject(entry),
                       statements=tuple(_statement(image.document(one["digest"])) for one in manifest["layers"]))


def _statement(found: Node) -> Statement:
    kind, predicate = str(found.get("predicateType", "")), found.get("predicate") or {}
    subjects = {f"{method}:{value}" for one in found.get("subject") or []
                for method, value in (one.get("digest") or {}).items()}
    packages = parse_packages([predicate]) if kind.startswith(SPDX) else ()
    return Statement(
        type=kind, subjects=tuple(sorted(subjects)), build=predicate if kind.startswith(PROVENANCE) else {},
        packages=tuple((one.name, one.version, one.license) for one in packages))


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
