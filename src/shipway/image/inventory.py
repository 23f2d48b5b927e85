"""An inventory says what a registry holds of an image, and what leads to nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shipway.image.retention import Stored, is_tagged_image, walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Holds every manifest that a tag leads to.

    ``gone`` are digests that a manifest or the registry names, and that are not there;
    ``lost_tags`` are tags that the registry lists, and that lead to nothing: their manifest was
    deleted before, or meanwhile.
    """

    manifests: tuple[Stored, ...]
    gone: frozenset[str] = frozenset()
    lost_tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenImage:
    """Names the tags that lead to an image, and which of its manifests the registry lacks."""

    digest: str
    tags: tuple[str, ...]
    gone: tuple[str, ...]


def find_broken_images(inventory: Inventory) -> list[BrokenImage]:
    """List the images with tags that name manifests which are not there, at any depth."""
    below: Mapping[str, Sequence[str]] = {
        manifest.digest: manifest.below for manifest in inventory.manifests
    }
    broken: list[BrokenImage] = []
    for manifest in inventory.manifests:
        if not is_tagged_image(manifest):
            continue
        parts = walk([manifest.digest], below)
        gone = tuple(part for part in parts if part in inventory.gone)
        if gone:
            image = BrokenImage(
                digest=manifest.digest,
                tags=manifest.tags,
                gone=gone,
            )
            broken.append(image)
    return broken
