"""Keys and the certificates above them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LIFETIME = timedelta(days=1)
"""Of everything but the certificates of signers: longer than any test, and over soon."""


@dataclass(frozen=True)
class Root:
    """A key on P-256 and its self-signed certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def make_root(name: str) -> Root:
    """A certificate authority that nobody but the tests trusts; it began a minute ago."""
    key, subject = ec.generate_private_key(ec.SECP256R1()), name_of(name)
    builder = build(subject, key.public_key(), subject, now() - timedelta(minutes=1), LIFETIME)
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return Root(key, builder.sign(key, hashes.SHA256()))


def build(
    subject: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    begin: datetime,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    """A certificate without extensions, not signed yet, with a serial number of its own."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + lifetime)
    )


def key_usage(*, certificates: bool) -> x509.KeyUsage:
    """For certificates and their revocation, or for signatures."""
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def name_of(name: str) -> x509.Name:
    """A distinguished name of an organization and a common name."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "loopback"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def der(key: ec.EllipticCurvePublicKey) -> bytes:
    """SubjectPublicKeyInfo (RFC 5280, 4.1)."""
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def now() -> datetime:
    """This moment, in whole seconds: X.509 knows no fractions."""
    return datetime.now(UTC).replace(microsecond=0)
