"""Settings and context → where BuildKit reads steps that were built before, and where it writes them. Pure.

Everybody reads; the first release branch writes: what a pull request builds must not end up in a release.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from shipway.model.target import Cache
from shipway.settings import Settings
from shipway.target.context import Context
from shipway.target.tags import plan_branch_tag

GHA_NEEDS = ("ACTIONS_RUNTIME_TOKEN", "ACTIONS_RESULTS_URL")
"""What the cache service of GitHub Actions asks for. buildx drops the cache without a word where one is missing."""
_LAYERS = "compression=zstd,force-compression=true,oci-mediatypes=true"


def plan_cache(
    settings: Settings,
    context: Context,
    environment: Mapping[str, str],
    image: str,
    platforms: tuple[str, ...],
) -> Cache:
    """The cache of a build of ``platforms``: a build of some of them has one of its own."""
    cache, branch = settings.cache, settings.release.branches[0]
    if cache.type == "none" or (cache.type == "gha" and not context.ci):
        return Cache()
    own = (
        ""
        if platforms == tuple(settings.build.platforms)
        else "-" + "-".join(platforms).replace("/", "-")
    )
    scope = re.sub(r"[^a-zA-Z0-9]+", "-", f"{image}-{'-'.join(platforms)}")
    ref, folder = f"{cache.ref or f'{image}:cache'}{own}", f"{cache.folder}{own}"
    # A cache that cannot be written is no reason to fail; `inline` has no such option.
    read, write = {
        "gha": (
            f"type=gha,version=2,scope={scope}",
            f"type=gha,version=2,scope={scope},mode=max,ignore-error=true",
        ),
        "registry": (
            f"type=registry,ref={ref}",
            f"type=registry,ref={ref},mode=max,{_LAYERS},image-manifest=true,ignore-error=true",
        ),
        "local": (
            f"type=local,src={folder}",
            f"type=local,dest={folder},mode=max,{_LAYERS},ignore-error=true",
        ),
        "inline": (f"type=registry,ref={image}:{plan_branch_tag(branch)}", "type=inline"),
    }[cache.type]
    writes = cache.type == "local" or (
        context.ci and context.branch == branch and context.pull_request is None
    )
    lacks = (
        tuple(name for name in GHA_NEEDS if not environment.get(name))
        if cache.type == "gha"
        else ()
    )
    return Cache(reads=(read,), writes=(write,) if writes else (), lacks=lacks)
