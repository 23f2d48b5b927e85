"""A `cosign` that is the real one and knows these services, so that what calls it can call it as in production."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from tests.sigstore.service import Sigstore

_SCRIPT = """#!/bin/sh
case "$1" in
  {sign}) verb=$1; shift; exec {cosign} "$verb" {sign_flags} "$@" ;;
  {verify}) verb=$1; shift; exec {cosign} "$verb" {verify_flags} "$@" ;;
esac
exec {cosign} "$@"
"""


def sign_flags(sigstore: Sigstore, *, modern: bool) -> list[str]:
    """What `cosign sign` and `cosign attest` need: cosign 3 (``modern``) takes files, cosign 2.5 addresses."""
    if modern:
        return [
            "--signing-config",
            str(sigstore.trust.signing_config),
            "--trusted-root",
            str(sigstore.trust.trusted_root),
        ]
    return [
        "--fulcio-url",
        sigstore.url,
        "--timestamp-server-url",
        f"{sigstore.url}/api/v1/timestamp",
        "--tlog-upload=false",
    ]


def verify_flags(sigstore: Sigstore, *, modern: bool) -> list[str]:
    """What `cosign verify` and `cosign verify-attestation` need: a timestamp says when, as there is no Rekor."""
    files = ["--trusted-root", str(sigstore.trust.trusted_root)] if modern else []
    return [*files, "--insecure-ignore-tlog=true", "--use-signed-timestamps=true"]


def trust_variables(sigstore: Sigstore) -> dict[str, str]:
    """What cosign 2.5 knows by variables (`cosign env`), and cosign 3 by its trusted root."""
    return {
        "SIGSTORE_ROOT_FILE": str(sigstore.trust.certificates),
        "SIGSTORE_CT_LOG_PUBLIC_KEY_FILE": str(sigstore.trust.log),
        "SIGSTORE_TSA_CERTIFICATE_FILE": str(sigstore.trust.timestamps),
    }


def install(
    folder: Path, cosign: str, sigstore: Sigstore, environment: Mapping[str, str], *, modern: bool
) -> dict[str, str]:
    """Put a `cosign` into ``folder`` that adds the flags and runs the real one; gives the environment to call it in."""
    folder.mkdir(parents=True)
    program = folder / "cosign"
    program.write_text(
        _SCRIPT.format(
            cosign=shlex.quote(cosign),
            sign="sign|attest",
            verify="verify|verify-attestation",
            sign_flags=shlex.join(sign_flags(sigstore, modern=modern)),
            verify_flags=shlex.join(verify_flags(sigstore, modern=modern)),
        ),
        encoding="utf-8",
    )
    program.chmod(0o755)
    known = {} if modern else trust_variables(sigstore)
    return {
        **environment,
        **known,
        **sigstore.workflow.variables(),
        **sigstore.environment(),
        "PATH": f"{folder}:{environment['PATH']}",
    }
