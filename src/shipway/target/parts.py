"""This module plans the build of some platforms of an image apart from the others. Pure."""

from __future__ import annotations

from dataclasses import replace

from shipway.model.target import Cache, Target
from shipway.settings.platforms import platform_word


def plan_part(target: Target, platforms: tuple[str, ...], cache: Cache) -> Target:
    """Plan an image of ``platforms`` alone, under a staging tag of its own.

    A later run finds it there (``sha-a1b2c3d-linux-arm64``). It has no tags that people follow.
    """
    words = (target.staging, *map(platform_word, platforms))
    build = replace(target.build, cache=cache)
    return replace(
        target,
        platforms=platforms,
        staging="-".join(words),
        tags=(),
        build=build,
    )


def plan_parts(target: Target) -> tuple[Target, ...]:
    """Plan an image of each platform alone, in the order of the target's platforms."""
    parts: list[Target] = []
    for platform in target.platforms:
        cache = target.build.caches.get(platform, Cache())
        part = plan_part(target, (platform,), cache)
        parts.append(part)
    return tuple(parts)
