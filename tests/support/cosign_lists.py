"""What `cosign verify --output=json` lists, as cosign 2.5 and 3.1 print it."""

from __future__ import annotations

import json

from shipway.model.actions import Answer

COSIGN_2 = "cosign container image signature"
COSIGN_3 = "https://sigstore.dev/cosign/sign/v1"
VULNERABILITIES = "https://cosign.sigstore.dev/attestation/vuln/v1"
"""A scan's result; it may well say that the scan failed."""


def list_entries(*types: str, **optional: str) -> Answer:
    """Give the answer that lists an entry of each of ``types``, with these facts of a certificate."""
    entries = [
        {
            "critical": {"identity": {"docker-reference": "x"}, "type": type_name},
            "optional": optional or None,
        }
        for type_name in types
    ]
    return Answer(code=0, out="\n" + json.dumps(entries))
