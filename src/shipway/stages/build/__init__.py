"""build: makes the image for every platform, with SBOM and provenance, under its staging tag."""

from __future__ import annotations

from dataclasses import replace

from shipway.errors import ContextError, ToolMissing
from shipway.image.index import Index
from shipway.image.labels import REVISION, VERSION
from shipway.model.actions import Ask, PlannedAction
from shipway.model.stage import Finding, Needs, Stage, State
from shipway.model.target import Target
from shipway.model.version import parse_version
from shipway.model.world import World
from shipway.settings.platforms import match_platforms
from shipway.stages import sign
from shipway.stages.build.builder import (
    imagine_builder,
    is_built_apart,
    lacks_builder,
    observe_builder,
    plan_builder,
)
from shipway.stages.build.commands import NAME, build_image, merge_images, stage_again
from shipway.stages.build.parts import lacking_parts, observe_parts, plan_apart
from shipway.stages.build.stand_ins import imagine_index, variables
from shipway.tools.imagetools import PUT_BACK, find_indexes


def observe(target: Target, world: World, ask: Ask) -> World:
    """Ask what stands behind the staging tag: the digest is seen there, never carried along.

    What the version's tag has is the image, whatever is staged: a second run may have staged
    another one meanwhile. It has to be signed then, as every image was before it took the tag.
    """
    staged, released = _find_images(target, ask)
    holder = "" if released is None else target.tags[0]
    if released is not None and released.gone:
        return replace(
            world,
            holder=holder,
            index=released,
            staging_moved=False,
        )
    if released is not None and released != staged:
        # Whether that image is signed decides whether it may be staged again.
        world = replace(
            world,
            holder=holder,
            index=released,
            staging_moved=True,
        )
        return sign.observe_all(target, world, ask)
    if released is None and staged is not None and staged.gone:
        holder = _find_holder(target, staged, ask)
    world = replace(
        world,
        holder=holder,
        index=staged,
        staging_moved=False,
    )
    finding = judge(target, world)
    if target.parts or finding.state is not State.ABSENT:
        return world
    world = observe_builder(target, world, ask)
    return observe_parts(target, world, ask)


def _find_images(target: Target, ask: Ask) -> tuple[Index | None, Index | None]:
    """Give the image under the staging tag, and the one under the version's tag."""
    references = [f"{target.image}:{target.staging}"]
    # A platform that is built apart has no tags.
    if target.release and target.tags:
        first = target.tags[0]
        version_reference = f"{target.image}:{first}"
        references.append(version_reference)
    staged, *released = find_indexes(references, ask)
    if not released:
        return staged, None
    return staged, released[0]


def _find_holder(target: Target, index: Index, ask: Ask) -> str:
    """Find the tag of a version that has the image of a branch; empty where there is none."""
    version = parse_version(index.annotations.get(VERSION, ""))
    if version is None:
        return ""
    tag = version.image_tag(target.settings.tags.plus)
    reference = f"{target.image}:{tag}"
    (released,) = find_indexes([reference], ask)
    if released is None or released.digest != index.digest:
        return ""
    return tag


def judge(target: Target, world: World) -> Finding:
    """Reuse an image with all platforms, whoever built it: a second build has another digest."""
    index = world.index
    if index is None:
        return Finding(
            State.ABSENT,
            f"no image under {target.staging}",
        )
    if index.gone:
        return _judge_broken(target, world, index)
    tag = target.tags[0] if world.staging_moved else target.staging
    revision = index.annotations.get(REVISION, target.commit)
    if revision != target.commit:
        return Finding(
            State.CONFLICT,
            f"{tag} is already an image of commit {revision}, not of {target.commit}",
        )
    if world.staging_moved and not world.signed.issuperset(index.leaves_first):
        return Finding(
            State.CONFLICT,
            f"{tag} is already {index.digest}, which nobody signed",
        )
    missing = ""
    lacking, _ = match_platforms(target.platforms, index.platforms)
    if lacking:
        platforms = ", ".join(lacking)
        missing = f"{tag} lacks {platforms}"
    elif world.staging_moved:
        missing = f"{target.staging} is not at the image of {tag}"
    if missing:
        return Finding(State.ABSENT, missing)
    evidence = f"{tag} is {index.digest}"
    return Finding(State.SAME, evidence)


def _judge_broken(target: Target, world: World, index: Index) -> Finding:
    """Judge an image whose parts are gone: it is built again only where no version has it."""
    gone = index.describe_gone()
    if not world.holder:
        return Finding(State.ABSENT, f"parts of {target.staging} are gone: {gone}")
    return Finding(
        State.FAULT,
        f"{world.holder} is {index.digest}, and the registry no longer has parts of it: {gone}",
        advice=PUT_BACK,
    )


def plan(target: Target, world: World) -> tuple[PlannedAction, ...]:
    """Plan the builder where it is missing, then the build: one for all platforms, or one each.

    Raises ``ShipwayError`` where it is clear beforehand that the build would fail, or be slow
    without a word.
    """
    if world.staging_moved and world.index:
        return (stage_again(target, world.index.digest),)
    if target.parts:
        return (merge_images(target),)
    _require_cache(target)
    if lacks_builder(target, world):
        return plan_builder(target)
    if target.settings.build.strategy == "emulated":
        _require_emulation(target, world)
    if is_built_apart(target, world):
        return plan_apart(target, world)
    return (build_image(target),)


def _require_cache(target: Target) -> None:
    """Raise ``ContextError`` where variables are missing that the cache of the build needs."""
    lacks = target.build.cache.lacks
    if lacks:
        names = " and ".join(lacks)
        raise ContextError(
            f"the cache of GitHub Actions needs {names}, and buildx would do without "
            "it and say nothing",
            hint="GitHub gives them to actions only: export them with an inline "
            "`actions/github-script` step (docs/docker.md shows it), or set another `type` in "
            "[tool.shipway.cache]",
        )


def _require_emulation(target: Target, world: World) -> None:
    """Raise ``ToolMissing`` where the builder lacks one of the target's platforms.

    A builder that has not run yet does not say what it can build.
    """
    builder = world.builders.get(target.build.builder)
    platforms = builder.platforms if builder else ()
    lacking, _ = match_platforms(target.platforms, platforms)
    if lacking and platforms:
        names = ", ".join(lacking)
        raise ToolMissing(
            f"no emulation of {names} is registered for the builder",
            hint="run `docker run --privileged --rm tonistiigi/binfmt --install all` (in Actions: "
            "`docker/setup-qemu-action`), or cross-build: `strategy` in [tool.shipway.build]",
        )


def simulate(target: Target, world: World) -> World:
    """Imagine what the plan makes: the builder, the images of its nodes, or the image itself."""
    if world.staging_moved:
        return replace(world, staging_moved=False)
    if not target.parts and lacks_builder(target, world):
        return imagine_builder(target, world)
    if is_built_apart(target, world) and lacking_parts(target, world):
        parts = frozenset(target.platforms)
        return replace(world, parts=parts)
    index = imagine_index(target)
    return replace(world, index=index)


STAGE = Stage(
    name=NAME,
    observe=observe,
    judge=judge,
    plan=plan,
    simulate=simulate,
    needs=Needs.CLEAN,
    followed_by=("inspect",),
    variables=variables,
)
