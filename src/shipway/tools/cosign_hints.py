"""This module says what to do next where cosign cannot sign, attest or verify. Pure.

The first pattern that matches counts; each was seen with cosign 2.5 and 3.1.
"""

from __future__ import annotations

import re

from shipway.model.actions import Hint
from shipway.tools.troubles import PASSING_WORDS

_TRUST_HINTS = (
    Hint(
        r"loading trusted root|TrustedRoot|unmarshal trusted root",
        "`trusted-root` in [tool.shipway.sign], or `--trusted-root`, has to name a file that "
        "`cosign trusted-root create` wrote",
    ),
    Hint(
        r"tuf refresh failed|TUF remote mirror|trusted root from TUF",
        "what Sigstore's own services are trusted by could not be fetched: check the network and "
        "proxies; for a private Sigstore say what it is trusted by: `trusted-root` in "
        "[tool.shipway.sign], or `--trusted-root`",
    ),
)
SIGN_HINTS = (
    Hint(
        r"(?i)error processing the (?:identity token|credentials)|Fulcio returned 40[013]|"
        r"signingCert.*(?<![\w:])40[013]\b",
        "the certificate authority refuses the identity token: it may have expired, be for another "
        "audience than `sigstore`, or its issuer is unknown to this Fulcio (`signing-config`)",
    ),
    Hint(
        rf"(?im)(?:fetching ambient OIDC credentials|GitHub OIDC token).*(?:{PASSING_WORDS}|"
        r"no such host|invalid character|certificate)",
        "the service that gives the job its identity token did not answer: run the same command "
        "again; on a runner of your own check its network and proxies",
    ),
    Hint(
        r"ACTIONS_ID_TOKEN_REQUEST|fetching ambient OIDC credentials|getting provider|"
        r"no OIDC|oauth|using device flow",
        "keyless signing needs GitHub's identity token: give the job "
        "`permissions: id-token: write`",
    ),
    Hint(
        r"decryption failed",
        "set COSIGN_PASSWORD to the password of `key` in [tool.shipway.sign]",
    ),
    Hint(
        r"reading key",
        "`key` in [tool.shipway.sign] has to name a private key of cosign, or an address of a KMS "
        "that this job may use",
    ),
    Hint(
        r"no matching service found",
        "`signing-config` in [tool.shipway.sign] names no such service that is valid now: make it "
        "anew with `cosign signing-config create`",
    ),
    Hint(
        r"signing config from file|SigningConfig",
        "`signing-config` in [tool.shipway.sign] has to name a file that "
        "`cosign signing-config create` wrote",
    ),
    *_TRUST_HINTS,
    Hint(
        r"/log/entries|[Rr]ekor public keys",
        "the transparency log did not answer, or refused the entry: read its words, and run the "
        "same command again",
    ),
    Hint(
        r"api/v1/timestamp|timestamp authority",
        "the timestamp authority did not answer: run the same command again",
    ),
    Hint(
        r"(?i)unauthorized|denied|authentication required",
        "the registry refuses the signature: the job needs `packages: write`, and `docker login`",
    ),
)
_VERIFY_HINTS = (
    Hint(
        r"loading public key|verifier from key opts",
        "`public-key` in [tool.shipway.sign], or `--key`, has to name a public key of cosign",
    ),
    *_TRUST_HINTS,
)


def advise_on_verifying(printed: str) -> str:
    """Say what to do where cosign could not tell who signed, by what it printed."""
    for hint in _VERIFY_HINTS:
        if re.search(hint.pattern, printed):
            return hint.advice
    return "check that the registry and Sigstore's services answer, then run the same command again"
