"""What the docs say of the code, compared with the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from invoke.collection import Collection

from shipway import errors
from shipway.run.release import ORDER
from shipway.settings.schema import list_settings
from shipway.tasks import namespace

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FRONT = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]
PAGES = [*FRONT, *sorted(DOCS.rglob("*.md"))]


def read(page: str) -> str:
    """One file of the repository."""
    return (ROOT / page).read_text(encoding="utf-8")


def rows(text: str) -> list[list[str]]:
    """The cells of every table's rows, without heads and rules."""
    lines = text.splitlines()
    found: list[list[str]] = []
    for number, line in enumerate(lines):
        head = number + 1 < len(lines) and lines[number + 1].startswith("|--")
        if line.startswith("|") and not line.startswith("|--") and not head:
            found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def flags(collection: Collection) -> dict[str, set[str]]:
    """The flags of every task, by the name that people type: `engine` for its default task `engine.start`."""
    return {
        min((one.name or "", *one.aliases), key=len): set(one.flags)
        for one in collection.to_contexts()
    }


def render_settings() -> str:
    """The table of the settings as it stands in the page."""
    lines = ["| setting | type | default | meaning |", "|---|---|---|---|"]
    lines += [
        f"| `{name}` | {kind} | {f'`{default}`' if default != 'not set' else default} | {meaning} |"
        for name, kind, default, meaning in list_settings()
    ]
    return "\n".join(lines) + "\n"


def all_statuses() -> dict[str, int]:
    """The status of every error, by its class."""

    def below(kind: type[errors.ShipwayError]) -> Iterator[type[errors.ShipwayError]]:
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    return {
        one.__name__: one.status
        for one in below(errors.ShipwayError)
        if one.__module__ == errors.__name__
    }


def test_the_settings_page_is_generated_from_the_types() -> None:
    between = re.search(
        r"<!-- settings -->\n(.*)<!-- /settings -->", read("docs/reference/settings.md"), re.DOTALL
    )
    assert between
    assert between[1] == render_settings()


def test_the_exit_statuses_are_those_of_the_errors() -> None:
    described = {
        row[1].strip("`"): int(row[0])
        for row in rows(read("docs/reference/exit-statuses.md"))
        if row[1]
    }
    assert described == all_statuses()


def test_the_readme_has_every_exit_status() -> None:
    section = read("README.md").partition("## For programs")[2].partition("## More")[0]
    assert [int(row[0]) for row in rows(section)] == [0, *sorted(set(all_statuses().values()))]


def test_the_reference_has_every_task_with_its_flags() -> None:
    section = read("docs/reference/tasks.md").partition("## What")[0]
    described = {
        row[0].strip("`"): set(re.findall(r"`(--[a-z-]+)`", row[1])) for row in rows(section)
    }
    assert described == flags(namespace)


def test_the_reference_explains_every_flag() -> None:
    section = read("docs/reference/tasks.md").partition("## What")[2].partition("## Single")[0]
    explained = {row[0].strip("`").partition(" ")[0] for row in rows(section)}
    assert explained == set().union(*flags(namespace).values())


def test_the_readme_names_every_task() -> None:
    section = read("README.md").partition("## The tasks")[2].partition("## For programs")[0]
    named = {row[0].strip("`").replace(":", ".") for row in rows(section)}
    assert named == {"ci", *flags(namespace)}


@pytest.mark.parametrize("page", ["docs/pipeline.md", "docs/index.md"])
def test_a_picture_shows_the_stages_in_their_order(page: str) -> None:
    assert " → ".join(("quality", *ORDER)) in read(page)


def test_the_page_of_the_pipeline_explains_every_stage() -> None:
    section = read("docs/pipeline.md").partition("## The commit point")[0]
    assert [row[0].strip("`") for row in rows(section)] == list(ORDER)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    named = re.findall(
        r"`((?:src|tests|docs|\.github)/[\w./-]+|Taskfile\.yml|Dockerfile|mkdocs\.yml)`",
        page.read_text(encoding="utf-8"),
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", FRONT, ids=lambda page: page.name)
def test_every_link_inside_the_repository_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_list_of_decisions_has_every_page_in_order() -> None:
    folder = DOCS / "development/decisions"
    pages = [file for file in sorted(folder.glob("*.md")) if file.name != "index.md"]
    titles = [
        file.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ") for file in pages
    ]
    listed = [(row[0], row[1]) for row in rows((folder / "index.md").read_text(encoding="utf-8"))]
    expected = []
    for file, title in zip(pages, titles, strict=True):
        number, _, decision = title.partition(": ")
        expected.append((number, f"[{decision}]({file.name})"))
    assert listed == expected
    assert [number for number, _ in listed] == [f"{count:04}" for count in range(1, len(pages) + 1)]


@pytest.mark.parametrize(
    "page", sorted((DOCS / "development/decisions").glob("0*.md")), ids=lambda page: page.stem
)
def test_a_decision_says_what_why_what_else_and_what_follows(page: Path) -> None:
    heads = re.findall("^## (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert heads == ["What", "Why", "What else was considered", "What follows"]


def tasks_of_the_taskfile() -> set[str]:
    """Names as they are typed after `task`."""
    return set(re.findall(r"^  ([a-z:0-9]+):", read("Taskfile.yml"), re.MULTILINE))


def test_the_readme_says_which_tasks_the_taskfile_lacks() -> None:
    section = read("README.md").partition("## The tasks")[2].partition("## For programs")[0]
    promised = {row[0].strip("`") for row in rows(section) if "not in the Taskfile" not in row[1]}
    lacking = {row[0].strip("`") for row in rows(section)} - promised
    assert promised <= tasks_of_the_taskfile()
    assert not lacking & tasks_of_the_taskfile()


def test_every_task_that_a_page_runs_is_in_the_taskfile() -> None:
    called = {
        name
        for page in PAGES
        for name in re.findall(
            r"(?:`|&& |^)task ([a-z][a-z0-9]*(?::[a-z]+)?)",
            page.read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    }
    assert called - tasks_of_the_taskfile() == set()
