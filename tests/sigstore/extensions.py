"""What a certificate says of the job: Fulcio's extensions (its `docs/oid-info.md`, `docs/oidc.md` for GitHub)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cryptography import x509
from cryptography.hazmat import asn1

_ARC = "1.3.6.1.4.1.57264.1"
_SITE = "https://github.com"
_PLAIN = {1: "{iss}", 2: "{event_name}", 3: "{sha}", 4: "{workflow}", 5: "{repository}", 6: "{ref}"}
"""The first six are deprecated, in use everywhere, and plain text where DER should be."""
_UTF8 = {
    8: "{iss}",
    9: _SITE + "/{job_workflow_ref}",
    10: "{job_workflow_sha}",
    11: "{runner_environment}",
    12: _SITE + "/{repository}",
    13: "{sha}",
    14: "{ref}",
    15: "{repository_id}",
    16: _SITE + "/{repository_owner}",
    17: "{repository_owner_id}",
    18: _SITE + "/{workflow_ref}",
    19: "{workflow_sha}",
    20: "{event_name}",
    21: _SITE + "/{repository}/actions/runs/{run_id}/attempts/{run_attempt}",
    22: "{repository_visibility}",
}


def describe(claims: Mapping[str, str]) -> Iterator[x509.UnrecognizedExtension]:
    """The extensions for the claims of a token, in Fulcio's order."""
    for number, text in _PLAIN.items():
        yield _extension(number, text.format_map(claims).encode())
    for number, text in _UTF8.items():
        yield _extension(number, asn1.encode_der(text.format_map(claims)))


def _extension(number: int, value: bytes) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{_ARC}.{number}"), value)
