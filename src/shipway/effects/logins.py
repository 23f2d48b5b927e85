"""Reads the logins of the Docker client: from its configuration, or from a helper that it names.

Sources: the Docker CLI's reference ("Docker CLI configuration file properties", "Credential
stores"), and the protocol of docker-credential-helpers. A helper sees only the environment given.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from shipway.errors import StepFailed

_PATIENCE = 60
"""Seconds that a credential helper may take: waiting for a person must not look like work."""


class Login(NamedTuple):
    """A name and a password, or whatever a registry takes for them."""

    username: str
    password: str


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    auth: str | None = None
    """``username:password`` in Base64."""


class _DockerConfig(msgspec.Struct, frozen=True, kw_only=True):
    auths: dict[str, _Entry] | None = None
    helpers: dict[str, str] | None = msgspec.field(default=None, name="credHelpers")
    store: str | None = msgspec.field(default=None, name="credsStore")


class _HelperAnswer(msgspec.Struct, frozen=True, kw_only=True):
    username: str = msgspec.field(name="Username")
    secret: str = msgspec.field(name="Secret")


def find_login(hosts: tuple[str, ...], environment: Mapping[str, str]) -> Login | None:
    """Give the login for the first of these names of a registry that has one, ``None`` without.

    Raises ``StepFailed`` where the configuration cannot be read. A helper that is not there or that
    refuses gives no login: many images need none.
    """
    path = _config_path(environment)
    config = _read_config(path) if path else None
    if config is None:
        return None
    for host in hosts:
        entry = (config.auths or {}).get(host)
        if entry is not None and entry.auth:
            return _parse_login(entry.auth, host, path)
        helper = (config.helpers or {}).get(host)
        for name in (helper, config.store):
            login = _ask_helper(name, host, environment) if name else None
            if login is not None:
                return login
    return None


def _config_path(environment: Mapping[str, str]) -> Path | None:
    folder = environment.get("DOCKER_CONFIG")
    if folder:
        return Path(folder) / "config.json"
    home = environment.get("HOME")
    if not home:
        home = _listed_home(environment)
    return Path(home) / ".docker" / "config.json" if home else None


def _listed_home(environment: Mapping[str, str]) -> str | None:
    """Give the home that the list of users names.

    A service may run without the variable: Docker then asks that list, too.
    """
    if sys.platform == "win32":
        return environment.get("USERPROFILE")
    import pwd  # which Windows does not have

    with suppress(KeyError):
        return pwd.getpwuid(os.getuid()).pw_dir
    return None


def _read_config(path: Path) -> _DockerConfig | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_DockerConfig)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise StepFailed(
            f"the logins in {path} cannot be read: {error}",
            hint="fix the file, or log in again with `docker login`",
        ) from error


def _parse_login(text: str, host: str, path: Path | None) -> Login:
    try:
        username, _, password = base64.b64decode(text).decode().partition(":")
    except ValueError:
        raise StepFailed(
            f"the login for {host} in {path} cannot be read",
            hint=f"log in again with `docker login {host}`",
        ) from None
    return Login(username, password)


def _ask_helper(name: str, host: str, environment: Mapping[str, str]) -> Login | None:
    program = shutil.which(f"docker-credential-{name}", path=environment.get("PATH", os.defpath))
    if program is None:
        return None
    try:
        process = subprocess.run(
            (program, "get"),
            input=host.encode(),
            env=dict(environment),
            capture_output=True,
            timeout=_PATIENCE,
            check=True,
        )
        answer = msgspec.json.decode(process.stdout, type=_HelperAnswer)
    except (subprocess.SubprocessError, OSError, ValueError):
        return None
    return Login(answer.username, answer.secret)
