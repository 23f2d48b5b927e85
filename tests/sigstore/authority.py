"""A certificate authority for code signing, as Fulcio is: a token and a key come in, a certificate goes out."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import jwt
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.sigstore.extensions import describe
from tests.sigstore.identity import GITHUB
from tests.sigstore.keys import Root, build, key_usage, make_root, now
from tests.sigstore.transparency import Log

AUDIENCE = "sigstore"
_NEEDED = ("exp", "iat", "iss", "aud", "sub", "job_workflow_ref")


class Refused(Exception):
    """A request that gets nothing: the HTTP status and the reason that are answered, and a detail for tests alone."""

    def __init__(self, status: int, reason: str, detail: object = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.status = status
        self.reason = reason


INVALID_TOKEN = "There was an error processing the identity token"
"""Fulcio takes a token that is not good for a bad request (its `pkg/server/error.go`)."""


@dataclass(frozen=True)
class Authority:
    """``issuer`` is where the one issuer that it believes is found; the tokens call it by GitHub's name."""

    issuer: str
    log: Log = field(default_factory=Log)
    root: Root = field(default_factory=lambda: make_root("code signing"))
    lifetime: timedelta = timedelta(minutes=10)
    """Of certificates: by the time that anybody verifies, only a timestamp says that it was not over."""

    def issue(self, token: str, public_key: bytes, proof: bytes) -> list[x509.Certificate]:
        """The certificate and those above it; raises ``Refused``.

        ``public_key`` is PEM or DER, ``proof`` a signature with its private key over the token's subject: without it
        anybody who sees a token could have a certificate made for the key of somebody else (Fulcio's
        `docs/how-certificate-issuing-works.md`).
        """
        claims = self._check(token)
        key = _read(public_key)
        try:
            key.verify(proof, claims["sub"].encode(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature as error:
            raise Refused(
                400, "The signature supplied in the request could not be verified"
            ) from error
        return [self._certify(key, claims), self.root.certificate]

    def _check(self, token: str) -> dict[str, Any]:  # Any: JSON
        """The claims of a token that is signed by the issuer, for this authority, and neither early nor late."""
        try:
            key = self._find_keys()[jwt.get_unverified_header(token)["kid"]]
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=AUDIENCE,
                issuer=GITHUB,
                options={"require": list(_NEEDED)},
            )
        except (jwt.PyJWTError, KeyError) as error:
            raise Refused(400, INVALID_TOKEN, error) from error
        return claims

    def _find_keys(self) -> jwt.PyJWKSet:
        """OpenID Connect Discovery 1.0, 4: what is found has to be the issuer that was meant."""
        document = _fetch(f"{self.issuer}/.well-known/openid-configuration")
        if document["issuer"] != GITHUB:
            raise Refused(400, INVALID_TOKEN, f"the issuer calls itself {document['issuer']}")
        return jwt.PyJWKSet.from_dict(_fetch(document["jwks_uri"]))

    def _certify(
        self, key: ec.EllipticCurvePublicKey, claims: Mapping[str, str]
    ) -> x509.Certificate:
        """Fulcio's profile (its `docs/certificate-specification.md`), with the log's promise embedded."""
        subject = x509.UniformResourceIdentifier(f"https://github.com/{claims['job_workflow_ref']}")
        above = self.root.key.public_key()
        builder = build(x509.Name([]), key, self.root.certificate.subject, now(), self.lifetime)
        builder = (
            builder.add_extension(key_usage(certificates=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(above), critical=False
            )
            .add_extension(x509.SubjectAlternativeName([subject]), critical=True)
        )
        for one in describe(claims):
            builder = builder.add_extension(one, critical=False)
        promise = self.log.promise(builder.sign(self.root.key, hashes.SHA256()), above)
        return builder.add_extension(promise, critical=False).sign(self.root.key, hashes.SHA256())


def _read(public_key: bytes) -> ec.EllipticCurvePublicKey:
    load = (
        serialization.load_pem_public_key
        if public_key.startswith(b"-----")
        else serialization.load_der_public_key
    )
    try:
        key = load(public_key)
    except ValueError as error:
        raise Refused(400, "The public key supplied in the request could not be parsed") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Refused(400, "only keys on elliptic curves, which cosign makes")
    return key


def _fetch(url: str) -> dict[str, Any]:  # Any: JSON
    # No proxy: this is the machine itself.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=5) as answer:
        found: dict[str, Any] = json.load(answer)
    return found
