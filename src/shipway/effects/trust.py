"""Chooses whom a connection over TLS trusts, by the variables of an environment that is given.

Docker, cosign and git trust the machine's own authorities, or those of ``SSL_CERT_FILE`` and
``SSL_CERT_DIR``; programs in Python those of ``REQUESTS_CA_BUNDLE``. Here all of them count.
Source for a registry's own: Docker's documentation, "Verify repository client with certificates".
"""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from shipway.effects.environment import find_home
from shipway.errors import ContextError

_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_OF_THE_MACHINE = Path("/etc/docker/certs.d")
_OF_THE_USER = (".config/docker/certs.d", ".docker/certs.d")
"""Where Docker without root, and Docker Desktop, look in the user's home."""


def make_tls_context(environment: Mapping[str, str], host: str) -> ssl.SSLContext:
    """Make the context for ``host``, with its port if it has one.

    It trusts what the variables name, else the machine's authorities; and those that Docker has for
    this registry, whose certificate of a client it shows. Raises ``ContextError`` where one of them
    cannot be read.
    """
    named = tuple(_named_places(environment))
    folders = tuple(folder / host for folder in _docker_folders(environment))
    return _make_context(named, folders)


@cache
def _make_context(named: tuple[tuple[str, Path], ...], folders: tuple[Path, ...]) -> ssl.SSLContext:
    """Read the authorities, once in a run: each list takes a while."""
    # Not `create_default_context`: newer Pythons refuse authorities with it that Docker takes.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for variable, place in named:
        _trust(context, place, f" ({variable})")
    if not named:
        _trust_as_the_machine_does(context)
    for folder in folders:
        _trust_as_docker_does(context, folder)
    return context


def _named_places(environment: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """Give each file and folder of authorities, after the variable that names it."""
    for variable in _VARIABLES:
        value = environment.get(variable, "")
        places = value.split(os.pathsep) if variable == "SSL_CERT_DIR" else [value]
        for place in places:
            if place:
                yield variable, Path(place)


def _trust_as_the_machine_does(context: ssl.SSLContext) -> None:
    """Trust the machine's authorities; where it has none, those of certifi."""
    if sys.platform == "win32":
        context.load_default_certs()
        return
    paths = ssl.get_default_verify_paths()
    if os.path.exists(paths.openssl_cafile):
        context.load_verify_locations(cafile=paths.openssl_cafile)
    elif os.path.isdir(paths.openssl_capath) and os.listdir(paths.openssl_capath):
        # Each is read when it is needed.
        context.load_verify_locations(capath=paths.openssl_capath)
    else:
        import certifi

        context.load_verify_locations(cafile=certifi.where())


def _docker_folders(environment: Mapping[str, str]) -> Iterator[Path]:
    yield _OF_THE_MACHINE
    home = find_home(environment)
    if home:
        for folder in _OF_THE_USER:
            yield Path(home) / folder


def _trust_as_docker_does(context: ssl.SSLContext, folder: Path) -> None:
    """Trust the authorities of one registry (``*.crt``), and show it ``*.cert`` with ``*.key``."""
    for certificate in sorted(folder.glob("*.crt")):
        _trust(context, certificate)
    for certificate in sorted(folder.glob("*.cert")):
        try:
            context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        except OSError as error:
            raise _unreadable(certificate, error) from error


def _trust(context: ssl.SSLContext, place: Path, origin: str = "") -> None:
    """Trust the authorities in a file, or in the files of a folder that hold any."""
    try:
        if not place.is_dir():
            context.load_verify_locations(cafile=place)
            return
        for file in place.iterdir():
            # Like the tools in Go: it may hold folders, a README, and lists of what is revoked.
            with suppress(OSError):
                context.load_verify_locations(cafile=file)
    except OSError as error:
        raise _unreadable(place, error, origin) from error


def _unreadable(place: Path, error: OSError, origin: str = "") -> ContextError:
    return ContextError(
        f"the certificates in {place}{origin} cannot be read: {error.strerror or error}",
        hint="fix the file, or the variable that names it",
    )
