"""Reads the layers of an image, several at a time, and tells which of them are broken."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from shipway.effects.blobs import RegistryImage
from shipway.effects.broken_parts import BREAKS
from shipway.effects.environment import cache_folder
from shipway.effects.layers import Layer
from shipway.effects.manifests import Descriptor, Manifest, UnfitPart
from shipway.effects.registry import QUESTIONS_SIDE_BY_SIDE, NotThere, connect
from shipway.errors import StepFailed

_SIDE_BY_SIDE = 4
_WORTH_A_PROCESS = 16 * 1024 * 1024
"""Bytes of layers that take longer to read than it takes to start a process."""


@dataclass(frozen=True, slots=True)
class ImageLayers:
    """Holds what each layer of an image holds, by digest; of a broken one the error."""

    contents: dict[str, Layer] = field(default_factory=dict)
    broken: dict[str, NotThere | UnfitPart] = field(default_factory=dict)

    def add(self, descriptor: Descriptor, read: Callable[[], Layer]) -> None:
        """Add what ``read`` gives for a layer, or that it is broken."""
        try:
            self.contents[descriptor.digest] = read()
        except BREAKS as error:
            self.broken[descriptor.digest] = error


def read_layers(
    image: RegistryImage,
    name: str,
    manifests: Iterable[Manifest],
    environment: Mapping[str, str],
) -> ImageLayers:
    """Read each layer of the manifests; of one that was read before, ask whether it is there."""
    descriptors: dict[tuple[str, int], Descriptor] = {}
    for manifest in manifests:
        for descriptor in manifest.layers or ():
            key = (descriptor.digest, descriptor.size)
            descriptors[key] = descriptor
    layers = ImageLayers()
    unread = _take_kept(image, descriptors.values(), layers)
    largest_first = sorted(
        unread,
        key=lambda descriptor: descriptor.size,
        reverse=True,
    )
    beside_the_largest = sum(descriptor.size for descriptor in largest_first[1:])
    if beside_the_largest >= _WORTH_A_PROCESS:
        _read_side_by_side(name, largest_first, environment, layers)
        return layers
    for descriptor in largest_first:
        read = partial(image.layer, descriptor)
        layers.add(descriptor, read)
    return layers


def _take_kept(
    image: RegistryImage, descriptors: Iterable[Descriptor], layers: ImageLayers
) -> list[Descriptor]:
    """Add the layers that were read before and are still there; gives the others."""
    unread: list[Descriptor] = []
    kept: list[tuple[Descriptor, Layer]] = []
    for descriptor in descriptors:
        layer = image.kept_layer(descriptor)
        if layer is None:
            unread.append(descriptor)
        else:
            kept.append((descriptor, layer))

    def confirm(descriptor: Descriptor, layer: Layer) -> Layer:
        image.confirm(descriptor)
        return layer

    with ThreadPoolExecutor(max_workers=QUESTIONS_SIDE_BY_SIDE) as pool:
        questions = [pool.submit(confirm, descriptor, layer) for descriptor, layer in kept]
    for (descriptor, _), question in zip(kept, questions, strict=True):
        layers.add(descriptor, question.result)
    return unread


def _read_side_by_side(
    name: str,
    descriptors: Sequence[Descriptor],
    environment: Mapping[str, str],
    layers: ImageLayers,
) -> None:
    """Read layers in processes: unpacking is work for a processor, and threads would wait."""
    read = partial(_read_layer, name, dict(environment))
    try:
        with ProcessPoolExecutor(
            min(len(descriptors), _SIDE_BY_SIDE),
            multiprocessing.get_context("spawn"),
            initializer=replace_environment,
            initargs=(dict(environment),),
        ) as pool:
            readings = [pool.submit(read, descriptor) for descriptor in descriptors]
            for descriptor, reading in zip(descriptors, readings, strict=True):
                layers.add(descriptor, reading.result)
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
