"""A platform has one name, whoever wrote it."""

from __future__ import annotations

import pytest

from shipway.settings.platforms import (
    match_platforms,
    normalize_platform,
    parse_platform,
    parse_platforms,
    platform_word,
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("linux/amd64", "linux/amd64"),
        ("linux/amd64/v1", "linux/amd64"),
        ("linux/amd64/v3", "linux/amd64/v3"),
        ("linux/x86_64", "linux/amd64"),
        ("Linux/X86-64", "linux/amd64"),
        ("linux/i386", "linux/386"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/Aarch64/v8", "linux/arm64"),
        ("linux/arm64/8", "linux/arm64"),
        ("linux/arm64/v9", "linux/arm64/v9"),
        ("linux/arm64/v8.1", "linux/arm64/v8.1"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/7", "linux/arm/v7"),
        ("linux/arm/6", "linux/arm/v6"),
        ("linux/arm/v5", "linux/arm/v5"),
        ("linux/armhf", "linux/arm/v7"),
        ("linux/armel", "linux/arm/v6"),
        ("linux/armel/v7", "linux/arm/v6"),
        ("linux/ppc64le/power9", "linux/ppc64le/power9"),
        ("linux/riscv64", "linux/riscv64"),
        ("macOS/arm64", "darwin/arm64"),
        ("wasi/wasm", "wasi/wasm"),
        ("windows()/amd64", "windows/amd64"),
        ("windows(10.0.17763)/amd64", "windows(10.0.17763)/amd64"),
        ("Windows(10.0.17763+win32k)/x86_64", "windows(10.0.17763+win32k)/amd64"),
        ("linux(+unsorted+erofs+erofs)/arm/v6", "linux(+erofs+unsorted)/arm/v6"),
    ],
)
def test_the_name_is_that_of_containerd(text: str, name: str) -> None:
    assert parse_platform(text) == normalize_platform(text) == name
    assert parse_platform(name) == name


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("amd64", "linux/amd64"),
        ("aarch64", "linux/arm64"),
        ("linux", "linux/amd64"),
        ("Darwin", "darwin/amd64"),
        ("linux/x64", "linux/amd64"),
        ("linux/armv7l", "linux/arm/v7"),
        ("linux/arm64v8", "linux/arm64"),
        ("linux/amd46", "linux/amd64"),
        ("linux/amd64/2", "linux/amd64/v2"),
        ("linux-arm64", "linux/arm64"),
        ("arm64/linux", "linux/arm64"),
        (" linux/arm64", "linux/arm64"),
        ("linux\\arm64", "linux/arm64"),
        ("linux/arm64/", "linux/arm64"),
        ("/linux/arm64", "linux/arm64"),
        ("linux /arm", "linux/arm/v7"),
        ("linux/arm/v9", "linux/arm/v7"),
        ("windows/x64", "windows/amd64"),
    ],
)
def test_a_refusal_names_the_platform_that_is_meant(text: str, meant: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_platform(text)
    assert repr(meant) in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "*", "local", "unknown", "unknown/unknown", "linux/unknown", "linux/*", "linux/amd64/v9x"],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not like 'linux/amd64'"):
        parse_platform(text)


def test_one_platform_under_two_names_is_one() -> None:
    names = parse_platforms(["linux/arm64/v8", "linux/amd64", "linux/aarch64"])
    assert names == ("linux/arm64", "linux/amd64")


def test_what_a_program_wrote_is_never_refused() -> None:
    assert normalize_platform("Unknown/Unknown") == "unknown/unknown"
    assert normalize_platform("plan10/amd64/v1") == "plan10/amd64"


def test_platforms_are_matched_one_by_one() -> None:
    there = ["windows(10.0.20348.5)/amd64", "windows(10.0.17763.1)/amd64", "linux/amd64"]
    wanted = ["linux/amd64", "windows/amd64", "windows(10.0.17763)/amd64"]
    assert match_platforms(wanted, there) == ([], [])
    assert match_platforms(["linux/arm64"], ["linux/amd64", "linux/amd64"]) == (
        ["linux/arm64"],
        ["linux/amd64", "linux/amd64"],
    )


def test_a_platform_as_a_word_has_only_letters_digits_and_hyphens() -> None:
    assert platform_word("linux/arm/v7") == "linux-arm-v7"
    assert platform_word("windows(10.0.17763)/amd64") == "windows-10-0-17763-amd64"
