"""The page of a release fits what GitHub takes, by whole entries."""

from __future__ import annotations

import pytest

from shipway.target.page_body import Room, fit_notes, render_packages, render_page
from shipway.target.release_page import LONGEST_BODY

WHOLE = "https://github.com/acme/toy/blob/v1.2.3/CHANGELOG.md"
ROWS = [{"name": f"p-{number}", "before": "1 (MIT)", "after": "2 (MIT)"} for number in range(400)]


def notes_of(count: int, entry: str = "A change of some length that takes room") -> str:
    entries = "\n\n".join(f"- {entry} {number}\n  and more" for number in range(count))
    return f"### Features\n\n{entries}\n\n### Authors\n\nAnn, Bo"


def page_of(notes: str, packages: str = "") -> str:
    verify = ("shipway", "verify", "x")
    return render_page(
        notes, "ghcr.io/acme/toy:v1.2.3", "sha256:1", verify, packages, room=Room(WHOLE)
    )


def test_what_fits_stays_whole() -> None:
    notes = notes_of(10)
    packages = render_packages({"linux/amd64": ROWS}, "v1")
    page = page_of(notes, packages)
    assert page.startswith(notes) and page.endswith(f"{packages}\n") and "more:" not in page


@pytest.mark.parametrize("count", [2_200, 20_000])
def test_of_long_notes_whole_entries_stay_and_the_rest_is_linked(count: int) -> None:
    page = page_of(notes_of(count), render_packages({"linux/amd64": ROWS}, "v1"))
    assert LONGEST_BODY - 1_500 < len(page) < LONGEST_BODY - 900
    shown = page.count("\n  and more\n")
    assert f"… and {count - shown} more: [all changes]({WHOLE})\n\n### Image" in page
    assert "`ghcr.io/acme/toy@sha256:1`" in page and "shipway verify x" in page
    assert page.count("- A change") == shown and page.count("<details>") == page.count("</details>")


def test_an_entry_of_any_length_hides_no_other() -> None:
    notes = f"### Features\n\n- {'x' * LONGEST_BODY}\n\n### Bug Fixes\n\n- Small"
    page = page_of(notes)
    assert page.startswith(f"### Bug Fixes\n\n- Small\n\n… and 1 more: [all changes]({WHOLE})")
    assert "### Features" not in page


def test_names_of_authors_are_no_entries() -> None:
    names = ", ".join(f"Author {number}" for number in range(20_000))
    page = page_of(f"### Features\n\n- Small\n\n### Authors\n\n{names}")
    assert page.startswith(f"### Features\n\n- Small\n\n[all changes]({WHOLE})\n\n### Image")


def test_without_a_repository_the_rest_is_counted() -> None:
    assert fit_notes("- a\n\n- bb\n\n- cccccccccccccccccccccc", 30, "") == (
        "- a\n\n- bb\n\n… and 1 more"
    )


def test_packages_take_what_is_left() -> None:
    packages = render_packages({"linux/amd64": ROWS, "linux/arm64": ROWS[:300]}, "v1")
    page = page_of(notes_of(1_980), packages)
    assert "more: [all" not in page and len(page) < LONGEST_BODY
    shown = page.count("\n| p-")
    assert shown and page.endswith(f"\n\n{700 - shown} more\n\n</details>\n")
    crowded = page_of(notes_of(2_000, "A change of some length that takes more room"), packages)
    assert len(crowded) < LONGEST_BODY and crowded.count("<details>") == crowded.count("</details>")


def test_a_platform_lists_what_people_read() -> None:
    rows = [{"name": f"p-{number}", "before": "1", "after": "2"} for number in range(5000)]
    text = render_packages({"linux/amd64": rows}, "v1")
    assert "4700 more" in text and "5000 changes" in text


def test_what_an_image_says_is_text() -> None:
    rows = [{"name": "<b>|x", "before": "", "after": "25.4 (@mit)"}]
    assert "| &lt;b>\\|x | – | 25.4 (@&#8203;mit) |" in render_packages({"linux/386": rows}, "v1")
