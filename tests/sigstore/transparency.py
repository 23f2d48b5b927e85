"""A certificate transparency log, as far as a verifier sees it: its promise to publish (RFC 6962)."""

from __future__ import annotations

import hashlib
import struct
import time
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID

from tests.sigstore.keys import der

_PRECERTIFICATE = 1
_SHA256_ECDSA = bytes((4, 3))
"""``SignatureAndHashAlgorithm`` (RFC 5246, 7.4.1.4.1)."""


@dataclass(frozen=True)
class Log:
    """A log with one key on P-256."""

    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @property
    def identity(self) -> bytes:
        """SHA-256 of the public key (RFC 6962, 3.2)."""
        return hashlib.sha256(der(self.key.public_key())).digest()

    def promise(
        self, entry: x509.Certificate, issuer: ec.EllipticCurvePublicKey
    ) -> x509.UnrecognizedExtension:
        """The extension to add to ``entry`` as its last one (RFC 6962, 3.2 and 3.3).

        What the log signs is the certificate without this extension, which is what ``entry`` is: the poison that marks
        a precertificate would be taken out before signing anyway.
        """
        moment = int(time.time() * 1000)
        body = entry.tbs_certificate_bytes
        signed = (
            struct.pack(">BBQH", 0, 0, moment, _PRECERTIFICATE)
            + hashlib.sha256(der(issuer)).digest()
            + len(body).to_bytes(3, "big")
            + body
            + bytes(2)
        )
        signature = self.key.sign(signed, ec.ECDSA(hashes.SHA256()))
        promise = (
            b"\0"
            + self.identity
            + struct.pack(">QH", moment, 0)
            + _SHA256_ECDSA
            + _sized(signature)
        )
        return x509.UnrecognizedExtension(
            ExtensionOID.PRECERT_SIGNED_CERTIFICATE_TIMESTAMPS,
            asn1.encode_der(_sized(_sized(promise))),
        )


def _sized(content: bytes) -> bytes:
    return len(content).to_bytes(2, "big") + content
