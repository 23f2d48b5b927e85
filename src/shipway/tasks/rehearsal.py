"""These functions print what came of a rehearsal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from shipway.tasks.output import emit, print_json

if TYPE_CHECKING:
    from rich.table import Table

    from shipway.rehearsal.rehearse import Rehearsal
    from shipway.run.preview import PlannedStage

_FACTS = (
    "version",
    "tags",
    "image",
    "digest",
    "platforms",
    "packages",
    "docs",
    "release",
    "differences",
    "remotes",
)
"""Names the entries of the document that people see, in this order."""


def show_rehearsal_plan(rows: list[PlannedStage], as_json: bool) -> None:
    """Print what a rehearsal would run, as comments for people or as a document for programs."""
    from shipway.run.preview import plan_document, render_lines

    if as_json:
        document = plan_document(rows)
        print_json(document)
        return
    # Not for pasting: the stand-ins are gone by now, and some lines would reach the real remotes.
    emit("# what a rehearsal runs, against stand-ins that live as long as it does")
    text = render_lines(rows)
    for line in text.splitlines():
        if line.startswith("#"):
            emit(line)
        else:
            emit(f"# $ {line}")


def show_rehearsal(rehearsal: Rehearsal, *, keep: bool) -> None:
    """Print both runs of a rehearsal as tables, for people."""
    from rich.console import Console

    from shipway.rehearsal.rehearse import rehearsal_document

    document = rehearsal_document(rehearsal, keep=keep)
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(_tabulate_stages(rehearsal))
    console.print(_tabulate_facts(document))


def _tabulate_stages(rehearsal: Rehearsal) -> Table:
    from rich.table import Table

    columns = ("stage", "first run", "second run", "seconds")
    table = Table(*columns, title="rehearsal")
    first_stages = rehearsal.first.stages
    second_stages = rehearsal.second.stages
    for first, second in zip(first_stages, second_stages, strict=True):
        table.add_row(
            first.name,
            f"{first.outcome}: {first.reason}",
            f"{second.outcome}: {second.reason}",
            f"{first.seconds:.1f} + {second.seconds:.1f}",
        )
    return table


def _tabulate_facts(document: dict[str, object]) -> Table:
    from rich.table import Table

    table = Table("", "", show_header=False)
    for name in _FACTS:
        fact = document[name]
        if fact:
            table.add_row(name, _render(fact))
    return table


def _render(fact: object) -> str:
    if isinstance(fact, dict):
        lines = [f"{name}: {value}" for name, value in fact.items()]
        return "\n".join(lines)
    if isinstance(fact, list):
        entries = [str(entry) for entry in fact]
        return ", ".join(entries)
    return str(fact)
