"""verify: checks what a consumer would check before trusting the image.

Anything that is missing is a fault.
"""

from __future__ import annotations

from dataclasses import replace

from shipway.image.policies import Evidence, Point, describe_faults, strict_policy
from shipway.model.actions import Ask, PlannedAction
from shipway.model.stage import Finding, Stage, State
from shipway.model.target import Target
from shipway.model.world import World, require_contents, require_index
from shipway.stages import inspect, sign
from shipway.tools.cosign import verify_signature
from shipway.tools.imagetools import find_indexes

NAME = "verify"


def observe(target: Target, world: World, ask: Ask) -> World:
    """Resolve the staging tag again, verify every signature, and look at what was read back."""
    if world.pushed is None:
        return world
    return verify_tag(
        target,
        world,
        target.staging,
        ask,
    )


def verify_tag(target: Target, world: World, tag: str, ask: Ask) -> World:
    """Verify the image, look once more where ``tag`` leads, and judge all of it."""
    world = sign.observe_all(target, world, ask)
    world = inspect.observe(target, world, ask)
    reference = f"{target.image}:{tag}"
    (index,) = find_indexes([reference], ask)
    evidence = Evidence(
        index=require_index(world),
        contents=require_contents(world),
        reference=reference,
        resolved=index.digest if index else "",
        signers=sign.describe_signers(world),
    )
    expected = inspect.expect(target)
    policy = strict_policy(expected)
    points = tuple(policy.check(evidence))
    return replace(world, report=points)


def judge(_target: Target, world: World) -> Finding:
    """Require that every point of the strict verification holds."""
    if not world.report:
        return Finding(State.ABSENT, "not verified yet")
    faults = describe_faults(world.report)
    if faults:
        return Finding(State.FAULT, faults)
    points = len(world.report)
    signatures = len(world.signed)
    return Finding(
        State.SAME,
        f"{points} points hold, {signatures} signatures among them",
    )


def plan(target: Target, world: World) -> tuple[PlannedAction, ...]:
    """Plan the questions, for people who want to ask them by hand; the check is the observation."""
    index = require_index(world)
    questions: list[PlannedAction] = []
    for digest in index.leaves_first:
        question = verify_signature(target.image, target.signer, digest)
        questions.append(question)
    read_back = inspect.read_back(target, index.digest)
    questions.append(read_back)
    return tuple(questions)


def simulate(_target: Target, world: World) -> World:
    """Imagine a report in which everything holds."""
    point = Point("model", True, "assumed")
    return replace(world, report=(point,))


STAGE = Stage(
    name=NAME,
    observe=observe,
    judge=judge,
    plan=plan,
    simulate=simulate,
    is_check=True,
)
