"""promote: moves the tags that people follow to the verified digest.

A version tag never changes its digest, and where it is gone it gets the very same one back.
"""

from __future__ import annotations

from dataclasses import replace

from shipway.image.labels import VERSION
from shipway.image.policies import describe_faults
from shipway.model.actions import Ask, PlannedAction
from shipway.model.release import Release
from shipway.model.stage import Finding, Stage, State
from shipway.model.target import Target
from shipway.model.version import parse_version
from shipway.model.world import World, require_index
from shipway.stages import verify
from shipway.target.release_page import read_digest
from shipway.tools import github
from shipway.tools.imagetools import PUT_BACK, create_index, find_indexes

NAME = "promote"


def skip_reason(target: Target) -> str | None:
    """Skip targets without public tags, which end at their staging tag."""
    if target.tags:
        return None
    return "no tag to move beyond the staging tag"


def observe(target: Target, world: World, ask: Ask) -> World:
    """Ask which digest each public tag has; where all are right, verify what people now get."""
    world = _observe_tags(target, world, ask)
    if world.pushed is None:
        return world
    first = target.tags[0]
    if target.release and first not in world.tags:
        promised = _find_promised(target, target.release, ask)
        world = replace(world, promised=promised)
    finding = judge(target, world)
    if finding.state is not State.SAME:
        return world
    return verify.verify_tag(target, world, first, ask)


def _observe_tags(target: Target, world: World, ask: Ask) -> World:
    """Ask which digest each public tag has, and which version that image is."""
    references = [f"{target.image}:{tag}" for tag in target.tags]
    indexes = find_indexes(references, ask)
    digests: dict[str, str] = {}
    versions: dict[str, str] = {}
    for tag, index in zip(target.tags, indexes, strict=True):
        if index is not None:
            digests[tag] = index.digest
            version = index.annotations.get(VERSION, "")
            versions[tag] = version
    return replace(
        world,
        tags=digests,
        versions=versions,
    )


def _find_promised(target: Target, release: Release, ask: Ask) -> str:
    """Give the digest that the release's page names, if there is one: the tag may have gone."""
    if not target.repository:
        return ""
    page = github.find_release(target.repository, release.tag, ask)
    body = ""
    if page:
        body = str(page.get("body") or "")
    return read_digest(body, target.image)


def judge(target: Target, world: World) -> Finding:
    """Let the version's own tag be absent or ours; the others may stand behind."""
    if world.index is None:
        tags = ", ".join(target.tags)
        return Finding(
            State.ABSENT,
            f"{tags} not at the verified digest",
        )
    first = target.tags[0]
    digest = world.index.digest
    holder = world.tags.get(first, digest)
    if target.release and holder != digest:
        return Finding(
            State.CONFLICT,
            f"{first} is already {holder} in the registry, not {digest}",
        )
    if first not in world.tags and world.promised not in ("", digest):
        return Finding(
            State.FAULT,
            f"{first} was released as {world.promised}, which its tag no longer has in the "
            f"registry; {digest} is another image",
            advice=PUT_BACK,
        )
    behind = _tags_behind(target, world)
    if behind:
        tags = ", ".join(behind)
        return Finding(
            State.ABSENT,
            f"{tags} not at the verified digest",
        )
    faults = describe_faults(world.report)
    if faults:
        return Finding(
            State.FAULT,
            f"{first}: {faults}",
        )
    evidence = _describe_tags(target, world, digest)
    return Finding(State.SAME, evidence)


def _describe_tags(target: Target, world: World, digest: str) -> str:
    moved: list[str] = []
    ahead: list[str] = []
    for tag in target.tags:
        is_moved = world.tags[tag] == digest
        if is_moved:
            moved.append(tag)
        else:
            version = world.versions[tag]
            ahead.append(f"{tag} stays at {version}")
    tags = ", ".join(moved)
    parts = [f"{tags} at {digest}", *ahead]
    return "; ".join(parts)


def _tags_behind(target: Target, world: World) -> list[str]:
    """Give the tags to move.

    A tag that a higher release has stays: the registry may know more than git.
    """
    digest = world.index.digest if world.index else None
    behind: list[str] = []
    for tag in target.tags:
        if world.tags.get(tag) == digest:
            continue
        version_label = world.versions.get(tag, "")
        if not _is_ahead(target, version_label):
            behind.append(tag)
    return behind


def _is_ahead(target: Target, version_label: str) -> bool:
    """Tell whether an image's label names a stable version above the target's."""
    version = parse_version(version_label)
    if target.release is None or version is None:
        return False
    released = target.release.version
    if released.is_stable and version.is_stable:
        return version.is_above(released)
    return False


def plan(target: Target, world: World) -> tuple[PlannedAction, ...]:
    """Plan to copy the index to the missing tags: by digest, so that its signature still holds."""
    digest = require_index(world).digest
    behind = _tags_behind(target, world)
    tags = ", ".join(behind)
    references = [f"{target.image}:{tag}" for tag in behind]
    source = f"{target.image}@{digest}"
    command = create_index(
        NAME,
        f"move {tags} to the verified digest",
        references,
        [source],
    )
    return (command,)


def simulate(target: Target, world: World) -> World:
    """Put every tag that moves at the digest."""
    digest = require_index(world).digest
    version = ""
    if target.release:
        version = str(target.release.version)
    tags = dict(world.tags)
    versions = dict(world.versions)
    for tag in _tags_behind(target, world):
        tags[tag] = digest
        versions[tag] = version
    return replace(world, tags=tags, versions=versions)


STAGE = Stage(
    name=NAME,
    skip_reason=skip_reason,
    observe=observe,
    judge=judge,
    plan=plan,
    simulate=simulate,
)
