"""This module says what to set where cosign refuses what it found. Pure.

Each pattern was seen with cosign 2.5 and 3.1.
"""

from __future__ import annotations

import re

from shipway.model.target import Signer

_IDENTITY = re.compile(
    r"expected identities|expected SAN|expected issuer|expected Github|expected GitHub Workflow|"
    r"CertificateIdentity"
)
_TRUST = re.compile(
    r"\bSCTs?\b|signed certificate timestamp|ctfe|log entries|log entry|log inclusion|rekor|tlog|"
    r"certificate verification failed|cert verification failed|unknown authority|"
    r"signed timestamps|RFC3161|verify timestamps|No certificate for signer",
    re.IGNORECASE,
)
_KEY = re.compile(r"invalid signature|accepted signatures|verify signature", re.IGNORECASE)


def advise(signer: Signer, reason: str) -> str:
    """Say what to set, by cosign's reason why a signature that was found does not count."""
    if _IDENTITY.search(reason):
        return _advise_on_identity(signer)
    if _TRUST.search(reason):
        return (
            "`trusted-root` in [tool.shipway.sign] has to hold every service that `signing-config` "
            "signs with: certificate authority, its log, transparency log, timestamp authority; "
            "where there is no transparency log, set `transparency-log = false`"
        )
    if signer.key and _KEY.search(reason):
        return "`public-key` in [tool.shipway.sign] has to be the one that belongs to `key`"
    return ""


def _advise_on_identity(signer: Signer) -> str:
    """Name the identity that the settings lead to, beside the certificate's in cosign's reason."""
    facts = [f"{signer.identity} by {signer.issuer}"]
    if signer.repository:
        facts.append(f"run for {signer.repository}")
    if signer.ref:
        facts.append(f"at {signer.ref}")
    expected = ", ".join(facts)
    return (
        f"the settings expect {expected}: set `identity` (and `issuer`) in [tool.shipway.sign] to "
        "what the certificate names, such as a reusable workflow, or sign in the workflow that "
        "`workflow` names"
    )
