"""What to do next where cosign fails, by what cosign 2.5 and 3.1 print."""

from __future__ import annotations

import pytest

from shipway.effects.failures import failure
from shipway.errors import StepFailed
from shipway.model.actions import Answer
from shipway.model.target import Target
from shipway.tools import cosign_signing
from shipway.tools.cosign_answers import SIGNATURE, is_signed
from tests.support.good_image import INDEX

TWO = "getting signer: getting key from Fulcio: fetching ambient OIDC credentials: "
THREE = (
    "signing digest: getting keypair and token: retrieving ID token: reading ID token: "
    "fetching ambient OIDC credentials: "
)
URL = 'Get "http://192.0.2.1:443/token&audience=sigstore": '
PERMISSION = "id-token: write"
NO_ANSWER = "did not answer: run the same command again; on a runner"
REFUSED = "may have expired, be for another audience than `sigstore`, or its issuer is unknown"
TUF = 'tuf refresh failed: Get "https://tuf.example": dial tcp: lookup tuf.example: no such host'
SIGNING = [
    # the variables lack, or the answer is a refusal: then cosign falls into the device flow
    ("Error: no OIDC provider found", PERMISSION),
    ("getting provider: no such provider", PERMISSION),
    ("ACTIONS_ID_TOKEN_REQUEST_TOKEN is not set", PERMISSION),
    (
        "Non-interactive mode detected, using device flow.\nError: retrieving cert: Get "
        '"https://oauth2.sigstore.dev/auth/.well-known/openid-configuration": no such host',
        PERMISSION,
    ),
    (
        "Non-interactive mode detected, using device flow.\nError: selecting OIDC issuer: no matching "
        "service found for API versions [1]",
        PERMISSION,
    ),
    (f"Error: {TWO}403 Forbidden", PERMISSION),
    (f"Error: {THREE}unexpected status code 401", PERMISSION),
    # the service that gives tokens
    (f"Error: {TWO}{URL}dial tcp 192.0.2.1:443: connect: connection refused", NO_ANSWER),
    (f"Error: {THREE}{URL}dial tcp 192.0.2.1:443: connect: connection refused", NO_ANSWER),
    (f"Error: {THREE}{URL}dial tcp: lookup gone.example: no such host", NO_ANSWER),
    (f"Error: {TWO}{URL}net/http: TLS handshake timeout", NO_ANSWER),
    (f"Error: {TWO}{URL}context deadline exceeded (Client.Timeout exceeded …)", NO_ANSWER),
    (f"Error: {TWO}{URL}x509: certificate signed by unknown authority", NO_ANSWER),
    (f"Error: {THREE}{URL}EOF", NO_ANSWER),
    (f"Error: {THREE}unexpected status code 503", NO_ANSWER),
    (f"Error: {THREE}invalid character '<' looking for beginning of value", NO_ANSWER),
    # Fulcio
    ("Fulcio returned 400: There was an error processing the identity token", REFUSED),
    (
        'signing bundle: error signing bundle: Fulcio returned 401: {"code": 401, "message": '
        '"There was an error processing the credentials for this request"}',
        REFUSED,
    ),
    (
        "getting key from Fulcio: retrieving cert: POST http://127.0.0.1:4/api/v1/signingCert "
        'returned 401 Unauthorized: "Audience"',
        REFUSED,
    ),
    # keys and files
    ("reading key: decrypt: encrypted: decryption failed", "COSIGN_PASSWORD"),
    ("reading key: open gone.key: no such file or directory", "private key of cosign"),
    ("reading key: unsupported pem type: PUBLIC KEY", "private key of cosign"),
    ("reading key: invalid pem block", "private key of cosign"),
    ("error reading signing config from file: proto: unexpected EOF", "signing-config create"),
    ("error reading signing config from file: unsupported SigningConfig media type: x", "create"),
    ("selecting Rekor: no matching service found for API versions [2]", "valid now"),
    ("loading trusted root: failed to proto-json unmarshal trusted root: x", "trusted-root create"),
    (f"getting trusted root from TUF: {TUF}", "could not be fetched"),
    # the other services, and the registry
    ('Post "http://127.0.0.1:1/api/v1/log/entries": giving up', "transparency log"),
    ('Post "http://127.0.0.1:1/api/v1/timestamp": connection refused', "timestamp authority"),
    ("UNAUTHORIZED: authentication required", "packages: write"),
    ("denied: permission_denied: write_package", "packages: write"),
]
VERIFYING = [
    ("Error: loading public key: open gone.pub: no such file or directory", "`--key`"),
    ("Error: loading verifier from key opts: loading public key: PEM decoding failed", "`--key`"),
    ("Error: loading trusted root: proto: unexpected EOF", "`--trusted-root`"),
    ("Error: setting trusted material: unsupported TrustedRoot media type: x", "`--trusted-root`"),
    (
        f"Error: setting trusted material: getting trusted root from TUF: {TUF}",
        "could not be fetched",
    ),
    (f"Error: getting Rekor public keys: updating … to TUF remote mirror: {TUF}", "not be fetched"),
    ("Error: something else", "check that the registry and Sigstore's services answer"),
]


@pytest.mark.parametrize(("printed", "advice"), SIGNING)
def test_what_to_do_where_signing_fails(target: Target, printed: str, advice: str) -> None:
    command = cosign_signing.sign(target, INDEX.digest)
    error = failure(command, Answer(code=1, err=f"Generating ephemeral keys...\n{printed}"))
    assert advice in error.hint
    if advice != PERMISSION:
        assert PERMISSION not in error.hint


@pytest.mark.parametrize(("printed", "advice"), VERIFYING)
def test_what_to_do_where_nobody_can_tell_who_signed(printed: str, advice: str) -> None:
    with pytest.raises(StepFailed, match="could not ask whether") as caught:
        is_signed(Answer(code=1, err=printed), (INDEX.digest, SIGNATURE))
    assert advice in caught.value.hint
