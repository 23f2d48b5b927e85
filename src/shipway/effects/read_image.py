"""Reads back what is in a pushed image: every platform's layers, labels and distributions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import msgspec

from shipway.effects.blobs import RegistryImage
from shipway.effects.broken_parts import BrokenParts
from shipway.effects.environment import cache_folder
from shipway.effects.image_layers import ImageLayers, read_layers
from shipway.effects.layers import Layer, find_foreign, merge_layers
from shipway.effects.manifests import Descriptor, ImageConfig, Manifest
from shipway.effects.registry import NotThere, connect
from shipway.effects.statements import is_image, read_attestation
from shipway.image.contents import (
    CONFIGURATION,
    LAYER,
    MANIFEST,
    Attestation,
    Contents,
    PlatformContents,
)
from shipway.image.index import SUBJECT, Index, make_entry, platform_name
from shipway.settings.secret_marks import name_secrets


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

    Parts that the registry no longer has, or that are not what the image says of them, are listed
    in the answer. Raises ``StepFailed`` where something cannot be read, or is not what its digest
    names.
    """
    with connect(name, environment) as registry:
        image = RegistryImage(registry, cache_folder(environment))
        _, index = registry.manifest(digest)
        reading = _Reading(image, name, environment)
        return reading.describe_index(digest, index)


class _Reading:
    """Reads everything below an index, as far as it is there."""

    def __init__(self, image: RegistryImage, name: str, environment: Mapping[str, str]) -> None:
        self._image = image
        self._name = name
        self._environment = environment
        self._broken = BrokenParts()

    def describe_index(self, digest: str, index: Manifest) -> Contents:
        """Describe the images that can be run, and what is said of them."""
        entries = index.manifests or ()
        images = {
            platform_name(entry.platform or {}): entry for entry in entries if is_image(entry)
        }
        platforms = self._describe_platforms(images)
        places = {entry.digest: platform for platform, entry in images.items()}
        attestations: list[Attestation] = []
        for entry in entries:
            if is_image(entry):
                continue
            subject = entry.annotation(SUBJECT)
            place = places.get(subject, subject)
            attestation = read_attestation(self._image, entry, place, self._broken)
            if attestation is not None:
                attestations.append(attestation)
        return Contents(
            digest=digest,
            annotations=index.annotations or {},
            platforms=platforms,
            attestations=tuple(attestations),
            broken=self._broken.parts,
        )

    def _describe_platforms(self, images: Mapping[str, Descriptor]) -> dict[str, PlatformContents]:
        manifests: dict[str, Manifest] = {}
        for platform, entry in images.items():
            manifest = self._broken.read(
                MANIFEST,
                platform,
                entry,
                self._image.manifest,
            )
            if manifest is not None:
                manifests[platform] = manifest
        layers = read_layers(
            self._image,
            self._name,
            manifests.values(),
            self._environment,
        )
        platforms: dict[str, PlatformContents] = {}
        for platform, manifest in manifests.items():
            platforms[platform] = self._describe_platform(
                platform,
                images[platform],
                manifest,
                layers,
            )
        return platforms

    def _describe_platform(
        self, platform: str, entry: Descriptor, manifest: Manifest, layers: ImageLayers
    ) -> PlatformContents:
        own_layers: list[Layer] = []
        for descriptor in manifest.layers or ():
            error = layers.broken.get(descriptor.digest)
            if error is None:
                layer = layers.contents[descriptor.digest]
                own_layers.append(layer)
            else:
                self._broken.note(LAYER, platform, descriptor, error)
        merged = merge_layers(own_layers)
        distributions = merged["distributions"].values()
        named = sorted((name, version) for name, version in distributions)
        config = self._read_config(platform, manifest)
        return PlatformContents(
            digest=entry.digest,
            labels=config.labels,
            compiled=len(merged["compiled"]),
            foreign=tuple(find_foreign(merged, platform)),
            distributions=tuple(named),
            leaks=_find_leaks(entry, manifest, config),
        )

    def _read_config(self, platform: str, manifest: Manifest) -> ImageConfig:
        """Give the configuration; an empty one where it is gone, which is noted."""
        if manifest.config is None:
            return ImageConfig()
        read = partial(self._image.document, document_type=ImageConfig)
        config = self._broken.read(
            CONFIGURATION,
            platform,
            manifest.config,
            read,
        )
        return config or ImageConfig()


def _find_leaks(entry: Descriptor, manifest: Manifest, config: ImageConfig) -> tuple[str, ...]:
    """Name what holds a secret of all that a registry says of an image."""
    described = msgspec.to_builtins(config)
    document = {
        "entry": entry.annotations,
        "annotations": manifest.annotations,
        **described,
    }
    return tuple(name_secrets(document))
