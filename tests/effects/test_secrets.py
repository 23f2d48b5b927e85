"""What is a secret, and where it does not show."""

from __future__ import annotations

import pytest

from shipway.effects.processes import Processes
from shipway.effects.secrets import redact, split


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

    def test_the_longest_value_goes_first_and_short_ones_stay(self) -> None:
        assert redact("abcdefgh abcdef a", ["abcdef", "abcdefgh", "a"]) == "*** *** a"

    def test_a_secret_of_several_lines_is_masked_line_by_line(self) -> None:
        key = "-----BEGIN KEY-----\nhunter2hunter2\n    }\n-----END KEY-----\n"
        assert redact(f"<{key}>", [key]) == "<***>"
        assert redact("read hunter2hunter2, then }    }", [key]) == "read ***, then }    }"
