"""What a verifier has to know: files for cosign 3 (trusted root, signing config) and for cosign 2 (PEM)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from tests.sigstore.authority import Authority
from tests.sigstore.keys import der
from tests.sigstore.timestamps import TimestampAuthority

_PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Trust:
    """Where the files are: written once, for as long as the services stand."""

    trusted_root: Path
    signing_config: Path
    certificates: Path
    """The root of the certificates of signers."""
    log: Path
    """The public key of the certificate transparency log."""
    timestamps: Path
    """The chain of the timestamp authority."""


def write_trust(
    folder: Path, url: str, authority: Authority, timestamps: TimestampAuthority
) -> Trust:
    """Write all files into ``folder``; the services answer below ``url``."""
    chain = timestamps.chain
    log = authority.log.key.public_key().public_bytes(
        _PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return Trust(
        trusted_root=_write(
            folder / "trusted_root.json", _json(_trusted_root(url, authority, chain))
        ),
        signing_config=_write(
            folder / "signing_config.json", _json(_signing_config(url, authority))
        ),
        certificates=_write(
            folder / "authority.pem", authority.root.certificate.public_bytes(_PEM)
        ),
        log=_write(folder / "log.pub", log),
        timestamps=_write(
            folder / "timestamps.pem", b"".join(one.public_bytes(_PEM) for one in chain)
        ),
    )


def _trusted_root(
    url: str, authority: Authority, stamping: Iterable[x509.Certificate]
) -> dict[str, Any]:  # Any: JSON
    """`TrustedRoot` (sigstore/protobuf-specs, `sigstore_trustroot.proto`), without a log of signatures."""
    period = _period(authority)
    key = {
        "rawBytes": _base64(der(authority.log.key.public_key())),
        "keyDetails": "PKIX_ECDSA_P256_SHA_256",
        "validFor": period,
    }
    return {
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [],
        "certificateAuthorities": [_chain(url, [authority.root.certificate], period)],
        "ctlogs": [
            {
                "baseUrl": f"{url}/log",
                "hashAlgorithm": "SHA2_256",
                "publicKey": key,
                "logId": {"keyId": _base64(authority.log.identity)},
            }
        ],
        "timestampAuthorities": [_chain(f"{url}/api/v1/timestamp", stamping, period)],
    }


def _signing_config(url: str, authority: Authority) -> dict[str, Any]:  # Any: JSON
    """`SigningConfig` (the same file)."""
    common = {"majorApiVersion": 1, "validFor": _period(authority), "operator": "loopback"}
    return {
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": [{"url": url, **common}],
        "oidcUrls": [],
        "rekorTlogUrls": [],
        "tsaUrls": [{"url": f"{url}/api/v1/timestamp", **common}],
        "rekorTlogConfig": {},
        "tsaConfig": {"selector": "ANY"},
    }


def _chain(
    uri: str, certificates: Iterable[x509.Certificate], period: dict[str, str]
) -> dict[str, Any]:  # Any: JSON
    """`CertificateAuthority`: the root comes last."""
    chain = list(certificates)
    subject = {
        name: chain[-1].subject.get_attributes_for_oid(oid)[0].value
        for name, oid in (
            ("organization", NameOID.ORGANIZATION_NAME),
            ("commonName", NameOID.COMMON_NAME),
        )
    }
    raw = [{"rawBytes": _base64(one.public_bytes(serialization.Encoding.DER))} for one in chain]
    return {"subject": subject, "uri": uri, "certChain": {"certificates": raw}, "validFor": period}


def _period(authority: Authority) -> dict[str, str]:
    return {"start": authority.root.certificate.not_valid_before_utc.strftime("%Y-%m-%dT%H:%M:%SZ")}


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _json(document: dict[str, Any]) -> bytes:  # Any: JSON
    return json.dumps(document, indent=2).encode()


def _write(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file
