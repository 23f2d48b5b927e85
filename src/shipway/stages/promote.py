"""promote: the tags that people follow move to the verified digest; a version tag never changes its digest."""

from __future__ import annotations

from dataclasses import replace

from shipway.image.labels import VERSION
from shipway.model.actions import Action, Command, Effect
from shipway.model.stage import Asking, Finding, State
from shipway.model.target import Target
from shipway.model.world import World
from shipway.stages import inspect, sign, verify
from shipway.target.tags import is_higher
from shipway.tools import imagetools
from shipway.tools.imagetools import PASSING

NAME = "promote"


def skip_reason(target: Target) -> str:
    """A target without public tags ends at its staging tag."""
    return "" if target.tags else "no tag to move beyond the staging tag"


def observe(target: Target, world: World) -> Asking:
    """Ask which digest each public tag has; where all are right, verify what people now get by the first of them."""
    references = tuple(f"{target.image}:{tag}" for tag in target.tags)
    answers = yield tuple(imagetools.inspect(reference) for reference in references)
    found, versions = {}, {}
    for tag, reference, answer in zip(target.tags, references, answers, strict=True):
        index = imagetools.read_index(answer, reference)
        if index is not None:
            found[tag], versions[tag] = index.digest, index.annotations.get(VERSION, "")
    world = replace(world, tags=found, versions=versions)
    if world.index is None or world.index.imagined or judge(target, world).state is not State.SAME:
        return world
    world = yield from sign.observe(target, world)
    world = yield from inspect.observe(target, world)
    return (yield from verify.confirm(target, world, target.tags[0]))


def judge(target: Target, world: World) -> Finding:
    """The version's own tag may be absent or ours; the others may stand behind."""
    digest = world.index.digest if world.index else ""
    own = world.tags.get(target.tags[0], digest)
    if target.version and own != digest:
        return Finding(
            State.CONFLICT, f"{target.tags[0]} is already {own} in the registry, not {digest}"
        )
    behind = _behind(target, world)
    if behind or not digest:
        return Finding(
            State.ABSENT, f"{', '.join(behind or target.tags)} not at the verified digest"
        )
    if found := verify.faults(world):
        return Finding(State.FAULT, f"{target.tags[0]}: {found}")
    at = [tag for tag in target.tags if world.tags[tag] == digest]
    ahead = [f"{tag} stays at {world.versions[tag]}" for tag in target.tags if tag not in at]
    return Finding(State.SAME, "; ".join((f"{', '.join(at)} at {digest}", *ahead)))


def _behind(target: Target, world: World) -> list[str]:
    """The tags to move. One that a higher release has is left there: the registry may know more than the git tags."""
    digest = world.index.digest if world.index else ""
    return [
        tag
        for tag in target.tags
        if world.tags.get(tag) != digest
        and not (target.version and is_higher(world.versions.get(tag, ""), target.version))
    ]


def plan(target: Target, world: World) -> tuple[Action, ...]:
    """Copy one index to the tags that are missing: by digest, unchanged, so that its signature still holds."""
    assert world.index is not None
    digest, behind = world.index.digest, _behind(target, world)
    argv = ["docker", "buildx", "imagetools", "create"]
    for tag in behind:
        argv += ["--tag", f"{target.image}:{tag}"]
    return (
        Command(
            name=NAME,
            why=f"move {', '.join(behind)} to the verified digest",
            argv=(*argv, f"{target.image}@{digest}"),
            effect=Effect.PUBLISH,
            again=PASSING,
        ),
    )


def simulate(target: Target, world: World) -> World:
    """Every tag at the digest."""
    assert world.index is not None
    moved = _behind(target, world)
    return replace(
        world,
        tags={**world.tags, **{tag: world.index.digest for tag in moved}},
        versions={**world.versions, **{tag: target.version for tag in moved}},
    )
