"""The golden files: that a difference is seen, and that each file belongs to a test."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest

from tests.support import golden

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of golden files that holds one."""
    monkeypatch.setattr(golden, "FOLDER", tmp_path)
    golden.check("poem", "roses\nred\n", update=True)
    return tmp_path


def test_the_same_text_passes_and_spaces_at_the_end_of_a_line_do_not_count() -> None:
    golden.check("poem", "roses  \nred")


def test_a_difference_is_shown_line_by_line_with_what_to_do() -> None:
    with pytest.raises(AssertionError, match="--update-golden") as caught:
        golden.check("poem", "roses\nblue\n")
    assert "-red\n+blue" in str(caught.value)


def test_a_file_that_is_missing_is_not_taken_for_an_empty_one() -> None:
    with pytest.raises(AssertionError, match="there is no song.txt yet"):
        golden.check("song", "la")


def test_an_update_writes_what_is_seen_now(folder: Path) -> None:
    golden.check("poem", "violets", update=True)
    assert (folder / "poem.txt").read_text() == "violets\n"


def test_a_path_of_this_machine_is_refused_even_in_an_update() -> None:
    with pytest.raises(AssertionError, match="not the same everywhere"):
        golden.check("poem", f"see {tempfile.gettempdir()}/toy", update=True)


def test_every_golden_file_belongs_to_a_test() -> None:
    tests = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")
    )
    files = {path.stem for path in (ROOT / "tests/golden").iterdir()}
    assert files == set(re.findall(r"\bgolden\(\s*\"([a-z-]+)\"", tests))
