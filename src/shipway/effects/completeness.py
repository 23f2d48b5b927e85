"""Looks whether an image is whole: every manifest is read, and every blob asked for, but not read."""

from __future__ import annotations

from collections.abc import Mapping

from shipway.effects.blobs import RegistryImage
from shipway.effects.broken_parts import BrokenParts, confirm_blobs, note_broken_image
from shipway.effects.environment import cache_folder
from shipway.effects.manifests import Descriptor
from shipway.effects.registry import connect
from shipway.effects.statements import is_image
from shipway.image.contents import ATTESTATION, STATEMENT, BrokenPart
from shipway.image.index import SUBJECT, platform_name


def find_broken_parts(
    name: str, digest: str, environment: Mapping[str, str]
) -> tuple[BrokenPart, ...]:
    """Find the parts of the index ``digest`` of the image ``name`` that are broken.

    Raises ``StepFailed`` where something could not be asked for.
    """
    broken = BrokenParts()
    with connect(name, environment) as registry:
        image = RegistryImage(registry, cache_folder(environment))
        _, index = registry.manifest(digest)
        entries = index.manifests or ()
        platforms: dict[str, str] = {}
        for entry in entries:
            machine = entry.platform or {}
            platforms[entry.digest] = platform_name(machine)
        for entry in entries:
            subject = entry.annotation(SUBJECT)
            note = _note_broken_attestation
            if is_image(entry):
                subject = entry.digest
                note = note_broken_image
            note(
                image,
                entry,
                platforms.get(subject, subject),
                broken,
            )
    return broken.parts


def _note_broken_attestation(
    image: RegistryImage, entry: Descriptor, platform: str, broken: BrokenParts
) -> None:
    manifest = broken.read(
        ATTESTATION,
        platform,
        entry,
        image.manifest,
    )
    if manifest is None:
        return
    statements = [(STATEMENT, layer) for layer in manifest.layers or ()]
    confirm_blobs(image, platform, statements, broken)
