"""sign: every entry of the index, by digest, leaves first; the index's signature is the record that all is signed.

The leaves are signed side by side. A registry that lists no referrers keeps the signatures of a digest under one tag,
so that those of different digests do not touch.
"""

from __future__ import annotations

from dataclasses import replace

from shipway.model.actions import Action, Command, Effect
from shipway.model.stage import Asking, Finding, State
from shipway.model.target import Target
from shipway.model.world import World
from shipway.tools.cosign import (
    SIGNATURE,
    ask,
    count_signatures,
    read_signed,
    read_signer,
    verify_command,
)
from shipway.tools.imagetools import PASSING

NAME = "sign"

_HINTS = (
    (
        r"ACTIONS_ID_TOKEN_REQUEST|fetching ambient OIDC credentials|getting provider|no OIDC|oauth",
        "keyless signing needs GitHub's identity token: give the job `permissions: id-token: write`",
    ),
    (
        r"(?i)unauthorized|denied|authentication required",
        "the registry refuses the signature: the job needs `packages: write`, and `docker login`",
    ),
)
ID_TOKENS = ("ACTIONS_ID_TOKEN_REQUEST_URL", "SIGSTORE_ID_TOKEN")
"""Where cosign finds an identity without asking anybody: GitHub's, or a token that somebody has got."""
KEYLESS = (
    "in Actions, give the job `permissions: id-token: write`; elsewhere set SIGSTORE_ID_TOKEN, or `key` or "
    "`browser` in [tool.shipway.sign]"
)


def skip_reason(_target: Target) -> str:
    """Every image is signed."""
    return ""


def observe(target: Target, world: World) -> Asking:
    """Verify every entry: cosign's own check is the only honest answer to "is it signed, and by whom"."""
    if world.index is None or world.index.imagined:
        return world
    told = yield from ask(
        target,
        {
            (digest, SIGNATURE): verify_command(target, digest)
            for digest in world.index.leaves_first
        },
    )
    found = {digest: answer for (digest, _), answer in told.items()}
    signed = frozenset(digest for digest, answer in found.items() if read_signed(answer, digest))
    return replace(
        world,
        signed=signed,
        signatures=sum(count_signatures(found[digest]) for digest in signed),
        signers={digest: read_signer(target, answer) for digest, answer in found.items()},
    )


def judge(_target: Target, world: World) -> Finding:
    """Signed is signed only when every entry is."""
    if world.index is None:
        return Finding(State.ABSENT, "no image to sign yet")
    everything = world.index.leaves_first
    signed = len(world.signed.intersection(everything))
    state = State.SAME if signed == len(everything) else State.ABSENT
    return Finding(
        state, f"{signed} of {len(everything)} entries are signed, {world.signatures} signatures"
    )


def plan(target: Target, world: World) -> tuple[Action, ...]:
    """Sign what is missing, the index when all leaves are: signing again would add a second signature."""
    return tuple(sign_command(target, digest) for digest in _next(world))


def _next(world: World) -> tuple[str, ...]:
    assert world.index is not None
    *leaves, index = world.index.leaves_first
    return tuple(digest for digest in leaves if digest not in world.signed) or (index,)


def simulate(_target: Target, world: World) -> World:
    """One step further."""
    return replace(
        world,
        signed=world.signed.union(_next(world)),
        signatures=world.signatures + len(_next(world)),
    )


def sign_command(target: Target, digest: str) -> Command:
    """``cosign sign`` of one digest."""
    return publishing(
        target,
        NAME,
        f"sign {digest[:19]}",
        ("cosign", "sign", *flags(target), f"{target.image}@{digest}"),
    )


def flags(target: Target) -> tuple[str, ...]:
    """With what, and through which services: of ``cosign sign`` and ``cosign attest`` alike."""
    how = target.signing
    argv = ["--yes"]
    if how.key:
        argv += ["--key", how.key]
    elif target.builder and not how.browser:
        # Without it cosign may look for a browser in CI and wait for five minutes.
        argv += ["--oidc-provider", "github-actions"]
    if how.modern and how.config:
        argv += ["--signing-config", how.config]
    elif not how.transparency_log and (how.key or not how.modern):
        # Keyless, cosign 3 takes its services from a signing config alone, and refuses the flag beside it.
        argv += ["--tlog-upload=false"]
    if how.modern and how.trusted_root:
        argv += ["--trusted-root", how.trusted_root]
    return tuple(argv)


def publishing(target: Target, name: str, why: str, argv: tuple[str, ...]) -> Command:
    """A command that signs and stores what it signed."""
    how = target.signing
    return Command(
        name=name,
        why=why,
        argv=argv,
        secrets=("COSIGN_PASSWORD",) if how.key else ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", *ID_TOKENS),
        # Without one of them cosign would wait for somebody to log in.
        needs=() if how.key or how.browser else (KEYLESS, *ID_TOKENS),
        hints=_HINTS,
        # 409: the log has the entry, and the registry does not have the signature.
        again=rf"{PASSING}|\b409\b",
        effect=Effect.PUBLISH,
        side_by_side=not how.browser,
        live=how.browser,
    )
