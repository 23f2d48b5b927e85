"""A timestamp authority (RFC 3161): its answers are CMS (RFC 5652), written down as the standards write them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.sigstore.keys import LIFETIME, build, key_usage, make_root, name_of, now

_SHA256 = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_ECDSA_SHA256 = x509.ObjectIdentifier("1.2.840.10045.4.3.2")
_SIGNED_DATA = x509.ObjectIdentifier("1.2.840.113549.1.7.2")
_INFO = x509.ObjectIdentifier("1.2.840.113549.1.9.16.1.4")
_CONTENT_TYPE = x509.ObjectIdentifier("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST = x509.ObjectIdentifier("1.2.840.113549.1.9.4")
_SIGNING_CERTIFICATE = x509.ObjectIdentifier("1.2.840.113549.1.9.16.2.47")
_POLICY = x509.ObjectIdentifier("1.3.6.1.4.1.57264.2")


@asn1.sequence
class Algorithm:
    """AlgorithmIdentifier. ``parameters`` are there, and NULL, or not at all: both are seen of hashes."""

    algorithm: x509.ObjectIdentifier
    parameters: asn1.Null | None = None


@asn1.sequence
class Imprint:
    """MessageImprint: what is to be stamped is only known by its hash."""

    algorithm: Algorithm
    digest: bytes


@asn1.sequence
class Request:
    """TimeStampReq (RFC 3161, 2.4.1)."""

    version: int
    imprint: Imprint
    policy: x509.ObjectIdentifier | None
    nonce: int | None
    certificates: Annotated[bool, asn1.Default(False)]


@asn1.sequence
class Info:
    """TSTInfo (RFC 3161, 2.4.2)."""

    version: int
    policy: x509.ObjectIdentifier
    imprint: Imprint
    serial: int
    time: asn1.GeneralizedTime
    nonce: int | None


@asn1.sequence
class CertificateId:
    """ESSCertIDv2 (RFC 5035, 4) with its default hash, SHA-256."""

    digest: bytes


@asn1.sequence
class SigningCertificate:
    """SigningCertificateV2 (RFC 5035, 3)."""

    certificates: list[CertificateId]


@asn1.sequence
class Attribute:
    """A signed attribute; its one value is whatever its kind says."""

    kind: x509.ObjectIdentifier
    values: asn1.SetOf[asn1.TLV]


@asn1.sequence
class Signer:
    """IssuerAndSerialNumber."""

    issuer: x509.Name
    serial: int


@asn1.sequence
class SignerInfo:
    """SignerInfo (RFC 5652, 5.3)."""

    version: int
    signer: Signer
    digest: Algorithm
    attributes: Annotated[asn1.SetOf[Attribute], asn1.Implicit(0)]
    algorithm: Algorithm
    signature: bytes


@asn1.sequence
class Encapsulated:
    """EncapsulatedContentInfo."""

    kind: x509.ObjectIdentifier
    content: Annotated[bytes, asn1.Explicit(0)]


@asn1.sequence
class SignedData:
    """SignedData (RFC 5652, 5.1)."""

    version: int
    digests: asn1.SetOf[Algorithm]
    content: Encapsulated
    certificates: Annotated[asn1.SetOf[x509.Certificate] | None, asn1.Implicit(0)]
    signers: asn1.SetOf[SignerInfo]


@asn1.sequence
class Token:
    """ContentInfo with signed data."""

    kind: x509.ObjectIdentifier
    content: Annotated[SignedData, asn1.Explicit(0)]


@asn1.sequence
class Status:
    """PKIStatusInfo: 0 is granted."""

    status: int


@asn1.sequence
class Response:
    """TimeStampResp (RFC 3161, 2.4.2)."""

    status: Status
    token: Token


@dataclass(frozen=True, kw_only=True)
class TimestampAuthority:
    """``chain`` is the certificate that stamps and the root above it."""

    key: ec.EllipticCurvePrivateKey
    chain: tuple[x509.Certificate, x509.Certificate]
    drift: timedelta = timedelta(0)
    """How wrong its clock is."""

    def stamp(self, request: bytes) -> bytes:
        """A DER answer to a DER request; raises ``ValueError`` where the request is none, or not about SHA-256."""
        asked = asn1.decode_der(Request, request)
        if asked.imprint.algorithm.algorithm != _SHA256 or len(asked.imprint.digest) != 32:
            raise ValueError("only hashes of SHA-256 are stamped")
        info = asn1.encode_der(
            Info(
                version=1,
                policy=_POLICY,
                imprint=asked.imprint,
                nonce=asked.nonce,
                serial=x509.random_serial_number(),
                time=asn1.GeneralizedTime(now() + self.drift),
            )
        )
        signed = SignedData(
            version=3,
            digests=asn1.SetOf([Algorithm(algorithm=_SHA256)]),
            content=Encapsulated(kind=_INFO, content=info),
            signers=asn1.SetOf([self._sign(info)]),
            certificates=asn1.SetOf([self.chain[0]]) if asked.certificates else None,
        )
        return asn1.encode_der(
            Response(status=Status(status=0), token=Token(kind=_SIGNED_DATA, content=signed))
        )

    def _sign(self, info: bytes) -> SignerInfo:
        """What is signed are the attributes, as a set with its own tag (RFC 5652, 5.4)."""
        own = CertificateId(digest=self.chain[0].fingerprint(hashes.SHA256()))
        attributes = asn1.SetOf(
            [
                _attribute(_CONTENT_TYPE, asn1.encode_der(_INFO)),
                _attribute(_MESSAGE_DIGEST, asn1.encode_der(hashlib.sha256(info).digest())),
                _attribute(
                    _SIGNING_CERTIFICATE, asn1.encode_der(SigningCertificate(certificates=[own]))
                ),
            ]
        )
        signature = self.key.sign(asn1.encode_der(attributes), ec.ECDSA(hashes.SHA256()))
        signer = Signer(issuer=self.chain[0].issuer, serial=self.chain[0].serial_number)
        return SignerInfo(
            version=1,
            signer=signer,
            digest=Algorithm(algorithm=_SHA256),
            attributes=attributes,
            algorithm=Algorithm(algorithm=_ECDSA_SHA256),
            signature=signature,
        )


def _attribute(kind: x509.ObjectIdentifier, value: bytes) -> Attribute:
    return Attribute(kind=kind, values=asn1.SetOf([asn1.decode_der(asn1.TLV, value)]))


def make_timestamp_authority() -> TimestampAuthority:
    """One with a key and a root of its own."""
    root, key = make_root("timestamps"), ec.generate_private_key(ec.SECP256R1())
    above = root.certificate
    builder = build(
        name_of("timestamps of today"),
        key.public_key(),
        above.subject,
        above.not_valid_before_utc,
        LIFETIME - timedelta(minutes=1),
    ).add_extension(key_usage(certificates=False), critical=True)
    # For this and nothing else, and critical (RFC 3161, 2.3).
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    certificate = builder.add_extension(usage, critical=True).sign(root.key, hashes.SHA256())
    return TimestampAuthority(key=key, chain=(certificate, above))
