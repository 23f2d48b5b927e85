"""This module reads what cosign answers about signatures and attestations. Pure.

cosign 3 keeps both as bundles, and lists every bundle of the identity where it is asked for
signatures. Only what says of itself that it is a signature counts as one: an attestation may say
that a check failed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from shipway.errors import StepFailed
from shipway.model.actions import Answer
from shipway.model.target import Signer
from shipway.tools.cosign_hints import advise_on_verifying
from shipway.tools.imagetools import read_reason
from shipway.tools.troubles import PASSING

SIGNATURE = "https://sigstore.dev/cosign/sign/v1"
"""Names the predicate type of a signature that cosign 3 writes as a bundle."""
Claim: TypeAlias = tuple[str, str]
"""Holds a digest, and the predicate type of what is said of it."""
CERTIFICATE_FACTS = {
    "repository": "repository",
    "ref": "ref",
    "commit": "sha",
    "trigger": "trigger",
}
"""Gives for a signer's field the end of cosign's flag `--certificate-github-workflow-…`."""
UNSIGNED_CODES = (10, 12)
"""Holds cosign's exit codes for "no signatures" and "none of this identity".

Source: `cmd/cosign/errors/exit_codes.go`.
"""
_SIGNATURES = (SIGNATURE, "cosign container image signature")
"""Names the types of what is a signature, of cosign 3 and of cosign 2 (its `specs/`)."""
_UNSIGNED = re.compile(
    r"no signatures found|no matching signatures|none of the expected identities matched|"
    r"invalid signature when validating|failed to verify signature|no attestations found|"
    r"none of the attestations matched|no matching attestations|no valid .* signatures|"
    r"unknown flag: --new-bundle-format",
    re.IGNORECASE,
)
"""Matches what cosign says where nothing is signed; the last is said by one without older forms."""
_NOTHING = re.compile(
    r"no signatures found|no attestations found|no matching attestations:\s*$",
    re.IGNORECASE | re.MULTILINE,
)
"""Matches what cosign says where it found nothing at all.

Of what it found and refused it gives the reason after these words.
"""


class _Critical(msgspec.Struct, frozen=True):
    type: str = ""


class _Entry(msgspec.Struct, frozen=True):
    """Holds one line of cosign's list: what it is, and what its certificate names."""

    critical: _Critical = _Critical()
    optional: dict[str, object] | None = None


def is_signed(answer: Answer, claim: Claim) -> bool:
    """Say whether cosign found the claim, made by the expected identity.

    Raises ``StepFailed`` where it could not tell.
    """
    digest, predicate_type = claim
    if answer.code == 0:
        if predicate_type == SIGNATURE:
            return count_signatures(answer, digest) > 0
        # Of attestations cosign looks for the type by itself.
        return True
    passes = re.search(PASSING, answer.err) is not None
    is_refusal = answer.code in UNSIGNED_CODES or _UNSIGNED.search(answer.err)
    # cosign also says that it found nothing where a registry was too busy to show what it has.
    if is_refusal and not passes:
        return False
    reason = read_reason(answer)
    raise StepFailed(
        f"could not ask whether {digest} is signed: {reason}",
        hint=advise_on_verifying(answer.err),
        passes=passes,
    )


def finds_nothing(answer: Answer) -> bool:
    """Say whether cosign found nothing at all, not even what it refuses."""
    if answer.code == 0:
        return False
    match = _NOTHING.search(answer.err)
    return match is not None


def find_refusals(answers: Mapping[Claim, Answer]) -> tuple[str, ...]:
    """Give the reasons why cosign refused what it found, each once; nothing found is no refusal."""
    refusals: list[str] = []
    for answer in answers.values():
        if answer.code == 0 or finds_nothing(answer) or not answer.err:
            continue
        reason = _describe_refusal(answer)
        if reason not in refusals:
            refusals.append(reason)
    return tuple(refusals)


def count_signatures(answer: Answer, digest: str) -> int:
    """Count the signatures of the expected identity that cosign lists; attestations are none.

    Raises ``StepFailed`` where the list cannot be read.
    """
    signatures = _read_signatures(answer, digest)
    return len(signatures)


def _read_signatures(answer: Answer, digest: str) -> list[_Entry]:
    signatures: list[_Entry] = []
    for entry in _read_entries(answer, digest):
        if entry.critical.type in _SIGNATURES:
            signatures.append(entry)
    return signatures


def _read_entries(answer: Answer, digest: str) -> list[_Entry]:
    try:
        return msgspec.json.decode(answer.out, type=list[_Entry])
    except msgspec.DecodeError as error:
        raise StepFailed(
            f"could not ask whether {digest} is signed: cosign's answer cannot be read: {error}",
            hint="look at it with `cosign verify --output=json`, and take cosign 2.5 or later",
        ) from error


def describe_signer(signer: Signer, answer: Answer, digest: str) -> str:
    """Say whose signature cosign found, as far as it says, or why it found none.

    cosign 2 prints what the certificate names, cosign 3 nothing of it: but then it is exactly what
    was asked for.
    """
    if answer.code:
        return _describe_refusal(answer)
    signatures = _read_signatures(answer, digest)
    if not signatures:
        return _describe_attestations(answer, digest)
    if signer.key:
        key = signer.public_key or signer.key
        return f"signed with {key}"
    first = signatures[0]
    facts = _list_facts(signer, first.optional or {})
    names = ", ".join(facts)
    return f"signed by {names}"


def _list_facts(signer: Signer, certificate: Mapping[str, object]) -> list[str]:
    """List the identity, and what is expected or what the certificate says of each other fact."""
    facts = [signer.identity]
    for field, name in CERTIFICATE_FACTS.items():
        title = name.capitalize()
        expected = getattr(signer, field)
        fact = expected or certificate.get(f"githubWorkflow{title}")
        if fact:
            facts.append(f"{field} {fact}")
    return facts


def _describe_attestations(answer: Answer, digest: str) -> str:
    types: list[str] = []
    for entry in _read_entries(answer, digest):
        if entry.critical.type not in types:
            types.append(entry.critical.type)
    names = ", ".join(types)
    return f"no signature, only attested: {names}"


def _describe_refusal(answer: Answer) -> str:
    """Give cosign's first line that is an error, else its first line."""
    lines = answer.err.splitlines()
    for line in lines:
        if line.startswith("Error:"):
            return line.removeprefix("Error: ")
    if not lines:
        return "missing"
    return lines[0]
