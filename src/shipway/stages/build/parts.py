"""A builder of several nodes builds each platform apart, and then the images are merged.

buildx itself would merge what its nodes pushed. But some of its versions lose the index's
annotations then (docker/buildx#2540), with others a node moves the tag before the rest are done
(docker/buildx#4058), and what was built before a run broke off would be found by nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shipway.image.index import Index
from shipway.model.actions import Ask, Command
from shipway.model.target import Target
from shipway.model.world import World
from shipway.settings.platforms import match_platforms
from shipway.stages.build.builder import is_built_apart
from shipway.stages.build.commands import build_image, merge_indexes
from shipway.target.parts import plan_parts
from shipway.tools.build import plan_annotations
from shipway.tools.imagetools import find_indexes


def observe_parts(target: Target, world: World, ask: Ask) -> World:
    """Ask which platforms have been built already, where each has a staging tag of its own."""
    if not is_built_apart(target, world):
        return world
    parts = plan_parts(target)
    references = _staging_references(parts)
    indexes = find_indexes(references, ask)
    platforms: list[str] = []
    for part, index in zip(parts, indexes, strict=True):
        if index is not None and _is_whole(part, index):
            platforms += part.platforms
    return replace(world, parts=frozenset(platforms))


def _is_whole(part: Target, index: Index) -> bool:
    """Tell whether an image is what would be built: of the same commit, version and platform.

    Nobody follows its tag, so that any other image is built over.
    """
    missing, surplus = match_platforms(part.platforms, index.platforms)
    if index.gone or missing or surplus:
        return False
    annotations = plan_annotations(part)
    for name, text in annotations.items():
        if index.annotations.get(name) != text:
            return False
    return True


def lacking_parts(target: Target, world: World) -> tuple[Target, ...]:
    """Give the images of one platform each that are still to be built."""
    parts: list[Target] = []
    for part in plan_parts(target):
        (platform,) = part.platforms
        if platform not in world.parts:
            parts.append(part)
    return tuple(parts)


def plan_apart(target: Target, world: World) -> tuple[Command, ...]:
    """Plan the builds that are missing, side by side; when there are none, their merge."""
    commands: list[Command] = []
    for part in lacking_parts(target, world):
        (platform,) = part.platforms
        build = build_image(part)
        command = replace(
            build,
            label=platform,
            side_by_side=True,
        )
        commands.append(command)
    if not commands:
        parts = plan_parts(target)
        references = _staging_references(parts)
        merge = merge_indexes(target, references)
        commands.append(merge)
    return tuple(commands)


def _staging_references(parts: Sequence[Target]) -> list[str]:
    """Give the references (``name:tag``) under which the images of one platform each are put."""
    references: list[str] = []
    for part in parts:
        reference = f"{part.image}:{part.staging}"
        references.append(reference)
    return references
