"""What to set where cosign refuses a signature, by what cosign 2.5 and 3.1 print."""

from __future__ import annotations

import pytest

from shipway.model.target import Signer
from shipway.tools.cosign_refusals import advise

OURS = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"
ISSUER = "https://token.actions.githubusercontent.com"
KEYLESS = Signer(identity=OURS, issuer=ISSUER, repository="acme/app", ref="refs/heads/main")
KEY = Signer(key="cosign.key", public_key="cosign.pub")
THREE = (
    "no matching attestations: failed to verify certificate identity: "
    "no matching CertificateIdentity found, last error: "
)
IDENTITIES = [
    "no matching signatures: none of the expected identities matched what was in the certificate, "
    f"got subjects [https://github.com/acme/ci/x.yml@v1] with issuer {ISSUER}",
    "no matching signatures: expected GitHub Workflow Repository not found in certificate",
    "no matching signatures: expected GitHub Workflow Ref not found in certificate",
    f'{THREE}expected SAN value "{OURS}", got "https://github.com/acme/ci/x.yml@v1"',
    f'{THREE}expected issuer value "https://issuer.example", got "{ISSUER}"',
    f'{THREE}expected GithubWorkflowRepository to be "acme/other", got "acme/app"',
    f'{THREE}expected GithubWorkflowRef to be "refs/heads/other", got "refs/heads/main"',
]
TRUST = [
    "no matching signatures: ctfe public key not found for payload. Check your TUF root",
    "no matching signatures: cert verification failed: x509: certificate signed by unknown authority",
    "no matching signatures: unable to verify RFC3161 timestamp bundle: error while verifying",
    "no matching attestations: failed to verify signed certificate timestamp: only able to verify "
    "0 SCT entries; unable to meet threshold of 1",
    "no matching attestations: failed to verify leaf certificate: leaf certificate verification failed",
    "no matching attestations: failed to verify timestamps: threshold not met for verified signed "
    "timestamps: 0 < 1",
    "failed to verify log inclusion: not enough verified log entries from transparency log: 0 < 1",
]
KEYS = [
    "no matching signatures: invalid signature when validating ASN.1 encoded signature",
    "no matching attestations: failed to verify signature: could not verify envelope: accepted "
    "signatures do not match threshold, Found: 0, Expected 1",
]


@pytest.mark.parametrize("reason", IDENTITIES)
def test_another_identity(reason: str) -> None:
    advice = advise(KEYLESS, reason)
    assert f"{OURS} by {ISSUER}, run for acme/app, at refs/heads/main" in advice
    assert "set `identity`" in advice and "trusted-root" not in advice


@pytest.mark.parametrize("reason", TRUST)
@pytest.mark.parametrize("signer", [KEYLESS, KEY], ids=["keyless", "key"])
def test_a_service_that_is_not_trusted(reason: str, signer: Signer) -> None:
    advice = advise(signer, reason)
    assert "`trusted-root`" in advice and "`signing-config`" in advice


@pytest.mark.parametrize("reason", KEYS)
def test_another_key(reason: str) -> None:
    assert "`public-key`" in advise(KEY, reason)
    assert "public-key" not in advise(KEYLESS, reason)


@pytest.mark.parametrize("reason", ["", "something new"])
def test_what_nobody_knows(reason: str) -> None:
    assert advise(KEYLESS, reason) == ""
