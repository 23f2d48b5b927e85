"""Which proxies, certificates and logins a registry is asked with: those of the environment given."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest

from shipway.effects.logins import find_login
from shipway.effects.proxies import find_certificates, find_proxies
from shipway.effects.read_image import replace_environment, resolve_index
from shipway.errors import StepFailed
from tests.support.registry import Registry
from tests.support.stand_ins import install

HOST = "registry.example"
PROXY = "http://proxy.example:3128"


def write_config(folder: Path, **content: object) -> dict[str, str]:
    """Write a configuration of the Docker client; gives the environment that names it."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(content))
    return {"DOCKER_CONFIG": str(folder)}


def encode(username: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{username}:{password}".encode()).decode()}


class TestProxies:
    """By the rules of requests."""

    @pytest.mark.parametrize(
        ("environment", "proxies"),
        [
            ({}, {}),
            ({"HTTPS_PROXY": PROXY}, {"https": PROXY}),
            ({"https_proxy": PROXY, "HTTPS_PROXY": "x"}, {"https": PROXY}),
            ({"https_proxy": "", "HTTPS_PROXY": "x"}, {}),
            ({"HTTP_PROXY": PROXY, "ALL_PROXY": "all"}, {"http": PROXY, "all": "all"}),
        ],
    )
    def test_variables(self, environment: dict[str, str], proxies: dict[str, str]) -> None:
        assert find_proxies(f"https://{HOST}/v2/", environment) == proxies

    @pytest.mark.parametrize(
        ("url", "exempt", "direct"),
        [
            (f"https://{HOST}/v2/", "*", True),
            (f"https://{HOST}/v2/", "Registry.Example", True),
            (f"https://{HOST}/v2/", ".example, other", True),
            (f"https://{HOST}/v2/", "example", True),
            (f"https://{HOST}/v2/", "try.example", False),
            (f"https://{HOST}/v2/", f"{HOST}:5000", False),
            (f"https://{HOST}:5000/v2/", f"{HOST}:5000", True),
            (f"https://{HOST}:5000/v2/", HOST, True),
            (f"https://{HOST}/v2/", "10.0.0.0/8,,", False),
            ("http://10.1.2.3:5000/v2/", "10.0.0.0/8", True),
            ("http://11.1.2.3/v2/", "10.0.0.0/8", False),
            ("http://10.1.2.3/v2/", "10.1.2.3", True),
            ("http://10.1.2.3/v2/", "10.0.0.0/no", False),
        ],
    )
    @pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
    def test_exempt_hosts(self, url: str, exempt: str, direct: bool, name: str) -> None:
        environment = {"ALL_PROXY": PROXY, name: exempt}
        assert bool(find_proxies(url, environment)) is not direct

    def test_certificates(self) -> None:
        assert find_certificates({"CURL_CA_BUNDLE": "a", "REQUESTS_CA_BUNDLE": "b"}) == "b"
        assert find_certificates({"CURL_CA_BUNDLE": "a"}) == "a"
        assert find_certificates({"REQUESTS_CA_BUNDLE": ""}) is None


class TestLogins:
    """Of the Docker client."""

    def test_one_that_stands_in_the_configuration(self, tmp_path: Path) -> None:
        home = {"HOME": str(tmp_path)}
        assert find_login((HOST,), home) is None
        write_config(tmp_path / ".docker", auths={"localhost:1": encode("me", "a:b"), HOST: {}})
        assert find_login(("127.0.0.1:1", "localhost:1"), home) == ("me", "a:b")
        assert find_login((HOST,), home) is None
        folder = write_config(tmp_path / "other", auths={HOST: encode("you", "c")})
        assert find_login((HOST,), {**home, **folder}) == ("you", "c")

    @pytest.mark.parametrize("text", ["{", "[]", '{"auths": {"registry.example": {"auth": "é"}}}'])
    def test_a_configuration_that_cannot_be_read(self, tmp_path: Path, text: str) -> None:
        environment = write_config(tmp_path)
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(StepFailed, match="cannot be read") as caught:
            find_login((HOST,), environment)
        assert "docker login" in caught.value.hint

    @pytest.mark.process
    @pytest.mark.parametrize(
        "config", [{"credHelpers": {HOST: "toy"}}, {"credsStore": "toy"}], ids=["host", "all"]
    )
    def test_a_helper_sees_the_environment_given_and_nothing_else(
        self, tmp_path: Path, config: dict[str, object], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MY_TOKEN", "of the process")
        report = tmp_path / "report"
        install(
            tmp_path,
            "docker-credential-toy",
            f"import json, os, sys; open({str(report)!r}, 'w').write(json.dumps(dict(os.environ))); "
            "print(json.dumps({'Username': sys.stdin.read(), 'Secret': 'hush'}))",
        )
        environment = {**write_config(tmp_path / "docker", **config), "PATH": str(tmp_path)}
        assert find_login((HOST,), environment) == (HOST, "hush")
        assert set(json.loads(report.read_text())) - {"LC_CTYPE"} == {"PATH", "DOCKER_CONFIG"}

    @pytest.mark.process
    @pytest.mark.parametrize("code", ["raise SystemExit('none')", "print('words')"])
    def test_a_helper_without_a_login(self, tmp_path: Path, code: str) -> None:
        environment = {**write_config(tmp_path, credsStore="toy"), "PATH": str(tmp_path)}
        assert find_login((HOST,), environment) is None
        install(tmp_path, "docker-credential-toy", code)
        assert find_login((HOST,), environment) is None

    @pytest.mark.process
    @pytest.mark.parametrize("code", ["raise SystemExit('none')", "print('words')"])
    def test_what_has_a_helper_is_asked_of_it_alone(self, tmp_path: Path, code: str) -> None:
        environment = {
            **write_config(
                tmp_path,
                credsStore="other",
                credHelpers={HOST: "toy", "plain.example": ""},
                auths={HOST: encode("me", "old"), "plain.example": encode("you", "new")},
            ),
            "PATH": str(tmp_path),
        }
        install(tmp_path, "docker-credential-toy", code)
        answer = json.dumps({"Username": "another", "Secret": "hush"})
        install(tmp_path, "docker-credential-other", f"print({answer!r})")
        assert find_login((HOST,), environment) is None
        assert find_login((HOST, "else.example"), environment) == ("another", "hush")
        assert find_login(("plain.example",), environment) == ("you", "new")


class TestRegistry:
    """The environment of this process has no say."""

    def test_proxies_of_the_process_are_not_used(
        self, registry: Registry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("shipway.effects.registry._ATTEMPTS", 0)
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv("no_proxy", "")
        assert resolve_index(registry.name, "none", {}) is None
        proxy = f"http://{registry.name.partition('/')[0]}"
        assert resolve_index("127.0.0.1:9/acme/toy", "none", {"HTTP_PROXY": proxy}) is None
        assert registry.asked[-1] == "http://127.0.0.1:9/v2/acme/toy/manifests/none"

    def test_a_login_is_used(self, registry: Registry, tmp_path: Path) -> None:
        host = registry.name.partition("/")[0]
        realm = f"http://{host}/token"
        challenge = {"Www-Authenticate": f'Bearer realm="{realm}",service="toy"'}
        registry.troubles = [(401, challenge)]
        registry.blobs["token"] = b'{"token": "hush"}'
        environment = write_config(tmp_path, auths={host: encode("me", "secret")})
        assert resolve_index(registry.name, "none", environment) is None
        assert [path.partition("?")[0] for path in registry.asked][1] == "/token"
        assert registry.headers[1]["Authorization"] == f"Basic {encode('me', 'secret')['auth']}"
        assert registry.headers[2]["Authorization"] == "Bearer hush"

    def test_certificates_of_the_process_are_not_used(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("shipway.effects.registry._LOOPBACK", ())
        monkeypatch.setattr("shipway.effects.registry._ATTEMPTS", 0)
        name = "127.0.0.1:9/acme/toy"
        with pytest.raises(StepFailed, match="could not ask 127.0.0.1:9 .*: OSError"):
            resolve_index(name, "v1", {"REQUESTS_CA_BUNDLE": "/nowhere.pem"})
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
        with pytest.raises(StepFailed, match="could not ask 127.0.0.1:9 .*: ConnectionError"):
            resolve_index(name, "v1", {})


def test_a_process_that_reads_layers_keeps_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(os.environ)
    monkeypatch.setattr(os, "environ", {**before, "MY_TOKEN": "x"})
    replace_environment({"HOME": "/home"})
    assert os.environ == {"HOME": "/home"}
