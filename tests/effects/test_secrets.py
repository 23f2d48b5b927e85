"""What is a secret, and where it does not show."""

from __future__ import annotations

import pytest

from shipway.effects.processes import Processes
from shipway.effects.secrets import redact, split
from shipway.errors import StepFailed
from shipway.model.actions import Command, Effect


def shell(script: str) -> Command:
    """Make a command of a shell's script."""
    return Command(name="x", why="try", argv=("sh", "-c", script), effect=Effect.READ)


def print_variable(name: str) -> Command:
    """Make a command that prints a variable."""
    return shell(f'echo "${name}"')


class TestSecrets:
    """What is a secret, and where it does not show."""

    @pytest.mark.parametrize(
        ("name", "secret"),
        [
            ("GITHUB_TOKEN", True),
            ("COSIGN_PASSWORD", True),
            ("AWS_SECRET_ACCESS_KEY", True),
            ("PATH", False),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", True),
            ("SSH_AUTH_SOCK", False),
            ("PRIVATE_INDEX", True),
            ("HOME", False),
        ],
    )
    def test_names(self, name: str, secret: bool) -> None:
        assert (name in split({name: "x"})[1]) is secret

    def test_the_address_of_a_private_index_is_redacted(self) -> None:
        run = Processes({"PRIVATE_INDEX": "https://me:hunter2@pypi.example/simple"})
        text = "looking in https://me:hunter2@pypi.example/simple"
        assert run.redact(text) == "looking in ***"

    def test_a_secret_that_nobody_named_is_redacted(self) -> None:
        token = "ghp_" + "a1B2" * 9
        assert (
            redact(f"push to https://x:{token}@github.com", [])
            == "push to https://x:***@github.com"
        )
        assert redact(f"with {token}", []) == "with ***"

    @pytest.mark.process
    def test_the_password_of_a_proxy_is_redacted_and_commands_have_it(self) -> None:
        run = Processes({"HTTPS_PROXY": "http://ann:hunt%40r2@proxy:3128", "PATH": "/bin:/usr/bin"})
        assert run.redact("login hunt%40r2 of ann, hunt@r2") == "login *** of ann, ***"
        assert run.redact("http://ann:hunt%40r2@proxy:3128") == "http://ann:***@proxy:3128"
        answer = run(print_variable("HTTPS_PROXY"))
        assert answer.out == "http://ann:hunt%40r2@proxy:3128\n"

    @pytest.mark.process
    def test_a_failure_shows_no_secret(self) -> None:
        run = Processes({"PATH": "/bin:/usr/bin"})
        for stream in (1, 2):
            script = f"echo https://ann:s3cret@pypi.example >&{stream}; exit 1"
            with pytest.raises(StepFailed) as caught:
                run(shell(script))
            assert "https://***@pypi.example" in caught.value.message

    def test_the_longest_value_goes_first_and_short_ones_stay(self) -> None:
        assert redact("abcdefgh abcdef a", ["abcdef", "abcdefgh", "a"]) == "*** *** a"

    def test_a_secret_of_several_lines_is_masked_line_by_line(self) -> None:
        key = "-----BEGIN KEY-----\nhunter2hunter2\n    }\n-----END KEY-----\n"
        assert redact(f"<{key}>", [key]) == "<***>"
        assert redact("read hunter2hunter2, then }    }", [key]) == "read ***, then }    }"
