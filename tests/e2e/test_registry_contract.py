"""Docker's own client, cosign and shipway ask the same registry in the same way: host, scheme, login, outcome."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shipway.effects.registry import connect
from shipway.errors import ShipwayError
from shipway.settings.image_names import normalize_name
from tests.support.authority import Authority
from tests.support.guarded_registry import (
    PASSWORD,
    REFRESH,
    USER,
    GuardedRegistry,
    serve_guarded,
)
from tests.support.stand_ins import install
from tests.support.tunnel import serve_proxy

pytestmark = pytest.mark.engine
PAIR = {"auth": base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}
CLIENTS = ("docker", "cosign", "shipway")
_PATIENCE = 60
_NOT_FOUND = "credentials not found in native keychain"


def ask(client: str, name: str, environment: dict[str, str]) -> None:
    """Let a program ask for the tag `v1`; what comes of it is seen at the registry."""
    if client == "shipway":
        try:
            with connect(normalize_name(name) or name, environment) as registry:
                registry.manifest("v1")
        except ShipwayError:
            pass
        return
    words = {
        "docker": ["docker", "buildx", "imagetools", "inspect", "--raw"],
        "cosign": ["cosign", "tree"],
    }
    subprocess.run(
        [*words[client], f"{name}:v1"],
        env=environment,
        check=False,
        capture_output=True,
        timeout=_PATIENCE,
    )


@pytest.fixture(name="home")
def fixture_home(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """An environment with a Docker configuration of its own."""
    return {
        "PATH": f"{tmp_path}{os.pathsep}{environment['PATH']}",
        "HOME": str(tmp_path),
        "DOCKER_CONFIG": str(tmp_path),
        "DOCKER_HOST": environment.get("DOCKER_HOST", ""),
        "PLUGINS": environment.get("DOCKER_CONFIG", ""),
    }


def configure(home: dict[str, str], **content: object) -> None:
    """Write Docker's configuration, with the plugins of the one that the engine came with."""
    own: dict[str, object] = {}
    file = Path(home["PLUGINS"]) / "config.json"
    if home["PLUGINS"] and file.exists():
        own = json.loads(file.read_text(encoding="utf-8"))
    folders = own.get("cliPluginsExtraDirs", [])
    document = {**content, "cliPluginsExtraDirs": folders}
    (Path(home["DOCKER_CONFIG"]) / "config.json").write_text(json.dumps(document))


def outcome(registry: GuardedRegistry) -> tuple[str, bool]:
    """How the manifest was asked for last, and whether it was given."""
    last = ("", False)
    for (_method, path, scheme), status in zip(registry.asked, registry.statuses, strict=True):
        if path.endswith("/manifests/v1"):
            last = (scheme, status == 200)
    return last


@contextmanager
def serve_somewhere(home: dict[str, str], secure: bool) -> Iterator[GuardedRegistry]:
    """A registry on this machine; or a secure one elsewhere, with an authority of its own, behind a proxy."""
    if not secure:
        with serve_guarded() as registry:
            yield registry
        return
    authority = Authority(Path(home["HOME"]))
    with serve_guarded("registry.example", authority) as registry:
        with serve_proxy() as (address, _lines):
            home |= {"HTTPS_PROXY": address, "SSL_CERT_FILE": str(authority.file)}
            yield registry


LOGINS: dict[str, tuple[str, object, bool]] = {
    "pair": ("{host}", PAIR, True),
    "name and password": ("{host}", {"username": USER, "password": PASSWORD}, True),
    "with a scheme": ("https://{host}", PAIR, True),
    "with a path": ("http://{host}/v2/", PAIR, True),
    "of another port": ("{host}0", PAIR, False),
    "wrong": ("{host}", {"username": USER, "password": "hunter2"}, False),
    "none": ("other.example", PAIR, False),
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("scheme", ["basic", "bearer"])
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_a_login_that_is_listed(
    home: dict[str, str], client: str, login: str, scheme: str, secure: bool
) -> None:
    key, entry, is_taken = LOGINS[login]
    with serve_somewhere(home, secure) as registry:
        registry.scheme = scheme
        configure(home, auths={key.format(host=registry.host): entry})
        ask(client, registry.name, home)
    expected = scheme.title() if is_taken else outcome(registry)[0]
    assert outcome(registry) == (expected, is_taken)


ANSWERS: dict[str, tuple[dict[str, str] | str | None, bool]] = {
    "pair": ({"Username": USER, "Secret": PASSWORD}, True),
    "token": ({"Username": "<token>", "Secret": REFRESH}, True),
    "ended": ({"Username": "<token>", "Secret": "ended"}, False),
    "not found": (_NOT_FOUND, False),
    "fails": ("the keychain is locked", False),
    "missing": (None, False),
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("answered", ANSWERS)
@pytest.mark.parametrize("place", ["credsStore", "credHelpers"])
def test_a_login_of_a_helper(
    home: dict[str, str], tmp_path: Path, client: str, answered: str, place: str
) -> None:
    answer, is_taken = ANSWERS[answered]
    code = f"import sys; sys.stdin.read(); print({answer!r}); sys.exit(1)"
    if isinstance(answer, dict):
        code = f"import sys; sys.stdin.read(); print({json.dumps(answer)!r})"
    if answer is not None:
        install(tmp_path, "docker-credential-toy", code)
    with serve_guarded() as registry:
        configure(home, **{place: {registry.host: "toy"} if place == "credHelpers" else "toy"})
        ask(client, registry.name, home)
    assert outcome(registry)[1] is is_taken


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("name", "hosts"),
    [
        ("docker.io/acme/toy", {"registry-1.docker.io:443", "index.docker.io:443"}),
        ("index.docker.io/acme/toy", {"registry-1.docker.io:443", "index.docker.io:443"}),
        ("acme/toy", {"registry-1.docker.io:443", "index.docker.io:443"}),
        ("registry.example/acme/toy", {"registry.example:443"}),
        ("registry.example:5000/acme/toy", {"registry.example:5000"}),
        ("localhost.corp.example/acme/toy", {"localhost.corp.example:443"}),
    ],
)
def test_the_host_that_is_asked(
    home: dict[str, str], client: str, name: str, hosts: set[str]
) -> None:
    configure(home)
    with serve_proxy(leads=False) as (address, lines):
        ask(client, name, {**home, "HTTPS_PROXY": address, "HTTP_PROXY": address})
    assert lines and {line.removeprefix("CONNECT ") for line in lines} <= hosts
