"""Reads the logins of the Docker client: from its configuration, or from a helper that it names.

Sources: the Docker CLI's reference ("Docker CLI configuration file properties", "Credential
stores"), and the protocol of docker-credential-helpers. A helper sees only the environment given.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from shipway.effects.environment import find_home
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
    refuses gives no login: many images need none. As with Docker, what a helper is named for is
    asked of it alone.
    """
    path = _config_path(environment)
    config = _read_config(path) if path else None
    if config is None:
        return None
    for host in hosts:
        helper = (config.helpers or {}).get(host, config.store)
        login = _ask_helper(helper, host, environment) if helper else _listed_login(config, host)
        if login is not None:
            return login
    return None


def _config_path(environment: Mapping[str, str]) -> Path | None:
    folder = environment.get("DOCKER_CONFIG")
    if folder:
        return Path(folder) / "config.json"
    home = find_home(environment)
    return Path(home) / ".docker" / "config.json" if home else None


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


def _listed_login(config: _DockerConfig, host: str) -> Login | None:
    """Give the login that stands in the configuration itself."""
    entry = (config.auths or {}).get(host)
    if entry is None or not entry.auth:
        return None
    try:
        username, _, password = base64.b64decode(entry.auth).decode().partition(":")
    except ValueError:
        raise StepFailed(
            f"the login for {host} in Docker's configuration cannot be read",
            hint=f"log in again with `docker login {host}`",
        ) from None
    return Login(username, password)


def _ask_helper(name: str, host: str, environment: Mapping[str, str]) -> Login | None:
    path = environment.get("PATH", os.defpath)
    program = shutil.which(f"docker-credential-{name}", path=path)
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
