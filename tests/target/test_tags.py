"""Tags: valid by the OCI grammar, nobody's but their own."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipway.errors import ContextError, SettingsError
from shipway.model.version import Version, parse_version
from shipway.target.context import Context
from shipway.target.tags import (
    find_holders,
    find_previous,
    image_name,
    plan_branch_tag,
    plan_moving,
    plan_release_tags,
    plan_tags,
    require_own_tag,
)

FIRST = Version(1, 2, 3)
GRAMMAR = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
CONTEXT = Context(
    event="push",
    branch="main",
    commit="a1b2c3d4e5" + "0" * 30,
    repository="Acme/Toy",
    epoch=1_700_000_000,
)
AWKWARD = [
    "latest",
    "LATEST",
    "edge",
    "v1.2.3",
    "1.2.3",
    "v1",
    "1.2",
    "v1.2.3-rc.1",
    "sha-0000000",
    "pr-123",
    "PR-1",
    "#123-fix",
    "🚀launch",
    "ветка",
    "---",
    ".hidden",
    "-x",
    "--output=x",
    "$(id)",
    "feature/one",
    "feature-one",
    "feature one",
    "x" * 300,
    "x" * 129,
    "x" * 128,
    "sha256-abc.sig",
    "topic-0123abcd",
    "a/../b",
    "",
    "0",
    "_",
]


def read(text: str) -> Version:
    """Give the version that ``text`` is."""
    version = parse_version(text)
    assert version is not None, text
    return version


def test_a_plain_branch_keeps_its_name() -> None:
    assert plan_tags(CONTEXT).names == ("main", "sha-a1b2c3d")
    assert plan_branch_tag("Feature_1.x") == "Feature_1.x"
    assert plan_tags(CONTEXT).channel == "branch"


def test_a_pull_request() -> None:
    tags = plan_tags(Context(event="pull_request", pull_request=123, commit="a1b2c3d" * 5))
    assert (tags.names, tags.channel) == (("pr-123", "sha-a1b2c3d"), "pull-request")


def test_a_release_and_its_order() -> None:
    tags = plan_release_tags(CONTEXT.commit, FIRST, ("latest",))
    assert (tags.names, tags.channel, tags.staging) == (
        ("v1.2.3", "latest", "sha-a1b2c3d"),
        "release",
        "sha-a1b2c3d",
    )


def test_a_pre_release_and_build_metadata() -> None:
    tags = plan_release_tags(CONTEXT.commit, read("1.3.0-rc.1"))
    assert (tags.names, tags.channel) == (("v1.3.0-rc.1", "sha-a1b2c3d"), "prerelease")
    assert plan_release_tags(CONTEXT.commit, read("1.3.0+linux")).names[0] == "v1.3.0_linux"
    tags = plan_release_tags(CONTEXT.commit, read("1.3.0-rc.1+linux.5"), plus="-")
    assert tags.names[0] == "v1.3.0-rc.1-linux.5"


@pytest.mark.parametrize(
    ("version", "others", "moving"),
    [
        ("1.2.3", [], ("latest", "v1.2", "v1")),
        ("1.2.3", ["1.2.3", "1.2.2", "0.9.0"], ("latest", "v1.2", "v1")),
        ("1.2.4", ["1.3.0", "1.2.3"], ("v1.2",)),  # a back-port on a maintenance branch
        ("1.2.3", ["1.2.10"], ()),  # numbers, not letters
        ("1.4.0", ["2.0.0", "1.3.0"], ("v1.4", "v1")),
        ("1.2.3", ["1.3.0-rc.1"], ("latest", "v1.2", "v1")),  # a pre-release holds nothing back
        ("1.3.0-rc.1", ["1.2.3"], ()),  # and takes nothing
        ("0.4.0", ["0.3.0"], ("latest", "v0.4")),
        ("1.2.3+build.5", ["1.2.3"], ("latest", "v1.2", "v1")),  # built again
        ("1.2.3", ["1.2.3+build.5"], ()),
        ("1.2.3+build.10", ["1.2.3+build.9"], ("latest", "v1.2", "v1")),
    ],
)
def test_moving_tags_follow_the_highest_stable_version_of_their_line(
    version: str, others: list[str], moving: tuple[str, ...]
) -> None:
    release, versions = read(version), [read(other) for other in others]
    assert plan_moving(release, versions, rolling=True) == moving
    assert plan_moving(release, versions, rolling=False) == tuple(
        tag for tag in moving if tag == "latest"
    )


def test_which_of_two_versions_is_higher() -> None:
    assert read("1.10.0").is_above(read("1.9.0"))
    assert not read("1.9.0").is_above(read("1.10.0"))
    assert not read("1.9.0").is_above(read("1.9.0"))
    assert find_previous(read("3.0.0"), [read("2.0.0-rc.1"), read("1.0.0")]) == read("1.0.0")
    assert parse_version("") is None and parse_version("main") is None


@pytest.mark.parametrize(
    ("version", "other", "plus"),
    [
        ("1.2.3+5", "1.2.3-5", "-"),
        ("1.2.3-rc+1", "1.2.3-rc.1", "."),
        ("1.2.3+a-b", "1.2.3-a-b", "-"),
    ],
)
def test_two_versions_do_not_share_an_image_tag(version: str, other: str, plus: str) -> None:
    for first, second in ((version, other), (other, version)):
        with pytest.raises(SettingsError, match="would have one image tag, v1.2.3"):
            require_own_tag(read(first), [read(first), read(second)], plus)
    require_own_tag(read(version), [read(version), read(other), read("1.2.3")], "_")


def test_an_image_tag_that_is_too_long_is_refused() -> None:
    version = read("1.2.3+" + "a" * 121)
    require_own_tag(version, [], "_")
    assert GRAMMAR.fullmatch(version.image_tag())
    with pytest.raises(SettingsError, match="longer than 128 characters"):
        require_own_tag(read("1.2.3+" + "a" * 122), [], "_")


def test_edge_is_the_head_of_one_branch() -> None:
    assert plan_tags(CONTEXT, edge="main").names == ("main", "edge", "sha-a1b2c3d")
    assert plan_tags(CONTEXT, edge="other").names == ("main", "sha-a1b2c3d")
    assert "edge" not in plan_release_tags(CONTEXT.commit, FIRST).names


def test_the_branch_of_a_merge_queue_is_gone_in_a_minute_and_gets_no_tag() -> None:
    assert plan_tags(replace(CONTEXT, branch="gh-readonly-queue/main/pr-1-abc")).names == (
        "sha-a1b2c3d",
    )


def test_a_commit_without_a_branch_has_its_own_tag_only() -> None:
    assert plan_tags(Context(event="local", commit="a1b2c3d" * 5)).names == ("sha-a1b2c3d",)


@pytest.mark.parametrize("branch", AWKWARD)
def test_awkward_branches_get_valid_tags_that_are_nobody_elses(branch: str) -> None:
    tag = plan_branch_tag(branch)
    assert GRAMMAR.fullmatch(tag)
    assert not re.fullmatch(
        r"latest|edge|v?\d+(\.\d+)*(-.*)?|sha-.*|pr-\d+|sha256-.*", tag, re.IGNORECASE
    ), tag


def test_no_two_awkward_branches_share_a_tag() -> None:
    assert len({plan_branch_tag(branch) for branch in AWKWARD}) == len(AWKWARD)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200), st.text(max_size=200))
def test_any_two_names_get_valid_and_different_tags(name: str, other: str) -> None:
    assert GRAMMAR.fullmatch(plan_branch_tag(name))
    assert (plan_branch_tag(name) == plan_branch_tag(other)) == (name == other)


def test_no_branch_can_take_the_tag_that_another_one_was_given() -> None:
    given_tag = plan_branch_tag("feature/one")
    assert plan_branch_tag(given_tag) != given_tag


def test_the_image_is_named_after_the_repository_in_lower_case() -> None:
    assert image_name("", CONTEXT) == "ghcr.io/acme/toy"
    assert image_name("registry.example/x", CONTEXT) == "registry.example/x"
    with pytest.raises(ContextError, match="no name for the image"):
        image_name("", Context(event="local"))


@pytest.mark.parametrize(
    ("version", "previous"),
    [
        ("1.2.3", "1.2.2"),
        ("1.3.0-rc.1", "1.2.3"),
        ("2.0.0", "1.2.3"),
        ("1.0.0", None),
        ("1.2.3-rc.1", "1.2.2"),
        ("1.2.3+build.5", "1.2.3"),
    ],
)
def test_the_release_before(version: str, previous: str | None) -> None:
    texts = ("1.2.3", "1.2.2", "1.2.3-rc.0", "1.10.0-a", "1.0.0")
    expected = read(previous) if previous else None
    assert find_previous(read(version), map(read, texts)) == expected


@given(st.lists(st.builds(Version, *[st.integers(0, 3)] * 3), unique=True), st.booleans())
def test_every_moving_tag_belongs_to_one_version(versions: list[Version], rolling: bool) -> None:
    holders = find_holders(versions, rolling=rolling)
    for version in versions:
        others = [other for other in versions if other != version]
        tags = plan_moving(version, others, rolling=rolling)
        assert tags == tuple(tag for tag in tags if holders[tag] == version)
    if versions:
        assert holders["latest"] == max(versions, key=lambda version: version.precedence)
