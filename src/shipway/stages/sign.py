"""sign: signs every entry of the index by digest, leaves first, so that the last stands for all.

The first leaf shows whether what is signed is accepted; the others are signed side by side. A
registry that lists no referrers keeps the signatures of a digest under one tag, so that those of
different digests do not touch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from shipway.model.actions import Ask, Command, PlannedAction
from shipway.model.stage import Finding, Stage, State
from shipway.model.target import Signer, Target
from shipway.model.world import World, require_index
from shipway.tools import cosign, cosign_signing
from shipway.tools.cosign_answers import (
    SIGNATURE,
    Claim,
    count_signatures,
    describe_signer,
    find_refusals,
    is_signed,
)
from shipway.tools.cosign_refusals import advise

NAME = "sign"


def observe(target: Target, world: World, ask: Ask) -> World:
    """Verify the signature of every entry that this run has not seen signed."""
    index = world.pushed
    if index is None:
        return world
    unseen = [digest for digest in index.leaves_first if digest not in world.signed]
    now = observe_signatures(
        target.image,
        target.signer,
        unseen,
        world,
        ask,
    )
    return replace(
        now,
        signed=world.signed | now.signed,
        signatures=world.signatures + now.signatures,
        signers={**world.signers, **now.signers},
    )


def observe_all(target: Target, world: World, ask: Ask) -> World:
    """Verify the signature of every entry, whatever was seen before."""
    unseen = replace(
        world,
        signed=frozenset(),
        signatures=0,
        signers={},
    )
    return observe(target, unseen, ask)


def observe_signatures(
    image: str, signer: Signer, digests: Iterable[str], world: World, ask: Ask
) -> World:
    """Ask cosign for each of ``digests`` whether it is signed, and by whom."""
    questions: dict[Claim, Command] = {}
    for digest in digests:
        command = cosign.verify_signature(image, signer, digest)
        questions[digest, SIGNATURE] = command
    answers = cosign.ask_for_claims(image, questions, ask)
    signed: set[str] = set()
    signatures = 0
    signers: dict[str, str] = {}
    refusals = find_refusals(answers)
    for claim, answer in answers.items():
        digest, _ = claim
        signers[digest] = describe_signer(signer, answer, digest)
        if is_signed(answer, claim):
            signed.add(digest)
            signatures += count_signatures(answer, digest)
    return replace(
        world,
        signed=frozenset(signed),
        signatures=signatures,
        signers=signers,
        refusals=refusals,
    )


def describe_signers(world: World) -> dict[str, tuple[bool, str]]:
    """Tell by digest whether it is signed as expected, and what cosign said of it."""
    signers: dict[str, tuple[bool, str]] = {}
    for digest, description in world.signers.items():
        holds = digest in world.signed
        signers[digest] = (holds, description)
    return signers


def judge(target: Target, world: World) -> Finding:
    """Call the image signed only when every entry is."""
    if world.index is None:
        return Finding(State.ABSENT, "no image to sign yet")
    entries = world.index.leaves_first
    total = len(entries)
    signed_entries = world.signed.intersection(entries)
    signed = len(signed_entries)
    evidence = f"{signed} of {total} entries are signed, {world.signatures} signatures"
    if signed < total:
        return lacking(target, world, evidence)
    return Finding(State.SAME, evidence)


def lacking(target: Target, world: World, evidence: str) -> Finding:
    """Give the finding where signatures or attestations lack, with what cosign refuses and why."""
    reasons = "; ".join(world.refusals)
    if not reasons:
        return Finding(State.ABSENT, evidence)
    return Finding(
        State.ABSENT,
        f"{evidence}; cosign refuses: {reasons}",
        advice=advise(target.signer, reasons),
    )


def plan(target: Target, world: World) -> tuple[PlannedAction, ...]:
    """Sign the leaves that are not signed yet, then the index: twice would add a signature.

    The first leaf goes alone: what is not accepted of it would not be of the others, and no log
    forgets an entry.
    """
    commands: list[PlannedAction] = []
    for digest in _next_digests(world):
        command = cosign_signing.sign(target, digest)
        commands.append(command)
    return tuple(commands)


def _next_digests(world: World) -> tuple[str, ...]:
    *leaves, index = require_index(world).leaves_first
    unsigned = [digest for digest in leaves if digest not in world.signed]
    if not unsigned:
        return (index,)
    if unsigned == leaves:
        return (leaves[0],)
    return tuple(unsigned)


def simulate(_target: Target, world: World) -> World:
    """Sign what the next step signs: the first leaf, the others, or else the index."""
    digests = _next_digests(world)
    signatures = world.signatures + len(digests)
    return replace(
        world,
        signed=world.signed.union(digests),
        signatures=signatures,
    )


STAGE = Stage(
    name=NAME,
    observe=observe,
    judge=judge,
    plan=plan,
    simulate=simulate,
)
