"""How cosign is asked about signatures and attestations, and how its answers are read.

cosign's own check is the only honest answer to "is it signed, and by whom".
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Mapping
from typing import TypeAlias

from shipway.errors import StepFailed
from shipway.model.actions import Action, Answer, Command, Effect
from shipway.model.target import Target
from shipway.tools.imagetools import PASSING

SIGNATURE = "https://sigstore.dev/cosign/sign/v1"
"""The predicate type of a signature that cosign 3 writes as a bundle."""
Question: TypeAlias = tuple[str, str]
"""A digest, and the predicate type of what is said of it."""
_UNSIGNED_CODES = (10, 12)
"""cosign's own exit codes for "no signatures" and "none of this identity" (`cmd/cosign/errors/exit_codes.go`)."""
_FLAGS = {"commit": "sha"}
"""Ends of cosign's flags (`--certificate-github-workflow-…`) where they differ from our words."""
_UNSIGNED = re.compile(
    r"no signatures found|no matching signatures|none of the expected identities matched|"
    r"invalid signature when validating|failed to verify signature|no attestations found|"
    r"none of the attestations matched|no matching attestations|no valid .* signatures",
    re.IGNORECASE,
)
_NOTHING = re.compile(
    r"no signatures found|no attestations found|no matching attestations:\s*$",
    re.IGNORECASE | re.MULTILINE,
)
"""Without a reason after it: what was found and is not as expected has one."""


def ask(
    target: Target, questions: Mapping[Question, Command]
) -> Generator[tuple[Action, ...], tuple[Answer, ...], dict[Question, Answer]]:
    """What cosign says; raises ``StepFailed`` where it finds nothing of what is there.

    cosign 3 takes a registry that cannot list a digest's referrers just now for one that has none (seen with 3.1, after
    503, 500 and 429). So where it finds nothing, the registry is asked for bundles, and where it has one, cosign again.
    """
    told = dict(zip(questions, (yield tuple(questions.values())), strict=True))
    missing = [one for one in questions if not read_signed(told[one], one[0])]
    if not missing:
        return told
    (answer,) = yield (bundles_command(target, *dict.fromkeys(digest for digest, _ in missing)),)
    held = read_bundles(answer)
    doubtful = [one for one in missing if one in held]
    told |= (
        zip(doubtful, (yield tuple(questions[one] for one in doubtful)), strict=True)
        if doubtful
        else ()
    )
    for one in doubtful:
        if _NOTHING.search(told[one].err):
            raise StepFailed(
                f"could not ask whether {one[0]} is signed: cosign finds nothing, and the registry has it",
                hint="run the same command again; if it stays so, with cosign 3, which reads bundles",
            )
    return told


def bundles_command(target: Target, *digests: str) -> Command:
    """The question which Sigstore bundles the registry has of each digest; it uses the logins of the Docker client."""
    return Command(
        name="registry",
        why="ask the registry for signatures",
        effect=Effect.READ,
        argv=("python3", "-m", "shipway.effects.bundles", target.image, *digests),
    )


def read_bundles(answer: Answer) -> frozenset[Question]:
    """What there are bundles for; raises ``StepFailed`` when the answer is none."""
    try:
        return frozenset(
            (digest, kind) for digest, kinds in json.loads(answer.out).items() for kind in kinds
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise StepFailed(
            f"what the registry has of signatures cannot be understood: {error}",
            hint="run the same command again",
        ) from error


def verify_command(target: Target, digest: str) -> Command:
    """``cosign verify`` of one digest, with the exact identity; never a regular expression."""
    return asking(
        "verify",
        f"verify the signature of {digest[:19]}",
        ("cosign", "verify", "--output=json", *expected_signer(target), f"{target.image}@{digest}"),
    )


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
        argv += [
            "--insecure-ignore-tlog=true",
            *(() if how.key else ("--use-signed-timestamps=true",)),
        ]
    return tuple(argv)


def asking(name: str, why: str, argv: tuple[str, ...]) -> Command:
    """A question of cosign, whose refusals are answers."""
    return Command(
        name=name,
        why=why,
        argv=argv,
        effect=Effect.READ,
        expected=(0, 1, *_UNSIGNED_CODES),
        again=PASSING,
    )


def read_signer(target: Target, answer: Answer) -> str:
    """Whose signature cosign found, as far as it says; else why it found none.

    cosign 2 prints what the certificate names, cosign 3 nothing of it: but then it is exactly what was asked for.
    """
    if answer.code:
        said = [
            line for line in answer.err.splitlines() if line.startswith("Error:")
        ] or answer.err.splitlines()
        return (said[0] if said else "missing").removeprefix("Error: ")
    how = target.signing
    if how.key:
        return f"signed with {how.public_key or how.key}"
    facts = [
        how.identity,
        *(
            f"{name} {value}"
            for name in ("repository", "ref", "commit", "trigger")
            if (value := getattr(how, name) or read_fact(answer, name))
        ),
    ]
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
        found = json.loads(answer.out)[0]["optional"][
            f"githubWorkflow{_FLAGS.get(name, name).capitalize()}"
        ]
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
    raise StepFailed(
        f"could not ask whether {digest} is signed: {reason}",
        hint="check that the registry and Sigstore's services answer, then run the same command again",
    )
