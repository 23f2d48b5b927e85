"""This module writes how cosign is asked for signatures, and reads its answers. Pure.

cosign's own check is the only honest answer to "is it signed, and by whom". Whatever asks names a
digest, never a tag.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TypeAlias

from shipway.errors import StepFailed
from shipway.model.actions import (
    Answer,
    Ask,
    Command,
    Effect,
    ReadBundles,
)
from shipway.model.target import Signer
from shipway.tools.imagetools import PASSING, read_reason

SIGNATURE = "https://sigstore.dev/cosign/sign/v1"
"""Names the predicate type of a signature that cosign 3 writes as a bundle."""
ID_TOKENS = ("ACTIONS_ID_TOKEN_REQUEST_URL", "SIGSTORE_ID_TOKEN")
"""Names the variables in which cosign finds an identity without asking a person.

The first is GitHub's, the second holds a token that exists already.
"""
KEYLESS_ADVICE = (
    "in Actions, give the job `permissions: id-token: write`; elsewhere set SIGSTORE_ID_TOKEN, or "
    "`key` or `browser` in [tool.shipway.sign]"
)
Claim: TypeAlias = tuple[str, str]
"""Holds a digest, and the predicate type of what is said of it."""

_CERTIFICATE_FACTS = {
    "repository": "repository",
    "ref": "ref",
    "commit": "sha",
    "trigger": "trigger",
}
"""Gives for a signer's field the end of cosign's flag `--certificate-github-workflow-…`."""
_UNSIGNED_CODES = (10, 12)
"""Holds cosign's exit codes for "no signatures" and "none of this identity".

Source: `cmd/cosign/errors/exit_codes.go`.
"""
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
"""Matches what cosign says where it found nothing at all.

Of what it found and refused it gives the reason after these words.
"""


# Asking


def verify_signature(image: str, signer: Signer, digest: str) -> Command:
    """Verify a digest's signature, with the exact identity and never a regular expression."""
    flags = _signer_flags(signer)
    reference = f"{image}@{digest}"
    argv = ("cosign", "verify", "--output=json", *flags, reference)
    why = f"verify the signature of {digest[:19]}"
    return _question("verify", why, argv)


def verify_attestation(image: str, signer: Signer, digest: str, kind: str) -> Command:
    """Verify a digest's attestation; ``kind`` is cosign's name of a predicate type."""
    argv = (
        "cosign",
        "verify-attestation",
        f"--type={kind}",
        *_signer_flags(signer),
        f"{image}@{digest}",
    )
    why = f"verify the {kind} of {digest[:19]}"
    return _question("attest", why, argv)


def ask_for_help(name: str) -> Command:
    """Ask which flags this cosign has, since builds report their versions loosely."""
    return Command(
        name=name,
        why="ask cosign what it offers",
        argv=("cosign", "sign", "--help"),
        effect=Effect.READ,
    )


def ask_cosign_version(name: str) -> Command:
    """Ask which cosign this is."""
    return Command(
        name=name,
        why="ask cosign",
        argv=("cosign", "version"),
        effect=Effect.READ,
    )


def knows_signing_configs(answer: Answer) -> bool:
    """Say whether cosign is of the third generation, by the answer to ``ask_for_help``."""
    return "--signing-config" in answer.out + answer.err


def _question(name: str, why: str, argv: tuple[str, ...]) -> Command:
    """Ask cosign, whose refusals are answers."""
    return Command(
        name=name,
        why=why,
        argv=argv,
        effect=Effect.READ,
        expected=(0, 1, *_UNSIGNED_CODES),
        passing=PASSING,
    )


def _signer_flags(signer: Signer) -> list[str]:
    """Say whose signature is expected; both verifying commands take the same flags."""
    argv: list[str] = []
    if signer.key:
        argv += ["--key", signer.public_key or signer.key]
    else:
        argv += ["--certificate-identity", signer.identity]
        argv += ["--certificate-oidc-issuer", signer.issuer]
        for field, fact in _CERTIFICATE_FACTS.items():
            expected: str = getattr(signer, field)
            if expected:
                argv += [f"--certificate-github-workflow-{fact}", expected]
    if signer.has_signing_config and signer.trusted_root:
        argv += ["--trusted-root", signer.trusted_root]
    if not signer.transparency_log:
        argv.append("--insecure-ignore-tlog=true")
        if not signer.key:
            # A timestamp says whether the certificate was valid when it was used.
            argv.append("--use-signed-timestamps=true")
    return argv


def ask_for_claims(image: str, questions: Mapping[Claim, Command], ask: Ask) -> dict[Claim, Answer]:
    """Ask cosign about each claim; raises ``StepFailed`` where it finds nothing of what is there.

    cosign 3 takes a registry that cannot list a digest's referrers just now for one that has none
    (seen with 3.1, after 503, 500 and 429). So where it finds nothing, the registry is asked for
    bundles, and where it has one, cosign again.
    """
    first_answers = ask.each(questions.values())
    answers = dict(zip(questions, first_answers, strict=True))
    missing = [claim for claim in questions if not is_signed(answers[claim], claim[0])]
    if not missing:
        return answers
    doubtful = _find_bundled(image, missing, ask)
    doubtful_questions = [questions[claim] for claim in doubtful]
    repeated = ask.each(doubtful_questions)
    for claim, answer in zip(doubtful, repeated, strict=True):
        answers[claim] = answer
        if _NOTHING.search(answer.err):
            digest, _ = claim
            raise StepFailed(
                f"could not ask whether {digest} is signed: cosign finds nothing, and the "
                "registry has it",
                hint="run the same command again; if it stays so, with cosign 3, "
                "which reads bundles",
            )
    return answers


def _find_bundled(image: str, claims: list[Claim], ask: Ask) -> list[Claim]:
    """Give those of ``claims`` for which the registry has a bundle."""
    digests = dict.fromkeys(digest for digest, _ in claims)
    question = ReadBundles(
        name="registry",
        why="ask the registry for signatures",
        image=image,
        digests=tuple(digests),
    )
    bundles = ask(question)
    bundled: list[Claim] = []
    for digest, predicate_type in claims:
        if predicate_type in bundles.get(digest, ()):
            bundled.append((digest, predicate_type))
    return bundled


# Reading


def is_signed(answer: Answer, digest: str) -> bool:
    """Say whether cosign found a signature of the expected identity.

    Raises ``StepFailed`` where it could not tell.
    """
    if answer.code == 0:
        return True
    passes = re.search(PASSING, answer.err) is not None
    # cosign also says that it found nothing where a registry was too busy to show what it has.
    if not passes and (answer.code in _UNSIGNED_CODES or _UNSIGNED.search(answer.err)):
        return False
    reason = read_reason(answer)
    raise StepFailed(
        f"could not ask whether {digest} is signed: {reason}",
        hint="check that the registry and Sigstore's services answer, "
        "then run the same command again",
        passes=passes,
    )


def count_signatures(answer: Answer) -> int:
    """Count the signatures of the expected identity that cosign lists; 1 where it lists none."""
    try:
        return len(json.loads(answer.out))
    except (ValueError, TypeError):
        return 1


def describe_signer(signer: Signer, answer: Answer) -> str:
    """Say whose signature cosign found, as far as it says, or why it found none.

    cosign 2 prints what the certificate names, cosign 3 nothing of it: but then it is exactly what
    was asked for.
    """
    if answer.code:
        return _describe_refusal(answer)
    if signer.key:
        return f"signed with {signer.public_key or signer.key}"
    facts = [signer.identity]
    for field in _CERTIFICATE_FACTS:
        fact = getattr(signer, field) or _read_fact(answer, field)
        if fact:
            facts.append(f"{field} {fact}")
    names = ", ".join(facts)
    return f"signed by {names}"


def _describe_refusal(answer: Answer) -> str:
    """Give cosign's first line that is an error, else its first line."""
    lines = answer.err.splitlines()
    for line in lines:
        if line.startswith("Error:"):
            return line.removeprefix("Error: ")
    return lines[0] if lines else "missing"


def _read_fact(answer: Answer, field: str) -> str | None:
    """Read what the certificate says of a signer's field, ``None`` where cosign is silent."""
    fact = _CERTIFICATE_FACTS[field]
    name = f"githubWorkflow{fact.capitalize()}"
    try:
        signatures = json.loads(answer.out)
        return str(signatures[0]["optional"][name])
    except (ValueError, LookupError, TypeError):
        return None
