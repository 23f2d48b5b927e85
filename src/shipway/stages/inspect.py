"""inspect: reads the pushed image back, to see that what was built is what was meant.

Only then does anybody sign for it.
"""

from __future__ import annotations

from dataclasses import replace

from shipway.image.contents import PROVENANCE, SPDX, Attestation, Contents, Statement
from shipway.image.index import Entry
from shipway.image.labels import SOURCE
from shipway.image.policies import Evidence, Expected, content_policy, describe_faults
from shipway.model.actions import Ask, PlannedAction, ReadImage
from shipway.model.stage import Finding, Stage, State
from shipway.model.target import Target
from shipway.model.world import World, require_index
from shipway.tools.imagetools import PUT_BACK

NAME = "inspect"


def observe(target: Target, world: World, ask: Ask) -> World:
    """Read the image back; what was read of the same digest before still holds."""
    index = world.pushed
    if index is None:
        return world
    digest = index.digest
    contents = world.contents
    if contents is not None and contents.digest == digest:
        return world
    question = read_back(target, digest)
    contents = ask(question)
    return replace(world, contents=contents)


def judge(target: Target, world: World) -> Finding:
    """Require that every point of the policy for contents holds."""
    contents = world.contents
    if world.index is None or contents is None:
        return Finding(State.ABSENT, "not read back yet")
    expected = expect(target)
    policy = content_policy(expected)
    evidence = Evidence(index=world.index, contents=contents)
    points = list(policy.check(evidence))
    faults = describe_faults(points)
    if faults:
        advice = ""
        if contents.broken:
            advice = _advise_on_broken(target, world)
        return Finding(
            State.FAULT,
            faults,
            advice=advice,
        )
    files = 0
    for platform in contents.platforms.values():
        files += platform.compiled
    return Finding(
        State.SAME,
        f"{len(points)} points hold; {files} compiled files fit their platforms",
    )


def _advise_on_broken(target: Target, world: World) -> str:
    """Say what to do about an image with broken parts; one that no version has may be replaced."""
    if world.holder:
        return PUT_BACK
    return (
        f"nothing more was published: delete the tag {target.staging} in the registry, so that the "
        "image is built again, or put the very same parts back; then run the same command again"
    )


def plan(target: Target, world: World) -> tuple[PlannedAction, ...]:
    """Plan the question, for people who want to ask it by hand; the check is the observation."""
    index = require_index(world)
    return (read_back(target, index.digest),)


def simulate(_target: Target, world: World) -> World:
    """Imagine an image with the statements that a build makes of each platform."""
    index = require_index(world)
    attestations = tuple(map(_imagine_attestation, index.attestations))
    contents = Contents(digest=index.digest, attestations=attestations)
    return replace(world, contents=contents)


def _imagine_attestation(entry: Entry) -> Attestation:
    subjects = (entry.subject,)
    statements = (
        Statement(type=SPDX, subjects=subjects),
        Statement(type=f"{PROVENANCE}v1", subjects=subjects),
    )
    return Attestation(
        digest=entry.digest,
        subject=entry.subject,
        statements=statements,
    )


def read_back(target: Target, digest: str) -> ReadImage:
    """Make the question what is in the image; it uses the logins of the Docker client."""
    return ReadImage(
        name=NAME,
        why=f"read {digest[:19]} back",
        image=target.image,
        digest=digest,
    )


def expect(target: Target) -> Expected:
    """Give what is known beforehand of the target's image."""
    builders: list[str] = []
    runs, _, _ = target.build.run_url.rpartition("/")
    if runs:
        # An image that an earlier run left is as good; one from elsewhere is not.
        builders.append(f"{runs}/")
    return Expected(
        platforms=target.platforms,
        labels=target.labels,
        distribution=target.distribution,
        version=str(target.release.version) if target.release else "",
        source=target.labels.get(SOURCE, ""),
        builders=tuple(builders),
        licenses=tuple(target.settings.policy.licenses),
        allow_foreign=tuple(target.settings.build.allow_foreign),
    )


STAGE = Stage(
    name=NAME,
    observe=observe,
    judge=judge,
    plan=plan,
    simulate=simulate,
    is_check=True,
)
