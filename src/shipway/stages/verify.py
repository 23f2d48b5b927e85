"""verify: what a consumer would check before trusting the image. Anything that is missing is a fault."""

from __future__ import annotations

from dataclasses import replace

from shipway.image.policies import Evidence, strict_policy
from shipway.image.policies.evidence import Point
from shipway.model.actions import Action
from shipway.model.stage import Asking, Finding, State
from shipway.model.target import Target
from shipway.model.world import World
from shipway.stages import inspect, sign
from shipway.tools import imagetools
from shipway.tools.cosign import verify_command

NAME = "verify"


def skip_reason(_target: Target) -> str:
    """Every image is verified."""
    return ""


def observe(target: Target, world: World) -> Asking:
    """Resolve the staging tag again, verify every signature, and look at what was read back."""
    if world.index is None or world.index.imagined:
        return world
    world = yield from sign.observe(target, world)
    world = yield from inspect.observe(target, world)
    return (yield from confirm(target, world, target.staging))


def confirm(target: Target, world: World, tag: str) -> Asking:
    """Look once more where ``tag`` leads, and judge all that was seen."""
    assert world.index is not None and world.contents is not None
    reference = f"{target.image}:{tag}"
    (answer,) = yield (imagetools.inspect(reference),)
    now = imagetools.read_index(answer, reference)
    seen = Evidence(
        index=world.index,
        contents=world.contents,
        reference=reference,
        resolved=now.digest if now else "",
        signers={digest: (digest in world.signed, said) for digest, said in world.signers.items()},
    )
    return replace(world, report=tuple(strict_policy(inspect.expect(target)).check(seen)))


def judge(_target: Target, world: World) -> Finding:
    """Every point has to hold."""
    if not world.report:
        return Finding(State.ABSENT, "not verified yet")
    if found := faults(world):
        return Finding(State.FAULT, found)
    return Finding(
        State.SAME, f"{len(world.report)} points hold, {len(world.signed)} signatures among them"
    )


def plan(target: Target, world: World) -> tuple[Action, ...]:
    """The questions of the verification, for people who want to ask them by hand; the check is the observation."""
    assert world.index is not None
    return (
        *(verify_command(target, entry) for entry in world.index.leaves_first),
        inspect.contents_command(target, world.index.digest),
    )


def simulate(_target: Target, world: World) -> World:
    """A report in which everything holds."""
    return replace(world, report=(Point("model", True, "assumed"),))


def faults(world: World) -> str:
    """What does not hold of the report, empty when all of it does."""
    return "; ".join(
        f"{point.name}: {point.observation}" for point in world.report if not point.holds
    )
