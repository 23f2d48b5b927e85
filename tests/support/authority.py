"""A certificate authority of one's own, and servers with its certificates."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


class Authority:
    """Signs certificates; ``file`` holds its own. Those of an ``ended`` one have ended."""

    def __init__(self, folder: Path, *, ended: bool = False) -> None:
        self._folder = folder
        self._ended = ended
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.file = folder / "authority.pem"
        certificate = self._sign(self._key.public_key(), None)
        self.file.write_bytes(certificate.public_bytes(Encoding.PEM))

    def context(self, host: str) -> ssl.SSLContext:
        """Of a server with a certificate for ``host``."""
        key, certificate = self.certify(host)
        file = self._folder / f"{host}.key-and-certificate"
        file.write_bytes(key + certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def certify(self, name: str) -> tuple[bytes, bytes]:
        """A private key, and its certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(key.public_key(), name)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return private, certificate.public_bytes(Encoding.PEM)

    def _sign(self, key: ec.EllipticCurvePublicKey, host: str | None) -> x509.Certificate:
        """A certificate for a host, or its own."""
        now = datetime.datetime.now(datetime.timezone.utc)
        day = datetime.timedelta(days=1)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(host or "Toy authority"))
            .issuer_name(_name("Toy authority"))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 9 * day)
            .not_valid_after(now - day if self._ended and host else now + 9 * day)
            .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
        )
        if host is not None:
            names = x509.SubjectAlternativeName([_alternative_name(host)])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _alternative_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
