"""attest: what BuildKit states of each platform, unsigned, also as signed attestations that policy engines look for.

SBOM and provenance are taken from the image itself, as they were pushed, and signed by cosign (in-toto, DSSE).
Statements about one digest are written one after the other: a registry that lists no referrers would lose some.
"""

from __future__ import annotations

from dataclasses import replace

from shipway.image.contents import PROVENANCE, SPDX
from shipway.model.actions import Action
from shipway.model.stage import Asking, Finding, State
from shipway.model.target import Target
from shipway.model.world import World
from shipway.stages import sign
from shipway.tools import cosign

NAME = "attest"
TYPES = {
    "spdxjson": SPDX,
    "slsaprovenance1": f"{PROVENANCE}v1",
    "slsaprovenance02": f"{PROVENANCE}v0.2",
}
"""cosign's name of a predicate type → the type in the statements of BuildKit, which made provenance v0.2 once."""
Pair = tuple[str, str]


def skip_reason(target: Target) -> str:
    """Where the settings ask for it."""
    return "" if target.signing.attest else "not asked for: `attest` in [tool.shipway.sign]"


def observe(target: Target, world: World) -> Asking:
    """Verify each attestation that should be there."""
    asked = {
        (digest, TYPES[kind]): cosign.asking(
            NAME,
            f"verify the {kind} of {digest[:19]}",
            (
                "cosign",
                "verify-attestation",
                f"--type={kind}",
                *cosign.expected_signer(target),
                f"{target.image}@{digest}",
            ),
        )
        for digest, kind in _wanted(world)
    }
    told = yield from cosign.ask(target, asked)
    return replace(
        world,
        attested=frozenset(
            pair
            for pair in _wanted(world)
            if cosign.read_signed(told[pair[0], TYPES[pair[1]]], pair[0])
        ),
    )


def judge(_target: Target, world: World) -> Finding:
    """One of each statement of each platform."""
    wanted = _wanted(world)
    found = len(world.attested.intersection(wanted))
    if not wanted:
        return Finding(State.ABSENT, "nothing is attested yet")
    return Finding(
        State.SAME if found == len(wanted) else State.ABSENT,
        f"{found} of {len(wanted)} attestations are signed",
    )


def plan(target: Target, world: World) -> tuple[Action, ...]:
    """The next one of each digest, side by side."""
    return tuple(
        sign.publishing(
            target,
            NAME,
            f"attest the {kind} of {digest[:19]}",
            (
                "python3",
                "-m",
                "shipway.effects.attest",
                f"{target.image}@{_holders(world)[digest]}",
                TYPES[kind],
                "cosign",
                "attest",
                f"--type={kind}",
                "--predicate=-",
                *sign.flags(target),
                f"{target.image}@{digest}",
            ),
        )
        for digest, kind in _next(world).items()
    )


def simulate(_target: Target, world: World) -> World:
    """One more of each digest."""
    return replace(world, attested=world.attested.union(_next(world).items()))


def _holders(world: World) -> dict[str, str]:
    """Digest of a platform's image → that of the manifest with its statements."""
    return (
        {one.subject: one.digest for one in world.contents.attestations} if world.contents else {}
    )


def _wanted(world: World) -> list[Pair]:
    held = (
        {
            one.subject: {statement.type for statement in one.statements}
            for one in world.contents.attestations
        }
        if world.contents
        else {}
    )
    return [
        (digest, kind)
        for digest, types in held.items()
        for kind, name in TYPES.items()
        if name in types
    ]


def _next(world: World) -> dict[str, str]:
    missing = [pair for pair in _wanted(world) if pair not in world.attested]
    return dict(reversed(missing))
