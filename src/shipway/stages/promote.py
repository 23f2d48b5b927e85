"""promote: the tags that people follow move to the verified digest; a version tag never changes its digest."""

from __future__ import annotations

from dataclasses import replace

from shipway.model import Action, Asking, Command, Effect, Finding, State, Target, World
from shipway.registry import inspect, read_index

NAME = "promote"


def due(target: Target) -> str:
    """A target without public tags ends at its staging tag."""
    return "" if target.tags else "no tag to move beyond the staging tag"


def observe(target: Target, world: World) -> Asking:
    """Ask which digest each public tag has."""
    references = tuple(f"{target.image}:{tag}" for tag in target.tags)
    answers = yield tuple(inspect(reference) for reference in references)
    found = {}
    for tag, reference, answer in zip(target.tags, references, answers, strict=True):
        index = read_index(answer, reference)
        if index is not None:
            found[tag] = index.digest
    return replace(world, tags=found)


def judge(target: Target, world: World) -> Finding:
    """The version's own tag may be absent or ours; the others may stand behind."""
    digest = world.index.digest if world.index else ""
    own = world.tags.get(target.tags[0], digest)
    if target.version and own != digest:
        return Finding(State.CONFLICT, f"{target.tags[0]} is already {own} in the registry, not {digest}")
    behind = [tag for tag in target.tags if world.tags.get(tag) != digest]
    if behind or not digest:
        return Finding(State.ABSENT, f"{', '.join(behind or target.tags)} not at the verified digest")
    return Finding(State.SAME, f"{', '.join(target.tags)} at {digest}")


def plan(target: Target, world: World) -> tuple[Action, ...]:
    """Copy one index to the tags that are missing: by digest, unchanged, so that its signature still holds."""
    assert world.index is not None
    digest = world.index.digest
    behind = [tag for tag in target.tags if world.tags.get(tag) != digest]
    argv = ["docker", "buildx", "imagetools", "create"]
    for tag in behind:
        argv += ["--tag", f"{target.image}:{tag}"]
    return (Command(name=NAME, why=f"move {', '.join(behind)} to the verified digest",
                    argv=(*argv, f"{target.image}@{digest}"), effect=Effect.PUBLISH),)


def settle(target: Target, world: World) -> World:
    """Every tag at the digest."""
    assert world.index is not None
    return replace(world, tags={tag: world.index.digest for tag in target.tags})
