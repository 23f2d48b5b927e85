"""What looks like a secret by its name or its value, and what only resembles one."""

from __future__ import annotations

import pytest

from shipway.settings.secret_marks import (
    describe_place,
    find_passwords,
    find_secrets,
    is_secret,
    is_secret_name,
    is_secret_value,
    mask_secrets,
)

LOGIN = "https://ann:s3cret@pypi.example/simple"


@pytest.mark.parametrize(
    "name",
    [
        "GITHUB_TOKEN",
        "ghtoken",
        "TOKENIZER_TOKEN",
        "PGPASSWORD",
        "SSH_PASSWD",
        "GPG_PASSPHRASE",
        "PASSWORD_FILE",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_CREDENTIALS",
        "PRIVATE_INDEX",
        "PRIVATEKEY",
        "OPENAI_API_KEY",
        "apiKey",
        "NPM_AUTH",
        "npm_config__auth",
        "GIT_CONFIG_PARAMETERS",
    ],
)
def test_a_secret(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "AUTHOR",
        "SSH_AUTH_SOCK",
        "GPG_KEY",
        "CACHE_KEY",
        "MONKEY",
        "KEYBOARD",
        "TOKENIZER_PATH",
        "TOKENIZERS_PARALLELISM",
        "TOKENISATION",
    ],
)
def test_no_secret(name: str) -> None:
    assert not is_secret_name(name)


TOKENS = [
    "ghp_" + "a1B2" * 9,
    "gho_" + "a1B2" * 9,
    "ghs_" + "a1B2" * 9,
    "ghr_" + "a1B2" * 9,
    "github_pat_" + "a1B2" * 20,
    "glpat-" + "x1-_" * 5,
    "glpat-" + "x1" * 13 + ".01.120abcdef",
    "pypi-AgEIcHlwaS5vcmcCJD" + "x1" * 40,
    "npm_" + "a1B2" * 9,
    "AKIA" + "IOSFODNN7ABCDEFG",
    "ASIA" + "1234567890ABCDEF",
    "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYZXCVBNKEYS",
    "xoxb-" + "123456789012-abcdef",
    "xoxp-" + "1-2-3-abcdef0123",
    "dckr_pat_" + "a1B2" * 7,
    "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmN",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----",
    "sk_live_" + "a1B2" * 6,
    "rk_live_" + "a1B2" * 6,
    "AIza" + "a1B2-" * 7,
    "sntrys_eyJ" + "a1B2" * 10,
    "sntryu_" + "a1b2" * 16,
    "hf_" + "aB" * 17,
    "hvs." + "a1B2" * 10,
    "Authorization: Basic " + "YW5uOnMzY3JldA==",
]
ADDRESSES = [
    LOGIN,
    "git+https://ann:s3cret@git.example/a/b.git",
    "redis://:hunter2@cache:6379/0",
    "postgresql+psycopg://ann:p%40ss@db/x",
    "http://ann:s3@cret@proxy:3128",
    "https://ghp_x@github.com",
    "https://" + "a1b2c3" * 7 + "@dev.azure.com/acme",
    "https://registry.example/x?access_token=abcdef12",
]


@pytest.mark.parametrize("value", [*TOKENS, *ADDRESSES])
def test_a_secret_is_told_by_its_value(value: str) -> None:
    assert is_secret_value("INDEX", value) and is_secret("INDEX", value)
    assert not is_secret_value("INDEX", "")


@pytest.mark.parametrize("value", [*TOKENS, *ADDRESSES])
def test_a_masked_text_holds_no_secret(value: str) -> None:
    text = mask_secrets(f"before '{value}' after")
    if len(value) != 40 or "_" in value:
        assert "***" in text
    assert text.startswith("before ") and text.endswith(" after")
    assert mask_secrets(text) == text


def test_of_an_address_its_host_and_path_stay() -> None:
    assert mask_secrets(f"from {LOGIN}") == "from https://***@pypi.example/simple"


@pytest.mark.parametrize(
    "value",
    [
        "git@github.com:acme/toy.git",
        "ssh://git@github.com/acme/toy.git",
        "git+ssh://git@github.com/acme/toy.git@v1.2.3",
        "https://ann@bitbucket.org/acme/toy.git",
        "ann@example.org",
        "mailto:ann@example.org",
        "Ann Dev <ann@example.org>",
        "http://proxy:3128",
        "http://[::1]:8080/path@v1",
        "http://proxy:8080/path@v1",
        "scheme://host/path@v1",
        "https://github.com/acme/toy/.github/workflows/release.yml@refs/heads/main",
        "docker-image://alpine:3.20@sha256:" + "ab" * 32,
        "alpine:3.20@sha256:" + "ab" * 32,
        "sha256:" + "ab" * 32,
        "a3f5" * 10,
        "A3F5" * 10,
        "1.2.3+build.5",
        "pypi-attestations",
        "npm_config_registry",
        "https://$USER:$PASSWORD@pypi.example",
        "https://ann:${PASSWORD}@pypi.example",
        "https://ann:***@pypi.example",
        "https://ann:xxxxx@pypi.example",
        "https://***@pypi.example",
        "https://" + "ab12" * 8 + "@o1.ingest.sentry.io/2",
        "Authorization: Bearer ${GITHUB_TOKEN}",
        "-----BEGIN PUBLIC KEY-----",
        "/opt/Python3/Lib/site/Packages/foo/barba",
    ],
)
def test_an_ordinary_value_is_no_secret(value: str) -> None:
    assert not is_secret_value("INDEX", value)
    assert mask_secrets(value) == value


def test_a_proxy_needs_no_scheme() -> None:
    for name in ("HTTPS_PROXY", "http_proxy"):
        assert is_secret_value(name, "ann:s3cret@proxy:3128")
        assert not is_secret_value(name, "proxy:3128")
    assert not is_secret_value("IMAGE", "python:3.13@mirror")


def test_passwords_are_given_alone() -> None:
    text = f"{LOGIN} ssh://git@github.com/x redis://:hunter2@cache https://a:$B@c"
    assert list(find_passwords(text)) == ["s3cret", "hunter2"]


def test_the_places_of_secrets_are_named_without_their_values() -> None:
    document = {
        "config": {"Env": ["PATH=/bin", f"PIP_INDEX_URL={LOGIN}"], "Labels": {"x": TOKENS[0]}},
        "history": [{"created_by": "COPY . ."}, {"created_by": f"RUN |1 A={LOGIN} /bin/sh"}],
        "data": TOKENS[0],
        "number": 3,
    }
    places = [*find_secrets(document)]
    assert places == [
        ("config", "Env", "PIP_INDEX_URL"),
        ("config", "Labels", "x"),
        ("history", "2", "created_by"),
    ]
    assert [describe_place(place) for place in places] == [
        "config Env PIP_INDEX_URL",
        "config Labels x",
        "history 2 created_by",
    ]


def test_a_deep_document_is_read_to_its_end() -> None:
    document: object = LOGIN
    for _ in range(5_000):
        document = [document]
    assert len(list(find_secrets(document))) == 1
