"""This module plans where BuildKit reads steps that were built before, and where it writes them.

Every run reads; the first release branch writes: what a pull request builds must not end up in a
release. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from shipway.model.target import Cache
from shipway.settings import Settings
from shipway.settings.platforms import platform_word
from shipway.target.context import Context
from shipway.target.tags import plan_branch_tag

GHA_NEEDS = ("ACTIONS_RUNTIME_TOKEN", "ACTIONS_RESULTS_URL")
"""Names the variables that the cache service of GitHub Actions needs.

buildx drops the cache without a word where one is missing.
"""
GHA_SECRETS = (*GHA_NEEDS, "ACTIONS_CACHE_SERVICE_V2")
"""Names the variables that a build with that cache has to see."""
_LAYERS = "compression=zstd,force-compression=true,oci-mediatypes=true"


def plan_cache(
    settings: Settings,
    context: Context,
    environment: Mapping[str, str],
    image: str,
    platforms: tuple[str, ...],
) -> Cache:
    """Plan the cache of a build of ``platforms``: a build of some of them has its own."""
    cache = settings.cache
    if cache.type == "none":
        return Cache()
    if cache.type == "gha" and not context.ci:
        return Cache()
    source, destination = _plan_places(settings, image, platforms)
    writes: tuple[str, ...] = ()
    if cache.type == "local" or _is_release_run(settings, context):
        writes = (destination,)
    lacks: list[str] = []
    if cache.type == "gha":
        lacks += _missing(environment)
    return Cache(
        reads=(source,),
        writes=writes,
        lacks=tuple(lacks),
    )


def _is_release_run(settings: Settings, context: Context) -> bool:
    """Say whether this is a run in CI of the first release branch itself."""
    if not context.ci or context.pull_request is not None:
        return False
    return context.branch == settings.release.branches[0]


def _missing(environment: Mapping[str, str]) -> list[str]:
    """Name the variables of GitHub's cache service that are not set."""
    missing: list[str] = []
    for variable in GHA_NEEDS:
        if not environment.get(variable):
            missing.append(variable)
    return missing


def _plan_places(settings: Settings, image: str, platforms: tuple[str, ...]) -> tuple[str, str]:
    """Give what buildx takes for ``--cache-from``, and for ``--cache-to``."""
    cache = settings.cache
    suffix = _suffix(settings, platforms)
    # A cache that cannot be written is no reason to fail; `inline` has no such option.
    if cache.type == "gha":
        scope = _scope(image, platforms)
        source = f"type=gha,version=2,scope={scope}"
        destination = f"{source},mode=max,ignore-error=true"
    elif cache.type == "registry":
        base = cache.ref or f"{image}:cache"
        source = f"type=registry,ref={base}{suffix}"
        destination = f"{source},mode=max,{_LAYERS},image-manifest=true,ignore-error=true"
    elif cache.type == "local":
        folder = f"{cache.folder}{suffix}"
        source = f"type=local,src={folder}"
        destination = f"type=local,dest={folder},mode=max,{_LAYERS},ignore-error=true"
    else:
        branch = settings.release.branches[0]
        tag = plan_branch_tag(branch)
        source = f"type=registry,ref={image}:{tag}"
        destination = "type=inline"
    return source, destination


def _suffix(settings: Settings, platforms: tuple[str, ...]) -> str:
    """Tell the cache of a build of some platforms from that of all; for all it is empty."""
    all_platforms = tuple(settings.build.platforms)
    if platforms == all_platforms:
        return ""
    words = map(platform_word, platforms)
    suffix = "-".join(words)
    return f"-{suffix}"


def _scope(image: str, platforms: tuple[str, ...]) -> str:
    """Name the cache of an image and its platforms in GitHub's cache service."""
    words = (image, *platforms)
    name = "-".join(words)
    return re.sub(r"[^a-zA-Z0-9]+", "-", name)
