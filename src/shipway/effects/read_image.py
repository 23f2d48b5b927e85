"""Reads back what is in a pushed image: every platform's layers, labels and distributions."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from functools import partial

from shipway.effects.blobs import RegistryImage
from shipway.effects.environment import cache_folder
from shipway.effects.layers import Layer, find_foreign, merge_layers
from shipway.effects.manifests import Descriptor, ImageConfig, Manifest
from shipway.effects.registry import NotThere, connect
from shipway.effects.statements import is_image, read_attestation
from shipway.errors import StepFailed, VerificationFailed
from shipway.image.contents import Contents, PlatformContents
from shipway.image.index import Index, make_entry, platform_name

_SIDE_BY_SIDE = 4
_WORTH_A_PROCESS = 16 * 1024 * 1024
"""Bytes of layers that take longer to read than it takes to start a process."""


def resolve_index(name: str, word: str, environment: Mapping[str, str]) -> Index | None:
    """Give the index behind a tag or a digest of the image ``name``, ``None`` when there is none.

    Its digest is that of the bytes that came.
    """
    with connect(name, environment) as registry:
        try:
            digest, manifest = registry.manifest(word)
        except NotThere:
            return None
    entries = [
        make_entry(entry.digest, entry.platform, entry.annotations)
        for entry in manifest.manifests or ()
    ]
    return Index(
        digest=digest,
        entries=tuple(entries),
        annotations=manifest.annotations or {},
    )


def describe_image(name: str, digest: str, environment: Mapping[str, str]) -> Contents:
    """Read the index ``digest`` of the image ``name`` and everything below it.

    Raises ``StepFailed`` where something cannot be read, or is not what its digest names, and
    ``VerificationFailed`` where the registry has no more a part of it.
    """
    with connect(name, environment) as registry:
        image = RegistryImage(registry, cache_folder(environment))
        index = image.manifest(digest)
        try:
            return _describe_index(image, name, digest, index, environment)
        except NotThere as error:
            raise VerificationFailed(
                f"{name}@{digest} is broken, a part of it is gone: {error.message}",
                hint="do not use it; whoever publishes it can put the very same part back",
            ) from error


def _describe_index(
    image: RegistryImage, name: str, digest: str, index: Manifest, environment: Mapping[str, str]
) -> Contents:
    """Read everything below an index."""
    entries = index.manifests or ()
    images = {platform_name(entry.platform or {}): entry for entry in entries if is_image(entry)}
    manifests = {entry.digest: image.manifest(entry.digest) for entry in images.values()}
    layers = _read_layers(
        image,
        name,
        manifests.values(),
        environment,
    )
    platforms = {
        platform: _describe_platform(
            image,
            platform,
            entry,
            manifests[entry.digest],
            layers,
        )
        for platform, entry in images.items()
    }
    return Contents(
        digest=digest,
        annotations=index.annotations or {},
        platforms=platforms,
        attestations=tuple(
            read_attestation(image, entry) for entry in entries if not is_image(entry)
        ),
    )


def _describe_platform(
    image: RegistryImage,
    platform: str,
    entry: Descriptor,
    manifest: Manifest,
    layers: Mapping[str, Layer],
) -> PlatformContents:
    own_layers = [layers[descriptor.digest] for descriptor in manifest.layers or ()]
    merged = merge_layers(own_layers)
    distributions = sorted((name, version) for name, version in merged["distributions"].values())
    labels = {}
    if manifest.config is not None:
        labels = image.document(manifest.config.digest, ImageConfig).labels
    return PlatformContents(
        digest=entry.digest,
        labels=labels,
        compiled=len(merged["compiled"]),
        foreign=tuple(find_foreign(merged, platform)),
        distributions=tuple(distributions),
    )


def _read_layers(
    image: RegistryImage,
    name: str,
    manifests: Iterable[Manifest],
    environment: Mapping[str, str],
) -> dict[str, Layer]:
    """Give what each layer of the manifests holds, by digest."""
    layers: dict[str, Layer] = {}
    unread: dict[str, Descriptor] = {}
    for manifest in manifests:
        for descriptor in manifest.layers or ():
            digest = descriptor.digest
            layer = image.kept_layer(descriptor)
            if layer is None:
                unread[digest] = descriptor
            else:
                layers[digest] = layer
    largest_first = sorted(
        unread.values(),
        key=lambda descriptor: descriptor.size,
        reverse=True,
    )
    beside_the_largest = sum(descriptor.size for descriptor in largest_first[1:])
    if beside_the_largest < _WORTH_A_PROCESS:
        fresh = [image.layer(descriptor) for descriptor in largest_first]
    else:
        fresh = _read_side_by_side(name, largest_first, environment)
    for descriptor, layer in zip(largest_first, fresh, strict=True):
        layers[descriptor.digest] = layer
    return layers


def _read_side_by_side(
    name: str, descriptors: Sequence[Descriptor], environment: Mapping[str, str]
) -> list[Layer]:
    """Read layers in processes: unpacking is work for a processor, and threads would wait."""
    read = partial(_read_layer, name, dict(environment))
    try:
        with ProcessPoolExecutor(
            min(len(descriptors), _SIDE_BY_SIDE),
            multiprocessing.get_context("spawn"),
            initializer=replace_environment,
            initargs=(dict(environment),),
        ) as pool:
            return list(pool.map(read, descriptors))
    except BrokenExecutor as error:
        raise StepFailed(
            f"a process that read layers of {name} ended before it was done",
            hint="check that the machine has memory left, then run the same command again",
        ) from error


def replace_environment(environment: Mapping[str, str]) -> None:
    """Leave this process, started to read layers, no variables but those of ``environment``."""
    os.environ.clear()
    os.environ.update(environment)


def _read_layer(name: str, environment: Mapping[str, str], descriptor: Descriptor) -> Layer:
    with connect(name, environment) as registry:
        image = RegistryImage(registry, cache_folder(environment))
        return image.layer(descriptor)
