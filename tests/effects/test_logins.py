"""The logins of the Docker client, as it reads them itself."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest

from shipway.effects import logins
from shipway.effects.logins import HUB_KEY, Login, find_login
from shipway.errors import StepFailed
from tests.support.stand_ins import install

HOST = "registry.example"
ME = {"auth": base64.b64encode(b"me:a:b").decode()}
MINE = Login("me", "a:b")


def write_config(folder: Path, **content: object) -> dict[str, str]:
    """Write a configuration of the Docker client; gives the environment that names it."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(content))
    return {"DOCKER_CONFIG": str(folder), "PATH": str(folder)}


class TestListed:
    """Logins that stand in the configuration itself."""

    @pytest.mark.parametrize(
        ("entry", "login"),
        [
            (ME, MINE),
            ({"username": "me", "password": "a:b"}, MINE),
            ({**ME, "username": "other", "password": "x"}, MINE),
            ({"auth": base64.b64encode(b"me:a:b\0").decode()}, MINE),
            ({"identitytoken": "t"}, Login(identity_token="t")),
            ({**ME, "identitytoken": "t"}, Login("me", "a:b", identity_token="t")),
            ({"registrytoken": "t"}, Login(registry_token="t")),
            ({"email": "me@registry.example"}, None),
            ({}, None),
            (None, None),
        ],
    )
    def test_forms(self, tmp_path: Path, entry: object, login: Login | None) -> None:
        assert find_login(HOST, write_config(tmp_path, auths={HOST: entry})) == login

    @pytest.mark.parametrize(
        ("key", "host", "is_found"),
        [
            (HOST, HOST, True),
            (f"https://{HOST}", HOST, True),
            (f"http://{HOST}/v2/", HOST, True),
            (f"{HOST}/acme", HOST, True),
            (f"{HOST}:5000", HOST, False),
            (f"https://{HOST}:5000/v1/", f"{HOST}:5000", True),
            (f"ftp://{HOST}", HOST, False),
            (f"x.{HOST}", HOST, False),
            ("localhost:1", "127.0.0.1:1", False),
            (HUB_KEY, HUB_KEY, True),
            ("docker.io", HUB_KEY, False),
        ],
    )
    def test_keys(self, tmp_path: Path, key: str, host: str, is_found: bool) -> None:
        login = find_login(host, write_config(tmp_path, auths={key: ME}))
        assert login == (MINE if is_found else None)

    def test_the_exact_key_comes_first(self, tmp_path: Path) -> None:
        other = {"username": "other", "password": "x"}
        auths = {f"https://{HOST}": other, HOST: ME}
        assert find_login(HOST, write_config(tmp_path, auths=auths)) == MINE

    @pytest.mark.parametrize("text", ["null", "", " \n", "{}", '{"auths": null}', '{"x": [1]}'])
    def test_a_configuration_without_logins(self, tmp_path: Path, text: str) -> None:
        environment = write_config(tmp_path)
        (tmp_path / "config.json").write_text(text)
        assert find_login(HOST, environment) is None

    @pytest.mark.parametrize(
        "text",
        ["{", "[]", '{"auths": []}', '{"auths": {"registry.example": {"auth": "é"}}}', "[" * 99999],
        ids=["cut", "list", "type", "auth", "deep"],
    )
    def test_a_configuration_that_cannot_be_read(self, tmp_path: Path, text: str) -> None:
        environment = write_config(tmp_path)
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(StepFailed, match="cannot be read") as caught:
            find_login(HOST, environment)
        assert "docker login" in caught.value.hint

    @pytest.mark.parametrize("plain", [b"me", b":x", b"\xff:x"])
    def test_a_login_that_is_none(self, tmp_path: Path, plain: bytes) -> None:
        wrong = {"auth": base64.b64encode(plain).decode()}
        environment = write_config(tmp_path, auths={HOST: wrong, "other.example": ME})
        assert find_login("other.example", environment) == MINE
        with pytest.raises(StepFailed, match=f"the login for {HOST} .* cannot be read"):
            find_login(HOST, environment)

    def test_a_folder_in_place_of_the_file(self, tmp_path: Path) -> None:
        (tmp_path / "config.json").mkdir()
        with pytest.raises(StepFailed, match="cannot be read: Is a directory"):
            find_login(HOST, {"DOCKER_CONFIG": str(tmp_path)})

    def test_places(self, tmp_path: Path) -> None:
        home = {"HOME": str(tmp_path)}
        assert find_login(HOST, home) is None
        write_config(tmp_path / ".docker", auths={HOST: ME})
        assert find_login(HOST, home) == MINE
        folder = write_config(tmp_path / "other", auths={})
        assert find_login(HOST, {**home, **folder}) is None

    def test_the_variable_comes_before_the_file(self, tmp_path: Path) -> None:
        environment = write_config(tmp_path, auths={HOST: {"username": "x", "password": "y"}})
        environment["DOCKER_AUTH_CONFIG"] = json.dumps({"auths": {HOST: ME}})
        assert find_login(HOST, environment) == MINE
        environment["DOCKER_AUTH_CONFIG"] = "{}"
        assert find_login(HOST, environment) == Login("x", "y")
        environment["DOCKER_AUTH_CONFIG"] = "s3cret"
        with pytest.raises(StepFailed, match="the variable DOCKER_AUTH_CONFIG") as caught:
            find_login(HOST, environment)
        assert "s3cret" not in str(caught.value)


@pytest.mark.process
class TestHelpers:
    """Programs that keep logins."""

    @pytest.mark.parametrize(
        "config", [{"credHelpers": {HOST: "toy"}}, {"credsStore": "toy"}], ids=["host", "all"]
    )
    def test_it_sees_the_environment_given_and_nothing_else(
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
        assert find_login(HOST, environment) == Login(HOST, "hush")
        assert set(json.loads(report.read_text())) - {"LC_CTYPE"} == {"PATH", "DOCKER_CONFIG"}

    def test_an_identity_token(self, tmp_path: Path) -> None:
        answer = json.dumps({"ServerURL": HOST, "Username": "<token>", "Secret": "hush"})
        install(tmp_path, "docker-credential-toy", f"print({answer!r})")
        login = find_login(HOST, write_config(tmp_path, credsStore="toy"))
        assert login == Login(identity_token="hush")

    def test_it_has_none(self, tmp_path: Path) -> None:
        words = "credentials not found in native keychain"
        install(tmp_path, "docker-credential-toy", f"print({words!r}); raise SystemExit(1)")
        assert find_login(HOST, write_config(tmp_path, credsStore="toy")) is None

    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            (None, "it is not on PATH"),
            ("raise SystemExit('the keychain is locked')", "the keychain is locked"),
            ("print('s3cret')", "its answer is no login"),
            ("print('[]')", "its answer is no login"),
            ("import time; time.sleep(9)", "no answer in 1 s"),
        ],
    )
    def test_it_is_of_no_use(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str | None, reason: str
    ) -> None:
        monkeypatch.setattr(logins, "_PATIENCE", 1)
        if code is not None:
            install(tmp_path, "docker-credential-toy", code)
        with pytest.raises(StepFailed, match=f"no login for {HOST}: .*{reason}") as caught:
            find_login(HOST, write_config(tmp_path, credsStore="toy"))
        assert "docker-credential-toy" in caught.value.hint
        assert "s3cret" not in str(caught.value)

    def test_what_has_a_helper_is_asked_of_it_alone(self, tmp_path: Path) -> None:
        words = "credentials not found in native keychain"
        install(tmp_path, "docker-credential-toy", f"print({words!r}); raise SystemExit(1)")
        environment = write_config(
            tmp_path,
            credsStore="other",
            credHelpers={HOST: "toy", "plain.example": ""},
            auths={HOST: ME, "plain.example": ME},
        )
        answer = json.dumps({"Username": "another", "Secret": "hush"})
        install(tmp_path, "docker-credential-other", f"print({answer!r})")
        assert find_login(HOST, environment) is None
        assert find_login("else.example", environment) == Login("another", "hush")
        assert find_login("plain.example", environment) == MINE


def test_a_user_without_a_home_has_no_logins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "find_home", lambda _environment: None)
    assert find_login(HOST, {"PATH": os.defpath}) is None
