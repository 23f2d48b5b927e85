"""Policy files."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipway.errors import SettingsError
from shipway.run import verify as consumer
from shipway.settings.policy_file import Limits, parse_limits


class TestLimits:
    """Policy files."""

    def test_all_of_it(self) -> None:
        text = (
            'licenses = ["MIT"]\nbuilders = ["b/"]\nplatforms = ["linux/amd64"]\nmaximum-age = 90\n'
        )
        assert parse_limits(text, "p.toml") == Limits(
            licenses=("MIT",), builders=("b/",), platforms=("linux/amd64",), maximum_age=90
        )
        assert parse_limits("", "p.toml") == Limits()

    def test_platforms_have_one_name(self) -> None:
        limits = parse_limits('platforms = ["linux/arm64/v8", "linux/aarch64", "linux/arm"]', "p")
        assert limits.platforms == ("linux/arm64", "linux/arm/v7")

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("x", "not valid TOML"),
            ("licences = []", "did you mean 'licenses'?"),
            ("maximum-age = -1", "policy.maximum-age: Expected `int` >= 1, not -1"),
            ("maximum-age = 0", "policy.maximum-age: Expected `int` >= 1, not 0"),
            ('licenses = "MIT"\nplatforms = 1', "2 problems"),
            ('platforms = ["arm64"]', "policy.platforms: 'arm64' is not like 'linux/amd64'"),
            ('platforms = ["linux/x64", "linux/i686"]', "did you mean 'linux/386'?"),
        ],
    )
    def test_problems(self, text: str, said: str) -> None:
        with pytest.raises(SettingsError, match="p.toml") as caught:
            parse_limits(text, "p.toml")
        assert said in caught.value.message

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        assert consumer.read_limits("") == Limits()
        (tmp_path / "p.toml").write_text("maximum-age = 3")
        assert consumer.read_limits(str(tmp_path / "p.toml")).maximum_age == 3
        with pytest.raises(SettingsError, match="cannot be read"):
            consumer.read_limits(str(tmp_path / "none.toml"))
