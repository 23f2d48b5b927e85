"""attest: signs what BuildKit states of each platform, as attestations for policy engines.

SBOM and provenance are taken from the image itself, as they were pushed, and signed by cosign
(in-toto, DSSE). Statements about one digest are written one after the other: a registry that lists
no referrers would lose some.
"""

from __future__ import annotations

from dataclasses import replace

from shipway.image.contents import PROVENANCE, SPDX
from shipway.model.actions import Ask, Command, PlannedAction, ReadPredicate
from shipway.model.stage import Finding, Stage, State
from shipway.model.target import Target
from shipway.model.world import World
from shipway.stages.sign import lacking
from shipway.tools import cosign, cosign_signing
from shipway.tools.cosign_answers import Claim, find_refusals, is_signed

NAME = "attest"
KINDS = {
    SPDX: "spdxjson",
    f"{PROVENANCE}v1": "slsaprovenance1",
    f"{PROVENANCE}v0.2": "slsaprovenance02",
}
"""Gives cosign's name of each predicate type that BuildKit states; older ones state v0.2."""


def skip_reason(target: Target) -> str | None:
    """Skip targets whose settings do not ask for it."""
    if target.settings.sign.attest:
        return None
    return "not asked for: `attest` in [tool.shipway.sign]"


def observe(target: Target, world: World, ask: Ask) -> World:
    """Verify each attestation that should be there."""
    if world.pushed is None:
        return world
    questions: dict[Claim, Command] = {}
    for digest, predicate_type in _expected(world):
        command = cosign.verify_attestation(
            target.image,
            target.signer,
            digest,
            KINDS[predicate_type],
        )
        questions[digest, predicate_type] = command
    answers = cosign.ask_for_claims(target.image, questions, ask)
    attested: set[Claim] = set()
    for claim, answer in answers.items():
        if is_signed(answer, claim):
            attested.add(claim)
    return replace(
        world,
        attested=frozenset(attested),
        refusals=find_refusals(answers),
    )


def judge(target: Target, world: World) -> Finding:
    """Require a signed attestation of each statement of each platform."""
    expected = _expected(world)
    if not expected:
        return Finding(State.ABSENT, "nothing is attested yet")
    total = len(expected)
    signed_claims = world.attested.intersection(expected)
    signed = len(signed_claims)
    evidence = f"{signed} of {total} attestations are signed"
    if signed < total:
        return lacking(target, world, evidence)
    return Finding(State.SAME, evidence)


def plan(target: Target, world: World) -> tuple[PlannedAction, ...]:
    """Sign the statements of one kind side by side, each of another digest; the first goes alone.

    What is not accepted of it would not be of the others, and no log forgets an entry.
    """
    expected = _expected(world)
    actions: list[PlannedAction] = []
    for digest, predicate_type in _next_claims(world).items():
        kind = KINDS[predicate_type]
        predicate = ReadPredicate(
            name=NAME,
            why=f"read the {kind} of {digest[:19]}",
            image=target.image,
            digest=expected[digest, predicate_type],
            predicate_type=predicate_type,
        )
        command = cosign_signing.attest(target, digest, kind, predicate)
        actions.append(command)
    return tuple(actions)


def simulate(_target: Target, world: World) -> World:
    """Sign the first statement, then the others of its kind, then those of the next kind."""
    claims = _next_claims(world)
    attested = world.attested.union(claims.items())
    return replace(world, attested=attested)


def _expected(world: World) -> dict[Claim, str]:
    """Give for each statement that BuildKit made the digest of the manifest that holds it."""
    if world.contents is None:
        return {}
    manifests: dict[Claim, str] = {}
    for attestation in world.contents.attestations:
        types = {statement.type for statement in attestation.statements}
        for predicate_type in KINDS:
            if predicate_type in types:
                manifests[attestation.subject, predicate_type] = attestation.digest
    return manifests


def _next_claims(world: World) -> dict[str, str]:
    """Give by digest the predicate type of the claims to sign next: all are of one kind.

    Where none is signed yet it is a single one.
    """
    expected = list(_expected(world))
    unsigned = [claim for claim in expected if claim not in world.attested]
    if unsigned == expected:
        unsigned = expected[:1]
    for kind in KINDS:
        claims: dict[str, str] = {}
        for digest, predicate_type in unsigned:
            if predicate_type == kind:
                claims[digest] = kind
        if claims:
            return claims
    return {}


STAGE = Stage(
    name=NAME,
    skip_reason=skip_reason,
    observe=observe,
    judge=judge,
    plan=plan,
    simulate=simulate,
)
