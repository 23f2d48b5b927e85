"""inspect: the pushed image is read back: what was built is what was meant, before anybody signs for it."""

from __future__ import annotations

from dataclasses import replace

from shipway.errors import StepFailed
from shipway.image.contents import Contents, parse_contents
from shipway.image.labels import SOURCE
from shipway.image.policies import Evidence, Expected, content_policy
from shipway.model.actions import Action, Answer, Command, Effect
from shipway.model.stage import Asking, Finding, State
from shipway.model.target import Target
from shipway.model.world import World

NAME = "inspect"


def skip_reason(_target: Target) -> str:
    """Every image is read back."""
    return ""


def observe(target: Target, world: World) -> Asking:
    """Read the image; what was read of the same digest before still holds."""
    if world.index is None or world.index.imagined:
        return world
    if world.contents is not None and world.contents.digest == world.index.digest:
        return world
    (answer,) = yield (contents_command(target, world.index.digest),)
    contents = read_contents(answer)
    return replace(
        world,
        contents=contents,
        packages={name: len(contents.packages(name)) for name in contents.platforms},
    )


def judge(target: Target, world: World) -> Finding:
    """Every point has to hold."""
    if world.index is None or world.contents is None:
        return Finding(State.ABSENT, "not read back yet")
    seen = tuple(
        content_policy(expect(target)).check(Evidence(index=world.index, contents=world.contents))
    )
    faults = [point for point in seen if not point.holds]
    if faults:
        return Finding(
            State.FAULT, "; ".join(f"{point.name}: {point.observation}" for point in faults)
        )
    files = sum(platform.compiled for platform in world.contents.platforms.values())
    return Finding(
        State.SAME, f"{len(seen)} points hold; {files} compiled files fit their platforms"
    )


def plan(target: Target, world: World) -> tuple[Action, ...]:
    """The question, for people who want to ask it by hand; the check is the observation."""
    assert world.index is not None
    return (contents_command(target, world.index.digest),)


def simulate(_target: Target, world: World) -> World:
    """An image in which there is nothing to complain of."""
    assert world.index is not None
    return replace(world, contents=Contents(digest=world.index.digest))


def contents_command(target: Target, digest: str) -> Command:
    """The question what is in an image; it uses the logins of the Docker client."""
    return Command(
        name=NAME,
        why=f"read {digest[:19]} back",
        effect=Effect.READ,
        argv=("python3", "-m", "shipway.effects.read_image", f"{target.image}@{digest}"),
    )


def read_contents(answer: Answer) -> Contents:
    """The answer; raises ``StepFailed`` when it is none."""
    try:
        return parse_contents(answer.out)
    except ValueError as error:
        raise StepFailed(
            f"what was read back cannot be understood: {error}", hint="run the same command again"
        ) from error


def expect(target: Target) -> Expected:
    """What is known beforehand of the target's image."""
    run = target.builder.rpartition("/")[0]
    return Expected(
        platforms=target.platforms,
        labels=target.labels,
        source=target.labels.get(SOURCE, ""),
        # An image that an earlier run left is as good; one from elsewhere is not.
        builders=(f"{run}/",) if run else (),
        licenses=target.licenses,
        allow_foreign=target.build.allow_foreign,
    )
