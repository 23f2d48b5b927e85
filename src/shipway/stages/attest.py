"""attest: signs what BuildKit states of each platform, as attestations for policy engines.

SBOM and provenance are taken from the image itself, as they were pushed, and signed by cosign
(in-toto, DSSE). Statements about one digest are written one after the other: a registry that lists
no referrers would lose some.
"""

from __future__ import annotations

from dataclasses import replace

from shipway.image.contents import PROVENANCE, SPDX, Attestation
from shipway.model.actions import Ask, Command, PlannedAction, ReadPredicate
from shipway.model.stage import Finding, Stage, State
from shipway.model.target import Target
from shipway.model.world import World
from shipway.tools import cosign, cosign_signing
from shipway.tools.cosign import Claim

NAME = "attest"
PREDICATE_TYPES = {
    "spdxjson": SPDX,
    "slsaprovenance1": f"{PROVENANCE}v1",
    "slsaprovenance02": f"{PROVENANCE}v0.2",
}
"""Maps cosign's name of a predicate type to the type that BuildKit states, once of v0.2."""


def skip_reason(target: Target) -> str | None:
    """Skip targets whose settings do not ask for it."""
    if target.settings.sign.attest:
        return None
    return "not asked for: `attest` in [tool.shipway.sign]"


def observe(target: Target, world: World, ask: Ask) -> World:
    """Verify each attestation that should be there."""
    if world.index is None or world.index.imagined:
        return world
    questions: dict[Claim, Command] = {}
    for digest, kind in _expected(world):
        command = cosign.verify_attestation(
            target.image,
            target.signer,
            digest,
            kind,
        )
        questions[digest, PREDICATE_TYPES[kind]] = command
    answers = cosign.ask_for_claims(target.image, questions, ask)
    attested: set[Claim] = set()
    for digest, kind in _expected(world):
        answer = answers[digest, PREDICATE_TYPES[kind]]
        if cosign.is_signed(answer, digest):
            attested.add((digest, kind))
    return replace(world, attested=frozenset(attested))


def judge(_target: Target, world: World) -> Finding:
    """Require a signed attestation of each statement of each platform."""
    expected = _expected(world)
    if not expected:
        return Finding(State.ABSENT, "nothing is attested yet")
    total = len(expected)
    signed = len(world.attested.intersection(expected))
    evidence = f"{signed} of {total} attestations are signed"
    if signed < total:
        return Finding(State.ABSENT, evidence)
    return Finding(State.SAME, evidence)


def plan(target: Target, world: World) -> tuple[PlannedAction, ...]:
    """Sign the next statement of each digest, side by side."""
    manifests: dict[str, str] = {}
    for attestation in _attestations(world):
        manifests[attestation.subject] = attestation.digest
    actions: list[PlannedAction] = []
    for digest, kind in _next_claims(world).items():
        predicate = ReadPredicate(
            name=NAME,
            why=f"read the {kind} of {digest[:19]}",
            image=target.image,
            digest=manifests[digest],
            predicate_type=PREDICATE_TYPES[kind],
        )
        command = cosign_signing.attest(target, digest, kind, predicate)
        actions.append(command)
    return tuple(actions)


def simulate(_target: Target, world: World) -> World:
    """Sign one more statement of each digest."""
    claims = _next_claims(world)
    attested = world.attested.union(claims.items())
    return replace(world, attested=attested)


def _attestations(world: World) -> tuple[Attestation, ...]:
    if world.contents is None:
        return ()
    return world.contents.attestations


def _expected(world: World) -> list[Claim]:
    """Give (digest, cosign's name of the predicate type) of each statement that BuildKit made."""
    claims: list[Claim] = []
    for attestation in _attestations(world):
        types = {statement.type for statement in attestation.statements}
        for kind, predicate_type in PREDICATE_TYPES.items():
            if predicate_type in types:
                claims.append((attestation.subject, kind))
    return claims


def _next_claims(world: World) -> dict[str, str]:
    """Give the predicate type of the first claim that is not signed yet, by digest."""
    claims: dict[str, str] = {}
    for digest, kind in _expected(world):
        if (digest, kind) not in world.attested:
            claims.setdefault(digest, kind)
    return claims


STAGE = Stage(
    name=NAME,
    skip_reason=skip_reason,
    observe=observe,
    judge=judge,
    plan=plan,
    simulate=simulate,
)
