"""Versions, their tags, and the release of a commit."""

from __future__ import annotations

import pytest

from shipway.errors import ContextError
from shipway.model.release import Decision, GitTag, Override
from shipway.model.version import parse_version
from shipway.target.releases import read_override, tags_above, tags_on, version_of
from shipway.tools.semantic_release import next_version, stamp_version


@pytest.mark.parametrize(
    ("current", "upcoming", "bump"),
    [
        ("1.2.3", "2.0.0", "major"),
        ("1.2.3", "1.3.0", "minor"),
        ("1.2.3", "1.2.4", "patch"),
        ("1.2.3", "", None),
        ("", "0.1.0", "minor"),
        ("1.2.3-rc.1", "1.2.3", "patch"),
    ],
)
def test_the_bump_is_the_first_number_that_differs(
    current: str, upcoming: str, bump: str | None
) -> None:
    assert Decision(parse_version(current), parse_version(upcoming)).bump == bump


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("v1.2.3", "1.2.3"),
        ("v1.2.3-rc.1", "1.2.3-rc.1"),
        ("v1.2.3+build.5", "1.2.3+build.5"),
        ("v1.2.3-rc.1+build.5", "1.2.3-rc.1+build.5"),
        ("v1.2.3-x-y.0-z", "1.2.3-x-y.0-z"),
        ("v1.2.99999999999999999999", "1.2.99999999999999999999"),
        ("v1.2.3-01", None),
        ("v01.2.3", None),
        ("v1.2.3+", None),
        ("v1.2." + "9" * 5000, None),
        ("1.2.3", None),
        ("vnext", None),
        ("v1.2", None),
        ("xv1.2.3", None),
    ],
)
def test_versions_in_tags(tag: str, version: str | None) -> None:
    expected = parse_version(version) if version else None
    assert version_of(tag, "v{version}") == expected


def test_the_tags_of_a_commit_are_the_projects_own_the_highest_first() -> None:
    tags = (
        GitTag("v1.0.0-rc.1", "a", ""),
        GitTag("v1.0.0", "a", ""),
        GitTag("v1.1.0", "b", "a"),
        GitTag("9.0.0", "a", ""),
        GitTag("v0.9.0", "a", ""),
        GitTag("v1.10.0", "c", "a"),
    )
    on_commit = [tag.name for tag in tags_on(tags, "a", "v{version}")]
    assert on_commit == ["v1.0.0", "v1.0.0-rc.1", "v0.9.0"]
    assert [tag.name for tag in tags_above(tags, "a", "v{version}")] == ["v1.10.0", "v1.1.0"]
    assert not tags_on(tags, "d", "v{version}")


def test_a_level_that_somebody_asks_for() -> None:
    assert read_override("", "") is None
    assert read_override("minor", "it\n is  new") == Override("minor", "it is new")
    assert next_version("/c", "f", "minor").level == "minor"
    assert stamp_version("/c", "f", "python", "major").argv[-1] == "--major"
    assert not next_version("/c", "f").level


@pytest.mark.parametrize(
    ("level", "reason"), [("minor", ""), ("", "because"), ("huge", "because"), ("minor", " \n")]
)
def test_a_level_without_a_reason_is_refused(level: str, reason: str) -> None:
    with pytest.raises(ContextError) as caught:
        read_override(level, reason)
    assert "minor" in caught.value.hint
