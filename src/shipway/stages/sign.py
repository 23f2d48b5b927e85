"""sign: every entry of the index, by digest, leaves first; the index's signature is the record that all is signed.

The leaves are signed side by side. A registry that lists no referrers keeps the signatures of a digest under one tag,
so that those of different digests do not touch.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace

from shipway.errors import StepFailed
from shipway.model import Action, Answer, Asking, Command, Effect, Finding, State, Target, World
from shipway.registry import PASSING

NAME = "sign"

_HINTS = (
    (r"ACTIONS_ID_TOKEN_REQUEST|fetching ambient OIDC credentials|getting provider|no OIDC|oauth",
     "keyless signing needs GitHub's identity token: give the job `permissions: id-token: write`"),
    (r"(?i)unauthorized|denied|authentication required",
     "the registry refuses the signature: the job needs `packages: write`, and `docker login`"),
)
ID_TOKENS = ("ACTIONS_ID_TOKEN_REQUEST_URL", "SIGSTORE_ID_TOKEN")
"""Where cosign finds an identity without asking anybody: GitHub's, or a token that somebody has got."""
KEYLESS = ("in Actions, give the job `permissions: id-token: write`; elsewhere set SIGSTORE_ID_TOKEN, or `key` or "
           "`browser` in [tool.shipway.sign]")
_UNSIGNED_CODES = (10, 12)
"""cosign's own exit codes for "no signatures" and "none of this identity" (`cmd/cosign/errors/exit_codes.go`)."""
_FLAGS = {"commit": "sha"}
"""Ends of cosign's flags (`--certificate-github-workflow-…`) where they differ from our words."""
_UNSIGNED = re.compile(r"no signatures found|no matching signatures|none of the expected identities matched|"
                       r"invalid signature when validating|failed to verify signature|no attestations found|"
                       r"none of the attestations matched|no matching attestations|no valid .* signatures",
                       re.IGNORECASE)


def due(_target: Target) -> str:
    """Every image is signed."""
    return ""


def observe(target: Target, world: World) -> Asking:
    """Verify every entry: cosign's own check is the only honest answer to "is it signed, and by whom"."""
    if world.index is None or world.index.imagined:
        return world
    digests = world.index.leaves_first
    answers = yield tuple(verify_command(target, digest) for digest in digests)
    told = dict(zip(digests, answers, strict=True))
    signed = frozenset(digest for digest, answer in told.items() if read_signed(answer, digest))
    return replace(world, signed=signed, signatures=sum(count_signatures(told[digest]) for digest in signed),
                   signers={digest: read_signer(target, answer) for digest, answer in told.items()})


def judge(_target: Target, world: World) -> Finding:
    """Signed is signed only when every entry is."""
    if world.index is None:
        return Finding(State.ABSENT, "no image to sign yet")
    everything = world.index.leaves_first
    signed = len(world.signed.intersection(everything))
    state = State.SAME if signed == len(everything) else State.ABSENT
    return Finding(state, f"{signed} of {len(everything)} entries are signed, {world.signatures} signatures")


def plan(target: Target, world: World) -> tuple[Action, ...]:
    """Sign what is missing, the index when all leaves are: signing again would add a second signature."""
    return tuple(sign_command(target, digest) for digest in _next(world))


def _next(world: World) -> tuple[str, ...]:
    assert world.index is not None
    *leaves, index = world.index.leaves_first
    return tuple(digest for digest in leaves if digest not in world.signed) or (index,)


def settle(_target: Target, world: World) -> World:
    """One step further."""
    return replace(world, signed=world.signed.union(_next(world)), signatures=world.signatures + len(_next(world)))


def sign_command(target: Target, digest: str) -> Command:
    """``cosign sign`` of one digest."""
    return publishing(target, NAME, f"sign {digest[:19]}",
                      ("cosign", "sign", *flags(target), f"{target.image}@{digest}"))


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
        secrets=("COSIGN_PASSWORD",) if how.key
        else ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", *ID_TOKENS),
        # Without one of them cosign would wait for somebody to log in.
        needs=() if how.key or how.browser else (KEYLESS, *ID_TOKENS),
        hints=_HINTS,
        # 409: the log has the entry, and the registry does not have the signature.
        again=rf"{PASSING}|\b409\b",
        effect=Effect.PUBLISH,
        side_by_side=not how.browser,
        live=how.browser,
    )


def verify_command(target: Target, digest: str) -> Command:
    """``cosign verify`` of one digest, with the exact identity; never a regular expression."""
    return asking("verify", f"verify the signature of {digest[:19]}",
                  ("cosign", "verify", "--output=json", *expected_signer(target), f"{target.image}@{digest}"))


def expected_signer(target: Target) -> tuple[str, ...]:
    """Whose signature is expected: of ``cosign verify`` and ``cosign verify-attestation`` alike."""
    how, argv = target.signing, list[str]()
    if how.key:
        argv += ["--key", how.public_key or how.key]
    else:
        argv += ["--certificate-identity", how.identity, "--certificate-oidc-issuer", how.issuer]
        for name in ("repository", "ref", "commit", "trigger"):
            if value := getattr(how, name):
                argv += [f"--certificate-github-workflow-{_FLAGS.get(name, name)}", value]
    if how.modern and how.trusted_root:
        argv += ["--trusted-root", how.trusted_root]
    if not how.transparency_log:
        # Without a log it is a timestamp that says whether the certificate was valid when it was used.
        argv += ["--insecure-ignore-tlog=true", *(() if how.key else ("--use-signed-timestamps=true",))]
    return tuple(argv)


def asking(name: str, why: str, argv: tuple[str, ...]) -> Command:
    """A question of cosign, whose refusals are answers."""
    return Command(name=name, why=why, argv=argv, effect=Effect.READ, expected=(0, 1, *_UNSIGNED_CODES), again=PASSING)


def read_signer(target: Target, answer: Answer) -> str:
    """Whose signature cosign found, as far as it says; else why it found none.

    cosign 2 prints what the certificate names, cosign 3 nothing of it: but then it is exactly what was asked for.
    """
    if answer.code:
        said = [line for line in answer.err.splitlines() if line.startswith("Error:")] or answer.err.splitlines()
        return (said[0] if said else "missing").removeprefix("Error: ")
    how = target.signing
    if how.key:
        return f"signed with {how.public_key or how.key}"
    facts = [how.identity, *(f"{name} {value}" for name in ("repository", "ref", "commit", "trigger")
                             if (value := getattr(how, name) or read_fact(answer, name)))]
    return f"signed by {', '.join(facts)}"


def count_signatures(answer: Answer) -> int:
    """How many signatures of the expected identity cosign found, which it lists; one where it lists nothing."""
    try:
        return len(json.loads(answer.out))
    except (ValueError, TypeError):
        return 1


def read_fact(answer: Answer, name: str) -> str:
    """What the certificate says of ``repository``, ``ref``, ``commit`` or ``trigger``, empty where cosign is silent."""
    try:
        found = json.loads(answer.out)[0]["optional"][f"githubWorkflow{_FLAGS.get(name, name).capitalize()}"]
    except (ValueError, LookupError, TypeError):
        return ""
    return str(found)


def read_signed(answer: Answer, digest: str) -> bool:
    """Whether cosign found a signature of the expected identity; raises when it could not tell."""
    if answer.code == 0:
        return True
    if answer.code in _UNSIGNED_CODES or _UNSIGNED.search(answer.err):
        return False
    reason = (answer.err.strip().splitlines() or ["no reason given"])[-1]
    raise StepFailed(f"could not ask whether {digest} is signed: {reason}",
                     hint="check that the registry and Sigstore's services answer, then run the same command again")
