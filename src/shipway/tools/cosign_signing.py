"""This module writes how cosign signs and attests, and makes what a rehearsal signs with. Pure.

Whatever signs names a digest, never a tag.
"""

from __future__ import annotations

from pathlib import Path

from shipway.model.actions import Command, Effect, ReadPredicate, Requirement
from shipway.model.target import Target
from shipway.tools.cosign import ID_TOKENS, KEYLESS_ADVICE
from shipway.tools.cosign_hints import SIGN_HINTS
from shipway.tools.troubles import PASSING


def sign(target: Target, digest: str) -> Command:
    """Sign a digest."""
    flags = _signing_flags(target)
    reference = f"{target.image}@{digest}"
    argv = ("cosign", "sign", *flags, reference)
    why = f"sign {digest[:19]}"
    return _publish(target, "sign", why, argv)


def attest(target: Target, digest: str, kind: str, predicate: ReadPredicate) -> Command:
    """Attest a predicate of a digest; ``kind`` is cosign's name of the predicate's type."""
    argv = (
        "cosign",
        "attest",
        f"--type={kind}",
        "--predicate=-",
        *_signing_flags(target),
        f"{target.image}@{digest}",
    )
    why = f"attest the {kind} of {digest[:19]}"
    return _publish(target, "attest", why, argv, predicate)


def _signing_flags(target: Target) -> list[str]:
    """Say with what to sign, and through which services; ``sign`` and ``attest`` take the same."""
    settings = target.settings.sign
    signer = target.signer
    argv = ["--yes"]
    if signer.key:
        argv += ["--key", signer.key]
    elif target.build.run_url and not settings.browser:
        # Without it cosign may look for a browser in CI and wait for five minutes.
        argv += ["--oidc-provider", "github-actions"]
    if signer.has_signing_config and settings.signing_config:
        argv += ["--signing-config", settings.signing_config]
    elif not signer.transparency_log and (signer.key or not signer.has_signing_config):
        # Keyless, cosign 3 takes its services from a signing config alone, and refuses the flag
        # beside it.
        argv.append("--tlog-upload=false")
    if signer.has_signing_config and signer.trusted_root:
        argv += ["--trusted-root", signer.trusted_root]
    return argv


def _publish(
    target: Target,
    name: str,
    why: str,
    argv: tuple[str, ...],
    stdin: ReadPredicate | None = None,
) -> Command:
    """Sign, and store what was signed."""
    key = target.signer.key
    browser = target.settings.sign.browser
    secrets: tuple[str, ...] = ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", *ID_TOKENS)
    if key:
        secrets = ("COSIGN_PASSWORD",)
    # Without one of them cosign would wait for a person to log in.
    requires = None if key or browser else Requirement(ID_TOKENS, KEYLESS_ADVICE)
    return Command(
        name=name,
        why=why,
        argv=argv,
        secrets=secrets,
        requires=requires,
        stdin=stdin,
        hints=SIGN_HINTS,
        # 409: the log has the entry, and the registry does not have the signature.
        passing=rf"{PASSING}|\b409\b",
        effect=Effect.PUBLISH,
        # Each time adds a signature, and an entry to the log.
        permanent=True,
        side_by_side=not browser,
        live=browser,
    )


# For a rehearsal


def generate_key_pair(folder: Path, password: str) -> Command:
    """Make ``cosign.key`` and ``cosign.pub``; ``password`` names the variable that holds theirs."""
    return Command(
        name="rehearsal",
        why="make a key pair",
        argv=("cosign", "generate-key-pair"),
        secrets=(password,),
        effect=Effect.LOCAL,
        folder=str(folder),
    )


def create_signing_config(path: Path) -> Command:
    """Write a signing config that names no services to ``path``."""
    return Command(
        name="rehearsal",
        why="make a signing config without services",
        argv=("cosign", "signing-config", "create", "--out", str(path)),
        effect=Effect.LOCAL,
    )
