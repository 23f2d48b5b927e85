"""Which of two versions is the higher one, and what its image is tagged."""

from __future__ import annotations

import pytest

from shipway.model.version import Version, highest_version, parse_version

ASCENDING = (
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0-rc.1+5",
    "1.0.0",
    "1.0.0+1",
    "1.0.0+9",
    "1.0.0+10",
    "1.0.0+10.a",
    "1.0.0+linux",
    "1.0.1",
    "1.0.99999999999999999999",
    "2.0.0+0",
)
"""The first are the example of Semantic Versioning, item 11; the others differ in metadata only."""


def read(text: str) -> Version:
    """Give the version that ``text`` is."""
    version = parse_version(text)
    assert version is not None, text
    return version


def test_every_two_versions_have_an_order() -> None:
    versions = [read(text) for text in ASCENDING]
    assert sorted(reversed(versions), key=lambda version: version.order) == versions
    for lower, higher in zip(versions, versions[1:], strict=False):
        assert higher.is_above(lower) and not lower.is_above(higher)
        assert highest_version([higher, lower]) == highest_version([lower, higher]) == higher


def test_build_metadata_is_no_part_of_the_precedence() -> None:
    assert read("1.0.0+1").precedence == read("1.0.0").precedence


@pytest.mark.parametrize("text", ASCENDING)
def test_a_version_is_written_as_it_was_read(text: str) -> None:
    assert str(read(text)) == text
    assert read(text).image_tag().removeprefix("v").replace("_", "+") == text


@pytest.mark.parametrize("text", ["1.0.0-01", "1.0.0-a..b", "1.0.0-", "1.0", "v1.0.0", "1.0.0+a+b"])
def test_what_semantic_versioning_does_not_allow(text: str) -> None:
    assert parse_version(text) is None
