"""How a registry that wants a login is answered: as Docker answers it."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from requests import Response

from shipway.effects import trust
from shipway.effects.challenges import choose_challenge, parse_challenges
from shipway.effects.registry import connect
from shipway.errors import ContextError, StepFailed
from tests.support.authority import Authority
from tests.support.guarded_registry import (
    DIGEST,
    PASSWORD,
    REFRESH,
    USER,
    GuardedRegistry,
    resolve_to_loopback,
    serve_guarded,
)

PAIR = {"auth": base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}
WRONG = {"username": USER, "password": "hunter2"}


@pytest.fixture(name="_impatient", autouse=True)
def fixture_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shipway.effects.connections.ATTEMPTS", 0)


@pytest.fixture(name="guarded")
def fixture_guarded() -> Iterator[GuardedRegistry]:
    with serve_guarded() as registry:
        yield registry


def log_in(folder: Path, host: str, entry: object = None) -> dict[str, str]:
    """Write Docker's configuration with one login; gives the environment that names it."""
    auths = {host: PAIR if entry is None else entry}
    (folder / "config.json").write_text(json.dumps({"auths": auths}))
    return {"DOCKER_CONFIG": str(folder)}


def forget_authorities() -> None:
    """Read them anew, as another run does."""
    trust._make_context.cache_clear()  # pylint: disable=protected-access


def ask(name: str, environment: dict[str, str]) -> str:
    """The digest of the image's tag."""
    with connect(name, environment) as registry:
        return registry.manifest("v1")[0]


def refuse(name: str, environment: dict[str, str]) -> StepFailed:
    """The error of a question."""
    with pytest.raises(StepFailed) as caught:
        ask(name, environment)
    return caught.value


@pytest.mark.parametrize(
    ("header", "schemes", "chosen"),
    [
        ('Basic realm="Registry Realm"', ["basic"], "Registry Realm"),
        ('Bearer realm="https://a/t",service="s"', ["bearer"], "https://a/t"),
        ('Basic realm="x", BEARER realm="y", service=z', ["basic", "bearer"], "y"),
        ('Negotiate, Basic realm="a, b=\\"c\\""', ["negotiate", "basic"], 'a, b="c"'),
        ("Digest abc==", ["digest"], None),
        ('Bearer Realm = "q" , scope=""', ["bearer"], "q"),
        ("", [], None),
        (",,,", [], None),
        ("<html>", [], None),
        ('realm="x"', [], None),
    ],
)
def test_challenges(header: str, schemes: list[str], chosen: str | None) -> None:
    challenges = parse_challenges(header)
    assert [challenge.scheme for challenge in challenges] == schemes
    challenge = choose_challenge(challenges)
    assert (challenge and challenge.parameters["realm"]) == chosen


class TestLogins:
    """Of each form, for both schemes."""

    @pytest.mark.parametrize("scheme", ["basic", "bearer"])
    @pytest.mark.parametrize("entry", [PAIR, {"username": USER, "password": PASSWORD}])
    def test_name_and_password(
        self, guarded: GuardedRegistry, tmp_path: Path, scheme: str, entry: object
    ) -> None:
        guarded.scheme = scheme
        environment = log_in(tmp_path, guarded.host, entry)
        assert ask(guarded.name, environment) == DIGEST

    @pytest.mark.parametrize(
        ("user", "password"),
        [
            ("AWS", "x" * 2400),
            ("_json_key", '{\n  "private_key": "-----BEGIN\\n"\n}\n'),
            ("acme+robot", "ABC"),
            ("robot$acme", "a:b@c/d"),
            ("jörg", "pässword"),
        ],
    )
    @pytest.mark.parametrize("scheme", ["basic", "bearer"])
    def test_unusual_ones(
        self, guarded: GuardedRegistry, tmp_path: Path, scheme: str, user: str, password: str
    ) -> None:
        guarded.scheme = scheme
        guarded.login = f"{user}:{password}"
        entry = {"auth": base64.b64encode(guarded.login.encode()).decode()}
        assert ask(guarded.name, log_in(tmp_path, guarded.host, entry)) == DIGEST

    def test_an_identity_token(self, guarded: GuardedRegistry, tmp_path: Path) -> None:
        environment = log_in(tmp_path, guarded.host, {"identitytoken": REFRESH})
        assert ask(guarded.name, environment) == DIGEST
        assert [method for method, _path, _scheme in guarded.asked] == ["GET", "POST", "GET"]

    def test_a_token_for_the_registry_itself(
        self, guarded: GuardedRegistry, tmp_path: Path
    ) -> None:
        environment = log_in(tmp_path, guarded.host, {"registrytoken": "x:pull"})
        assert ask(guarded.name, environment) == DIGEST
        assert len(guarded.asked) == 2

    @pytest.mark.parametrize("scheme", ["basic", "bearer"])
    def test_none(self, guarded: GuardedRegistry, tmp_path: Path, scheme: str) -> None:
        guarded.scheme = scheme
        error = refuse(guarded.name, log_in(tmp_path, "other.example"))
        place = tmp_path / "config.json"
        assert f"no login was found for {guarded.host} in {place}" in error.message
        assert f"docker login {guarded.host}" in error.hint and not error.passes

    @pytest.mark.parametrize("scheme", ["basic", "bearer"])
    def test_a_wrong_one(self, guarded: GuardedRegistry, tmp_path: Path, scheme: str) -> None:
        guarded.scheme = scheme
        error = refuse(guarded.name, log_in(tmp_path, guarded.host, WRONG))
        assert f"the login of 'ann' for {guarded.host}" in error.message
        assert "hunter2" not in str(error)

    def test_one_that_changed_is_found_anew(self, guarded: GuardedRegistry, tmp_path: Path) -> None:
        guarded.scheme = "basic"
        environment = log_in(tmp_path, guarded.host, WRONG)
        with connect(guarded.name, environment) as registry:
            with pytest.raises(StepFailed):
                registry.manifest("v1")
            log_in(tmp_path, guarded.host)
            assert registry.manifest("v1")[0] == DIGEST


class TestTokens:
    """Each is for one action, and ends."""

    def test_one_is_asked_for_once(self, guarded: GuardedRegistry, tmp_path: Path) -> None:
        with connect(guarded.name, log_in(tmp_path, guarded.host)) as registry:
            registry.manifest("v1")
            registry.manifest("v1")
        assert guarded.scopes == ["repository:acme/toy:pull"]

    def test_another_action_has_another_token(
        self, guarded: GuardedRegistry, tmp_path: Path
    ) -> None:
        with connect(guarded.name, log_in(tmp_path, guarded.host)) as registry:
            registry.manifest("v1")
            registry.delete(DIGEST)
            registry.manifest("v1")
        assert guarded.scopes == ["repository:acme/toy:pull", "repository:acme/toy:delete"]

    @pytest.mark.parametrize(("life", "after"), [(None, 56.0), (1.0, 56.0), (300.0, 296.0)])
    def test_one_that_ends_is_replaced_before(
        self,
        guarded: GuardedRegistry,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        life: float | None,
        after: float,
    ) -> None:
        guarded.life = life
        with connect(guarded.name, log_in(tmp_path, guarded.host)) as registry:
            registry.manifest("v1")
            now = time.monotonic()
            monkeypatch.setattr(time, "monotonic", lambda: now + after - 10)
            registry.manifest("v1")
            assert len(guarded.scopes) == 1
            monkeypatch.setattr(time, "monotonic", lambda: now + after)
            registry.manifest("v1")
        assert len(guarded.scopes) == 2

    def test_one_that_is_refused_is_replaced_once(
        self, guarded: GuardedRegistry, tmp_path: Path
    ) -> None:
        with connect(guarded.name, log_in(tmp_path, guarded.host)) as registry:
            registry.manifest("v1")
            guarded.revoked.add("1:repository:acme/toy:pull")
            assert registry.manifest("v1")[0] == DIGEST
            guarded.revoked |= {f"{number}:repository:acme/toy:pull" for number in range(9)}
            with pytest.raises(StepFailed, match="answered 401 to GET manifests/v1"):
                registry.manifest("v1")
        assert len(guarded.scopes) == 3


class TestBadInput:
    """Answers that no registry should give."""

    @pytest.mark.parametrize(
        ("challenge", "words"),
        [
            ('Bearer service="x"', "does not say where there is one"),
            ('Bearer realm="nowhere"', "its answer leads nowhere"),
            ('Bearer realm="ftp://x/t"', "its answer leads nowhere"),
            ('Bearer realm="http://other.example/t"', "other.example would be asked without TLS"),
            ("Negotiate", "does not know: 'negotiate'"),
            ("<html>", "answered 401"),
        ],
    )
    def test_challenges(
        self, guarded: GuardedRegistry, tmp_path: Path, challenge: str, words: str
    ) -> None:
        guarded.challenge = challenge
        error = refuse(guarded.name, log_in(tmp_path, guarded.host))
        assert words in error.message and not error.passes
        assert PASSWORD not in str(error)

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (
                (403, {}, b'{"errors": [{"code": "DENIED", "message": "no\\u001b[1m"}]}'),
                "DENIED: no",
            ),
            ((403, {}, b"<html>" * 9999), "answered 403"),
            ((429, {"Retry-After": "0"}, b""), "limits how often it is asked"),
            ((200, {}, b"<html>"), "cannot be understood"),
            ((200, {"Docker-Content-Digest": f"sha256:{'0' * 64}"}, b"{}"), "something else"),
            ((302, {"Location": "/v2/acme/toy/manifests/v1"}, b""), "its answer leads nowhere"),
            ((302, {"Location": "http://other.example/"}, b""), "asked without TLS"),
        ],
        ids=["denied", "page", "limit", "html", "digest", "loop", "plain"],
    )
    def test_answers(
        self,
        guarded: GuardedRegistry,
        tmp_path: Path,
        answer: tuple[int, dict[str, str], bytes],
        words: str,
    ) -> None:
        guarded.answers = [answer] * 20
        error = refuse(guarded.name, log_in(tmp_path, guarded.host))
        assert words in error.message
        assert "\x1b" not in error.message and len(error.message) < 1000


class TestTls:
    """Whom it trusts, and what it says where it does not."""

    @pytest.mark.parametrize("host", ["registry.example", "127.0.0.1"])
    @pytest.mark.parametrize(
        "variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]
    )
    def test_an_authority_of_ones_own(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, variable: str
    ) -> None:
        resolve_to_loopback(monkeypatch)
        authority = Authority(tmp_path)
        (tmp_path / "java").mkdir()
        (tmp_path / "README").write_text("no certificate")
        place = tmp_path if variable == "SSL_CERT_DIR" else authority.file
        with serve_guarded(host, authority) as guarded:
            environment = log_in(tmp_path, guarded.host)
            assert ask(guarded.name, {**environment, variable: str(place)}) == DIGEST

    def test_one_of_docker_for_this_registry(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        resolve_to_loopback(monkeypatch)
        authority = Authority(tmp_path)
        with serve_guarded("registry.example", authority) as guarded:
            folder = tmp_path / ".docker/certs.d" / guarded.host
            folder.mkdir(parents=True)
            (folder / "ca.crt").write_bytes(authority.file.read_bytes())
            environment = {**log_in(tmp_path, guarded.host), "HOME": str(tmp_path)}
            assert ask(guarded.name, environment) == DIGEST

    def test_a_client_certificate_of_docker_for_this_registry(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        resolve_to_loopback(monkeypatch)
        authority = Authority(tmp_path)
        with serve_guarded("registry.example", authority, mutual=True) as guarded:
            environment = {
                **log_in(tmp_path, guarded.host),
                "HOME": str(tmp_path),
                "SSL_CERT_FILE": str(authority.file),
            }
            refuse(guarded.name, environment)
            folder = tmp_path / ".config/docker/certs.d" / guarded.host
            folder.mkdir(parents=True)
            key, certificate = authority.certify("client.example")
            (folder / "client.cert").write_bytes(certificate)
            (folder / "client.key").write_bytes(key)
            forget_authorities()
            assert ask(guarded.name, environment) == DIGEST
            (folder / "client.key").write_bytes(b"")
            forget_authorities()
            with pytest.raises(ContextError, match="client.cert cannot be read"):
                ask(guarded.name, environment)

    def test_an_unknown_one(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        resolve_to_loopback(monkeypatch)
        monkeypatch.setattr("shipway.effects.connections.ATTEMPTS", 5)
        with serve_guarded("registry.example", Authority(tmp_path)) as guarded:
            begin = time.monotonic()
            error = refuse(guarded.name, log_in(tmp_path, guarded.host))
            assert time.monotonic() - begin < 2
        assert f"the certificate of {guarded.host} is not trusted: unable to get" in error.message
        assert "SSL_CERT_FILE" in error.hint and not error.passes and not guarded.asked

    @pytest.mark.parametrize(
        ("certified", "ended", "words"),
        [("other.example", False, "mismatch"), ("registry.example", True, "expired")],
    )
    def test_a_certificate_that_does_not_hold(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        certified: str,
        ended: bool,
        words: str,
    ) -> None:
        resolve_to_loopback(monkeypatch)
        authority = Authority(tmp_path, ended=ended)
        with serve_guarded(certified, authority) as guarded:
            name = guarded.name.replace(certified, "registry.example")
            error = refuse(name, {"SSL_CERT_FILE": str(authority.file)})
        assert words in error.message

    @pytest.mark.parametrize("host", ["localhost.corp.example", "127.corp.example"])
    def test_a_host_that_begins_like_loopback_is_asked_over_tls(
        self,
        guarded: GuardedRegistry,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        host: str,
    ) -> None:
        resolve_to_loopback(monkeypatch)
        name = guarded.name.replace("127.0.0.1", host)
        error = refuse(name, log_in(tmp_path, name.partition("/")[0]))
        assert "is not trusted" in error.message and not guarded.asked

    @pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"])
    def test_authorities_that_are_not_there(
        self, monkeypatch: pytest.MonkeyPatch, variable: str
    ) -> None:
        resolve_to_loopback(monkeypatch)
        with pytest.raises(ContextError, match=rf"/nowhere \({variable}\) cannot be read"):
            ask("registry.example/acme/toy", {variable: "/nowhere"})


@pytest.mark.parametrize(
    ("name", "host", "key"),
    [
        ("docker.io/acme/toy", "registry-1.docker.io", "https://index.docker.io/v1/"),
        ("ghcr.io/acme/toy", "ghcr.io", "ghcr.io"),
    ],
)
def test_the_host_that_is_asked_and_the_login_for_it(
    monkeypatch: pytest.MonkeyPatch, name: str, host: str, key: str
) -> None:
    asked: list[str] = []

    def answer(_session: object, _method: str, address: str, **_options: object) -> Response:
        asked.append(address)
        response = Response()
        response.status_code = 401
        response.raw = io.BytesIO()
        response.headers["WWW-Authenticate"] = "Basic"
        return response

    monkeypatch.setattr("shipway.effects.connections.Connections.request", answer)
    error = refuse(name, {"DOCKER_CONFIG": "/nowhere"})
    assert asked == [f"https://{host}/v2/acme/toy/manifests/v1"]
    assert f"no login was found for {key} in" in error.message


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("127.0.0.1:9/acme/toy", "nothing listens there"),
        ("registry.invalid/acme/toy", "there is no such host"),
    ],
)
def test_nobody_is_there(name: str, words: str) -> None:
    error = refuse(name, {})
    assert words in error.message and error.passes


def test_a_proxy_that_refuses(guarded: GuardedRegistry) -> None:
    proxy = f"http://ann:s3cret@{guarded.host}"
    error = refuse("registry.example/acme/toy", {"HTTPS_PROXY": proxy})
    assert "the proxy refuses" in error.message
    assert "s3cret" not in str(error)
