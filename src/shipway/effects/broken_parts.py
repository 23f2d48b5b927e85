"""Notes which parts of an image are not there, or are not what the image says of them.

What could not be asked for is no such thing: it is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from shipway.effects.blobs import RegistryImage
from shipway.effects.manifests import Descriptor, UnfitPart
from shipway.effects.registry import QUESTIONS_SIDE_BY_SIDE, NotThere
from shipway.errors import VerificationFailed
from shipway.image.contents import CONFIGURATION, LAYER, MANIFEST, NOT_THERE, BrokenPart

Content = TypeVar("Content")
BREAKS = (NotThere, UnfitPart)
"""Holds the errors that say that a part is broken, and not that nobody could ask for it."""


class BrokenParts:
    """Notes the broken parts of one image, while the others are read."""

    def __init__(self) -> None:
        self._parts: list[BrokenPart] = []

    @property
    def parts(self) -> tuple[BrokenPart, ...]:
        """Give the parts in the order in which they were noted."""
        return tuple(self._parts)

    def read(
        self,
        kind: str,
        platform: str,
        descriptor: Descriptor,
        read: Callable[[Descriptor], Content],
    ) -> Content | None:
        """Read a part of a platform's image; gives ``None`` and notes it where it is broken."""
        return self.take(
            kind,
            platform,
            descriptor,
            partial(read, descriptor),
        )

    def take(
        self,
        kind: str,
        platform: str,
        descriptor: Descriptor,
        give: Callable[[], Content],
    ) -> Content | None:
        """Take what ``give`` has read of a part, as ``read`` does."""
        try:
            return give()
        except BREAKS as error:
            self.note(kind, platform, descriptor, error)
            return None

    def note(
        self, kind: str, platform: str, descriptor: Descriptor, error: NotThere | UnfitPart
    ) -> None:
        """Note a part that an error says is broken."""
        problem = NOT_THERE
        if isinstance(error, UnfitPart):
            problem = error.problem
        part = BrokenPart(
            kind=kind,
            digest=descriptor.digest,
            platform=platform,
            problem=problem,
        )
        self._parts.append(part)


def note_broken_image(
    image: RegistryImage, entry: Descriptor, platform: str, broken: BrokenParts
) -> None:
    """Note what is broken of a platform's image; its configuration and layers are not read."""
    manifest = broken.read(
        MANIFEST,
        platform,
        entry,
        image.manifest,
    )
    if manifest is None:
        return
    blobs: list[tuple[str, Descriptor]] = []
    if manifest.config is not None:
        blobs.append((CONFIGURATION, manifest.config))
    for layer in manifest.layers or ():
        blobs.append((LAYER, layer))
    confirm_blobs(image, platform, blobs, broken)


def confirm_blobs(
    image: RegistryImage,
    platform: str,
    blobs: Sequence[tuple[str, Descriptor]],
    broken: BrokenParts,
) -> None:
    """Note which blobs (kind, descriptor) are not there; none of them is read."""
    with ThreadPoolExecutor(max_workers=QUESTIONS_SIDE_BY_SIDE) as pool:
        questions = [pool.submit(image.confirm, blob) for _, blob in blobs]
    for (kind, blob), question in zip(blobs, questions, strict=True):
        broken.take(
            kind,
            platform,
            blob,
            question.result,
        )


def explain_broken(image: str, parts: Iterable[BrokenPart]) -> VerificationFailed:
    """Give the error of an image that has broken parts; it names each of them."""
    lines = [f"  - {part.describe()}" for part in parts]
    listed = "\n".join(lines)
    return VerificationFailed(
        f"{image} is broken:\n{listed}",
        hint="do not use it; whoever publishes it can put the very same part back",
    )
