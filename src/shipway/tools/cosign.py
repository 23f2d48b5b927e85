"""This module asks cosign for signatures and attestations. Pure; `cosign_answers` reads them.

cosign's own check is the only honest answer to "is it signed, and by whom". Whatever asks names a
digest, never a tag.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from shipway.errors import StepFailed
from shipway.model.actions import (
    Answer,
    Ask,
    Command,
    Effect,
    ReadBundles,
)
from shipway.model.target import Signer
from shipway.tools.cosign_answers import (
    CERTIFICATE_FACTS,
    UNSIGNED_CODES,
    Claim,
    finds_nothing,
    is_signed,
)
from shipway.tools.troubles import PASSING

ID_TOKENS = ("ACTIONS_ID_TOKEN_REQUEST_URL", "SIGSTORE_ID_TOKEN")
"""Names the variables in which cosign finds an identity without asking a person.

The first is GitHub's, the second holds a token that exists already.
"""
KEYLESS_ADVICE = (
    "in Actions, give the job `permissions: id-token: write`; elsewhere set SIGSTORE_ID_TOKEN, or "
    "`key` or `browser` in [tool.shipway.sign]"
)


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
        expected=(0, 1, *UNSIGNED_CODES),
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
        for field, fact in CERTIFICATE_FACTS.items():
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
    missing = _find_missing(answers)
    if not missing:
        return answers
    bundles = _find_bundles(image, missing, ask)
    in_bundles: list[Claim] = []
    for claim in missing:
        digest, predicate_type = claim
        if predicate_type in bundles.get(digest, ()):
            in_bundles.append(claim)
    repeated = _ask_again(questions, in_bundles, ask)
    answers.update(repeated)
    beside_bundles: list[Claim] = []
    for claim in _find_missing(answers):
        digest, _ = claim
        if bundles.get(digest):
            beside_bundles.append(claim)
    older = _ask_beside_bundles(questions, beside_bundles, ask)
    answers.update(older)
    return answers


def _find_missing(answers: Mapping[Claim, Answer]) -> list[Claim]:
    missing: list[Claim] = []
    for claim, answer in answers.items():
        if not is_signed(answer, claim):
            missing.append(claim)
    return missing


def _find_bundles(image: str, claims: Iterable[Claim], ask: Ask) -> Mapping[str, tuple[str, ...]]:
    """Give the predicate types of the bundles that the registry has about each claim's digest."""
    digests = dict.fromkeys(digest for digest, _ in claims)
    question = ReadBundles(
        name="registry",
        why="ask the registry for signatures",
        image=image,
        digests=tuple(digests),
    )
    return ask(question)


def _ask_again(
    questions: Mapping[Claim, Command], claims: Sequence[Claim], ask: Ask
) -> dict[Claim, Answer]:
    """Ask about ``claims`` once more; raises ``StepFailed`` where cosign still finds nothing."""
    commands = [questions[claim] for claim in claims]
    repeated = ask.each(commands)
    answers = dict(zip(claims, repeated, strict=True))
    for claim, answer in answers.items():
        if finds_nothing(answer):
            digest, _ = claim
            raise StepFailed(
                f"could not ask whether {digest} is signed: cosign finds nothing, and the "
                "registry has it",
                hint="run the same command again; if it stays so, with cosign 3, "
                "which reads bundles",
            )
    return answers


def _ask_beside_bundles(
    questions: Mapping[Claim, Command], claims: Sequence[Claim], ask: Ask
) -> dict[Claim, Answer]:
    """Ask for what cosign 2 wrote about ``claims``; gives the answers of those that are there.

    Where a digest has any bundle, cosign 3 looks at bundles only (seen with 3.1): one attestation
    hides a signature of the older form.
    """
    commands: list[Command] = []
    for claim in claims:
        command = questions[claim]
        program, verb, *words = command.argv
        argv = (program, verb, "--new-bundle-format=false", *words)
        older = replace(command, argv=argv)
        commands.append(older)
    repeated = ask.each(commands)
    answers = dict(zip(claims, repeated, strict=True))
    missing = _find_missing(answers)
    for claim in missing:
        del answers[claim]
    return answers
