"""verify: what a consumer would check before trusting the image. Anything that is missing is a fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shipway import registry
from shipway.image import Index
from shipway.model import Action, Asking, Finding, Point, State, Target, World
from shipway.stages import inspect, sign

NAME = "verify"


def due(_target: Target) -> str:
    """Every image is verified."""
    return ""


def observe(target: Target, world: World) -> Asking:
    """Resolve the staging tag again, verify every signature, and look at what was read back."""
    if world.index is None or world.index.imagined:
        return world
    world = yield from sign.observe(target, world)
    world = yield from inspect.observe(target, world)
    assert world.index is not None and world.contents is not None
    tag = f"{target.image}:{target.staging}"
    (resolved,) = yield (registry.inspect(tag),)
    points = (
        *_signature_points(world),
        *_structure_points(target, world.index, registry.read_index(resolved, tag)),
        *inspect.points(target, world.contents),
    )
    return replace(world, report=points)


def judge(_target: Target, world: World) -> Finding:
    """Every point has to hold."""
    if not world.report:
        return Finding(State.ABSENT, "not verified yet")
    faults = [point for point in world.report if not point.holds]
    if faults:
        return Finding(State.FAULT, "; ".join(f"{point.name}: {point.seen}" for point in faults))
    return Finding(State.SAME, f"{len(world.report)} points hold, {len(world.signed)} signatures among them")


def plan(target: Target, world: World) -> tuple[Action, ...]:
    """The questions of the verification, for people who want to ask them by hand; the check is the observation."""
    assert world.index is not None
    return (*(sign.verify_command(target, entry) for entry in world.index.leaves_first),
            inspect.contents_command(target, world.index.digest))


def settle(_target: Target, world: World) -> World:
    """A report in which everything holds."""
    return replace(world, report=(Point("model", True, "assumed"),))


def _signature_points(world: World) -> Iterator[Point]:
    assert world.index is not None
    for digest in world.index.leaves_first:
        holds = digest in world.signed
        yield Point(f"signature of {digest[:19]}", holds, "signed by the expected identity" if holds else "missing")


def _structure_points(target: Target, index: Index, now: Index | None) -> Iterator[Point]:
    expected, seen = sorted(target.platforms), sorted(index.platforms)
    yield Point("platforms", expected == seen, ", ".join(seen) or "none")
    for image in index.images:
        count = sum(entry.subject == image.digest for entry in index.attestations)
        yield Point(f"attestations of {image.platform}", count == 1, f"{count} attestation manifests")
    strays = [entry.digest for entry in index.attestations if entry.subject not in {e.digest for e in index.images}]
    yield Point("attestation subjects", not strays, f"{len(strays)} speak of no image of this index")
    yield Point("staging tag", now is not None and now.digest == index.digest, now.digest if now else "gone")
