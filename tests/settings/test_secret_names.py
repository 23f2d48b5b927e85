"""Names that look like secrets, and names that only resemble them."""

from __future__ import annotations

import pytest

from shipway.settings.secret_names import is_secret_name


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
