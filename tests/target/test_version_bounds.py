"""A next version that is below what a project, or its tags, already say."""

from __future__ import annotations

import pytest

from shipway.errors import Conflict, SettingsError
from shipway.model.release import Decision, GitTag
from shipway.model.version import parse_version, read_version, semantic_version
from shipway.target.version_bounds import (
    require_above_project,
    require_fitting_tags,
    require_free_version,
)


def tags_of(*names: str) -> tuple[GitTag, ...]:
    """Give tags of some commit."""
    return tuple(GitTag(name, "a" * 40, "") for name in names)


@pytest.mark.parametrize(
    ("tags", "tag_format", "setting"),
    [
        (("4.3.0",), "v{version}", 'tag-format = "{version}"'),
        (("v0.18.0", "v0.19.1", "1.0.0"), "v{version}", 'tag-format = "{version}"'),
        (("v4.3.0",), "{version}", 'tag-format = "v{version}"'),
        (("V4.3.0",), "v{version}", 'tag-format = "V{version}"'),
        (("release/1.2.3",), "v{version}", 'tag-format = "release/{version}"'),
        (("version-1.2.3",), "v{version}", 'tag-format = "version-{version}"'),
        (("my-app-1.2.3",), "v{version}", 'tag-format = "my-app-{version}"'),
        (("My_App/v1.2.3",), "v{version}", 'tag-format = "My_App/v{version}"'),
        (("my.app@1.2.3",), "v{version}", 'tag-format = "my.app@{version}"'),
        (("repo-v1.2.3-rc.1",), "v{version}", 'tag-format = "repo-v{version}"'),
        (("my-app/2.0.0", "my-app-v1.0.0"), "my-app-v{version}", 'tag-format = "my-app/{version}"'),
        # What is no semantic version gets a name that is one.
        (("my-app-1.2",), "v{version}", "git tag my-app-1.2.0 'my-app-1.2^{}'"),
        (("v1.2",), "v{version}", "git tag v1.2.0 'v1.2^{}'"),
        (("v41",), "v{version}", "git tag v41.0.0 'v41^{}'"),
        (("2025.11.12", "2026.08.17"), "{version}", "git tag 2026.8.17 '2026.08.17^{}'"),
        (("0.65.0", "1.0a37"), "{version}", "git tag 1.0.0-alpha.37 '1.0a37^{}'"),
        (("0.65.0", "0.65.0.post1"), "{version}", "git tag 0.65.1 '0.65.0.post1^{}'"),
        (("v1.0.0", "v2.0.0.dev3"), "v{version}", "git tag v2.0.0-dev.3 'v2.0.0.dev3^{}'"),
        (("v1.0.0", "v1.2.3.4"), "v{version}", "git tag v1.2.4 'v1.2.3.4^{}'"),
        (("release_1_2_3",), "v{version}", "git tag release_1.2.3 'release_1_2_3^{}'"),
    ],
)
def test_a_highest_version_of_another_format_is_refused_with_the_one_that_fits(
    tags: tuple[str, ...], tag_format: str, setting: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        require_fitting_tags(tags_of(*tags), tag_format, ("my.app", "repo"))
    assert f"among the tags of the remote is {tags[-1]}," in caught.value.message or len(tags) > 1
    assert setting in caught.value.hint and caught.value.status == 2


@pytest.mark.parametrize(
    ("tags", "tag_format"),
    [
        ((), "v{version}"),
        (("v1.2.3", "v1", "v1.2", "1.2.3", "latest"), "v{version}"),
        (("v2.0.0", "1.9.9", "1.0a37"), "v{version}"),
        (("v1.2.3", "v1.2.3+build.5"), "v{version}"),
        # Of other packages of the repository.
        (("v1.0.0", "other-v9.0.0", "other/9.0.0", "python3.11-9.0"), "v{version}"),
        (("app-v1.0.0", "v9.0.0", "9.0.0", "lib-v2.0.0"), "app-v{version}"),
        # Dates, counts and names are no versions.
        (("v1.0.0", "20250817", "2025-08-17", "2025-08", "build-1234", "nightly"), "v{version}"),
        (("v1.0.0", "release-2025-01-02", "sha-9f3c2b1"), "v{version}"),
        # Taken back, or told to be no release.
        (("v1.0.0", "2025.01.01", "withdrawn/2025.01.01"), "v{version}"),
    ],
)
def test_tags_that_fit_or_are_none_of_the_project_stand_in_nobodys_way(
    tags: tuple[str, ...], tag_format: str
) -> None:
    require_fitting_tags(tags_of(*tags), tag_format, ("my.app", "repo"))


def decided(current: str, upcoming: str) -> Decision:
    """Give a decision; an empty version is none."""
    return Decision(parse_version(current), parse_version(upcoming))


@pytest.mark.parametrize(
    ("current", "upcoming", "stated"),
    [
        ("", "0.1.0", "4.3.0"),
        ("", "0.1.0", "0.1.1.dev0"),
        ("1.6.0", "1.7.0", "2.19.0.dev0"),
        ("1.0.0", "1.1.0", "2025.08.17"),
        ("1.0.0", "1.0.1", "1.1.0-rc.1"),
        ("1.0.0", "1.0.1", "1.1.0-next.1"),
        ("", "0.1.0", "not a version"),
    ],
)
def test_a_next_version_below_the_projects_own_is_refused(
    current: str, upcoming: str, stated: str
) -> None:
    with pytest.raises(SettingsError, match=f"pyproject.toml says '?{stated}") as caught:
        require_above_project(decided(current, upcoming), {"pyproject.toml": stated})
    assert caught.value.hint


@pytest.mark.parametrize(
    ("current", "upcoming", "stated"),
    [
        ("", "0.1.0", "0.1.0"),
        ("", "0.1.0", "0.0.0"),
        ("1.0.0", "1.1.0", "1.0.0"),
        ("1.0.0", "1.1.0", "1.1.0.dev0"),
        ("1.0.0", "", "4.3.0"),
        ("1.1.0-rc.1", "1.1.0-rc.2", "1.1.0rc1"),
    ],
)
def test_a_next_version_that_is_not_below_goes_on(current: str, upcoming: str, stated: str) -> None:
    require_above_project(decided(current, upcoming), {"pyproject.toml": stated})


@pytest.mark.parametrize(
    ("current", "upcoming", "tags", "is_main", "taken"),
    [
        ("1.0.0", "1.0.1", ("v1.0.0", "v1.0.1"), True, "v1.0.1"),
        ("1.0.0", "1.0.1", ("v1.0.0", "v1.0.1", "v2.0.0"), False, "v1.0.1"),
        ("1.6.0", "1.7.0", ("v1.6.0", "v2.17.5"), True, "v2.17.5"),
        ("", "0.1.0", ("v1.0.0",), False, "v1.0.0"),
    ],
)
def test_a_version_that_another_branch_has_or_is_above_is_a_conflict(
    current: str, upcoming: str, tags: tuple[str, ...], is_main: bool, taken: str
) -> None:
    decision = decided(current, upcoming)
    with pytest.raises(Conflict, match=f"^{taken} was released already"):
        require_free_version(decision, tags_of(*tags), "v{version}", branch="main", is_main=is_main)


@pytest.mark.parametrize(
    ("current", "upcoming", "tags", "is_main"),
    [
        ("1.0.0", "", ("v1.0.0", "v2.0.0"), True),
        ("1.0.0", "1.0.1", ("v1.0.0", "v2.0.0"), False),
        ("1.0.0", "1.0.1", ("v1.0.0", "v2.0.0-rc.1"), True),
        ("1.0.0", "1.0.1", ("v1.0.0", "v2.0.0", "withdrawn/v2.0.0"), True),
        ("2.0.0", "2.1.0", ("v2.0.0", "v1.9.1"), True),
    ],
)
def test_an_older_line_goes_on_below_the_others(
    current: str, upcoming: str, tags: tuple[str, ...], is_main: bool
) -> None:
    decision = decided(current, upcoming)
    require_free_version(decision, tags_of(*tags), "v{version}", branch="1.x", is_main=is_main)


@pytest.mark.parametrize(
    ("text", "semantic"),
    [
        ("1.2", "1.2.0"),
        ("2025.08.17", "2025.8.17"),
        ("1.0b2.dev3", "1.0.0-beta.2.dev.3"),
        ("1.0.0.post1", "1.0.1"),
        ("1.2.3-next.5", "1.2.3-dev.0"),
        ("1.2.3-1", "1.2.3-dev.0"),
    ],
)
def test_versions_of_other_kinds(text: str, semantic: str) -> None:
    version = read_version(text)
    assert version is not None and str(semantic_version(version)) == semantic


@pytest.mark.parametrize("text", ["2025-08", "1-2", "nightly", ""])
def test_what_is_no_version(text: str) -> None:
    assert read_version(text) is None
