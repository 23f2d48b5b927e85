"""Reads the logins of the Docker client: from its configuration, or from a helper that it names.

Sources: the Docker CLI's reference ("Docker CLI configuration file properties", "Credential
stores"), its package ``cli/config/credentials`` for what a key names, and the protocol of
docker-credential-helpers. A helper sees only the environment given.
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

HUB_KEY = "https://index.docker.io/v1/"
"""The name under which Docker keeps the login of Docker Hub."""
_PATIENCE = 60
"""Seconds that a credential helper may take: waiting for a person must not look like work."""
_TOKEN = "<token>"
"""The user's name with which a helper marks an identity token."""
_NOT_FOUND = "credentials not found in native keychain"
"""What a helper says that has no login (docker-credential-helpers, ``credentials/error.go``)."""
_VARIABLE = "DOCKER_AUTH_CONFIG"
"""Holds logins since version 28.3 of the Docker CLI; they count before those of the file."""
_LARGEST = 1024 * 1024
_WIDEST = 200


class Login(NamedTuple):
    """A name and a password, or one of the tokens that stand for them."""

    username: str = ""
    password: str = ""
    identity_token: str = ""
    """Is given to the token server in place of a password."""
    registry_token: str = ""
    """Is given to the registry itself."""


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    auth: str | None = None
    """``username:password`` in Base64."""
    username: str | None = None
    password: str | None = None
    identity_token: str | None = msgspec.field(default=None, name="identitytoken")
    registry_token: str | None = msgspec.field(default=None, name="registrytoken")


class _DockerConfig(msgspec.Struct, frozen=True, kw_only=True):
    auths: dict[str, _Entry | None] | None = None
    helpers: dict[str, str] | None = msgspec.field(default=None, name="credHelpers")
    store: str | None = msgspec.field(default=None, name="credsStore")


class _HelperAnswer(msgspec.Struct, frozen=True, kw_only=True):
    username: str = msgspec.field(default="", name="Username")
    secret: str = msgspec.field(default="", name="Secret")


def find_login(key: str, environment: Mapping[str, str]) -> Login | None:
    """Give the login for a registry's host or ``HUB_KEY``, ``None`` where there is none.

    Raises ``StepFailed`` where the configuration cannot be read, and where a helper is not there or
    fails. As with Docker, what has a helper is asked of it alone.
    """
    given = environment.get(_VARIABLE)
    if given:
        config = _decode_config(given.encode(), f"the variable {_VARIABLE}")
        login = _listed_login(config, key)
        if login is not None:
            return login
    path = config_path(environment)
    config = _read_config(path) if path else _DockerConfig()
    helper = (config.helpers or {}).get(key, config.store)
    if helper:
        return _ask_helper(helper, key, environment)
    return _listed_login(config, key)


def config_path(environment: Mapping[str, str]) -> Path | None:
    """Give the path of Docker's configuration, ``None`` for a user without a home."""
    folder = environment.get("DOCKER_CONFIG")
    if folder:
        return Path(folder) / "config.json"
    home = find_home(environment)
    return Path(home) / ".docker" / "config.json" if home else None


def _read_config(path: Path) -> _DockerConfig:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST)
    except (FileNotFoundError, NotADirectoryError):
        return _DockerConfig()
    except OSError as error:
        raise _unreadable(str(path), error.strerror or "") from error
    return _decode_config(content, str(path))


def _decode_config(content: bytes, place: str) -> _DockerConfig:
    """Decode a configuration; Docker takes an empty file, and ``null``, for one without logins."""
    if not content.strip():
        return _DockerConfig()
    try:
        config = msgspec.json.decode(content, type=_DockerConfig | None)
    except (ValueError, RecursionError) as error:
        raise _unreadable(place, str(error)) from error
    return config or _DockerConfig()


def _unreadable(place: str, reason: str) -> StepFailed:
    return StepFailed(
        f"the logins in {place} cannot be read: {reason}",
        hint="fix it, or log in again with `docker login`",
    )


def _listed_login(config: _DockerConfig, key: str) -> Login | None:
    """Give the login that stands in the configuration itself, under the host in any spelling."""
    entries = config.auths or {}
    entry = entries.get(key)
    if key not in entries:
        spellings = [name for name in entries if _host_of(name) == key]
        entry = entries[spellings[0]] if spellings else None
    if entry is None:
        return None
    username = entry.username or ""
    password = entry.password or ""
    if entry.auth:
        username, password = _decode_pair(entry.auth, key)
    login = Login(
        username=username,
        password=password,
        identity_token=entry.identity_token or "",
        registry_token=entry.registry_token or "",
    )
    return login if any(login) else None


def _host_of(key: str) -> str:
    """Give the host that a key of older versions names, with scheme and path."""
    scheme, separator, rest = key.partition("://")
    if separator and scheme in ("http", "https"):
        key = rest
    return key.partition("/")[0]


def _decode_pair(encoded: str, key: str) -> tuple[str, str]:
    try:
        plain = base64.b64decode(encoded, validate=False).decode()
    except ValueError:
        plain = ""
    username, separator, password = plain.partition(":")
    if not username or not separator:
        raise StepFailed(
            f"the login for {key} in Docker's configuration cannot be read",
            hint=f"log in again with `docker login {key}`",
        )
    return username, password.strip("\x00")


def _ask_helper(name: str, key: str, environment: Mapping[str, str]) -> Login | None:
    """Ask the helper ``docker-credential-NAME``; gives ``None`` where it has no login."""
    program = f"docker-credential-{name}"
    path = environment.get("PATH", os.defpath)
    found = shutil.which(program, path=path)
    if found is None:
        raise _useless_helper(program, key, "it is not on PATH")
    try:
        process = subprocess.run(
            (found, "get"),
            input=key.encode(),
            env=dict(environment),
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _useless_helper(program, key, f"no answer in {_PATIENCE} s") from error
    except OSError as error:
        raise _useless_helper(program, key, error.strerror or "it cannot run") from error
    if process.returncode:
        words = (process.stdout + process.stderr).decode(errors="replace").strip()
        if _NOT_FOUND in words:
            return None
        raise _useless_helper(program, key, repr(words[:_WIDEST]))
    try:
        answer = msgspec.json.decode(process.stdout, type=_HelperAnswer)
    except (ValueError, RecursionError):
        # Its words are not shown: a part of them may be the password.
        raise _useless_helper(program, key, "its answer is no login") from None
    if answer.username == _TOKEN:
        return Login(identity_token=answer.secret)
    return Login(answer.username, answer.secret)


def _useless_helper(program: str, key: str, reason: str) -> StepFailed:
    return StepFailed(
        f"{program}, which Docker's configuration names, gives no login for {key}: {reason}",
        hint=f"mend or install {program}, or take it out of Docker's config.json and "
        f"run `docker login {key}`",
    )
