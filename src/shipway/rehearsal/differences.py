"""A rehearsal has stand-ins in the place of some settings: they are put in here, and said."""

from __future__ import annotations

from msgspec.structs import replace

from shipway.rehearsal.remotes import Remotes
from shipway.settings import CacheSettings, Project, Settings
from shipway.target.context import Context


def adapt(project: Project, remotes: Remotes) -> Project:
    """Give the project with the settings that lead to the stand-ins; all others are its own."""
    settings = project.settings
    sign = replace(
        settings.sign,
        key=str(remotes.key),
        public_key=str(remotes.public_key),
        transparency_log=False,
        signing_config=remotes.signing_config or "",
    )
    adapted = replace(
        settings,
        image=f"{remotes.registry}/{remotes.repository.lower()}",
        sign=sign,
        cache=CacheSettings(),
        builder=remotes.builder.settings,
    )
    return replace(project, settings=adapted)


def list_differences(context: Context, settings: Settings, remotes: Remotes) -> dict[str, str]:
    """Say by name what a rehearsal of the checkout does otherwise than a release."""
    differences: dict[str, str] = {}
    branches = ", ".join(settings.release.branches)
    if context.branch != remotes.branch:
        place = repr(context.branch or context.tag or "a detached head")
        differences["branch"] = (
            f"{place} is rehearsed as {remotes.branch}: only {branches} can be released"
        )
    if not context.repository:
        differences["repository"] = (
            f"{remotes.repository}: the git remote is no GitHub address, so nothing can be released"
        )
    if context.changes:
        differences["working tree"] = (
            f"{len(context.changes)} changes that are not committed are taken along"
        )
    differences["origin"] = "a bare copy on this machine, with its tags and docs branch"
    differences["image"] = f"in a registry of the rehearsal, not {settings.image or 'on ghcr.io'}"
    differences["sign"] = "with a key of the rehearsal, in no transparency log"
    differences["release"] = "at a stand-in of GitHub's API"
    if settings.cache.type != "none":
        differences["cache"] = f"none, not {settings.cache.type}"
    if remotes.builder.difference:
        differences["builder"] = remotes.builder.difference
    return differences
