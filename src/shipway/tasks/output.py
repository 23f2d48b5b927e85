"""What the tasks print: results on standard output, progress on standard error."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shipway.run.preview import PlannedStage
    from shipway.run.reconcile import Outcome


def progress(line: str) -> None:
    """Progress, on standard error: standard output is for results."""
    print(line, file=sys.stderr, flush=True)


def report_outcome(outcome: Outcome) -> None:
    """One line for a stage that ended."""
    progress(f"{outcome.name:9} {outcome.outcome:8} {outcome.seconds:6.1f} s  {outcome.reason}")


def print_json(document: object) -> None:
    """One JSON document."""
    print(json.dumps(document, indent=2))


def show(document: dict[str, Any], as_json: bool) -> None:  # Any: the values of a JSON document
    """A document for programs, or a line for each of its values for people."""
    if as_json:
        print_json(document)
        return
    for name, value in document.items():
        said = ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)
        print(f"{name}: {said or '-'}")


def show_either(lines: str, document: object, as_json: bool) -> None:
    """Lines for people, the document for programs; where there are no lines, the document for both."""
    if lines and not as_json:
        print(lines)
    else:
        print_json(document)


def show_status(
    rows: list[dict[str, Any]], as_json: bool
) -> None:  # Any: the values of a JSON document
    """A table of stages; raises ``StepFailed``, with the document, where one could not be asked."""
    from shipway.errors import StepFailed

    unknown = [row["name"] for row in rows if row["state"] == "unknown"]
    failure = StepFailed(
        f"could not ask: {', '.join(unknown)}", hint="see what is next to each, then ask again"
    )
    failure.document = {"stages": rows}
    if not as_json:
        for row in rows:
            print(
                f"{row['name']:9} {row['state']:8} {row['evidence']}{row['next'] and '  → '}{row['next']}"
            )
    if unknown:
        raise failure
    if as_json:
        print_json(failure.document)


def print_plan(rows: list[PlannedStage], as_json: bool) -> None:
    """A dry run, for programs or for people."""
    from shipway.run.preview import plan_document, render_lines

    if as_json:
        print_json(plan_document(rows))
    else:
        print(render_lines(rows))
