"""Documents from outside: a part of another type than expected counts as not there."""

from __future__ import annotations

import sys
import time

import pytest

from shipway.image.documents import inner_object, inner_objects, inner_text, parse_time, printable
from shipway.image.sbom import Package, parse_packages


@pytest.mark.parametrize("strange", [None, 1, "text", [], [{}]])
def test_no_object(strange: object) -> None:
    assert inner_object({"key": strange}, "key") == {}


@pytest.mark.parametrize("strange", [None, 1, "text", {}, [1, "text", None]])
def test_no_objects(strange: object) -> None:
    assert not inner_objects({"key": strange}, "key")


def test_what_is_there_is_given() -> None:
    document = {"object": {"a": 1}, "array": [{"a": 1}, 2], "text": "b", "number": 3}
    assert inner_object(document, "object") == {"a": 1}
    assert inner_objects(document, "array") == [{"a": 1}]
    assert [inner_text(document, name) for name in ("text", "number", "none")] == ["b", "3", ""]


def test_an_sbom_of_a_strange_shape_has_the_packages_that_can_be_read() -> None:
    package = {"name": "attrs", "versionInfo": 25, "externalRefs": "none"}
    strange = {
        "packages": [None, "attrs", package],
        "documentDescribes": 3,
        "relationships": [{"relationshipType": "DESCRIBES"}],
    }
    assert parse_packages([strange]) == (Package(name="attrs", version="25"),)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("naïve 1.0 → ✓", "naïve 1.0 → ✓"),
        ("x\npass", r"x\npass"),
        ("\x1b[1A\r\b\x9b", r"\x1b[1A\r\x08\x9b"),
        ("a\u202eb\u2028c", r"a\u202eb\u2028c"),
    ],
)
def test_what_moves_the_cursor_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-02T00:00:00Z", 86400),
        ("1970-01-02T00:00:00.678901234Z", 86400),
        ("1970-01-02T02:00:00+02:00", 86400),
        ("1970-01-02T00:00:00", 86400),
        ("1970-01-02", 86400),
        ("1970-01-01T00:00:00Z", 0),
        ("0001-01-01T00:00:00", -62135596800),
        ("", None),
        ("yesterday", None),
    ],
)
def test_a_time_is_the_same_on_every_machine(
    text: str, seconds: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.platform == "win32":
        pytest.skip("a process cannot change its zone there")
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        assert parse_time(text) == seconds
    finally:
        monkeypatch.undo()
        time.tzset()
