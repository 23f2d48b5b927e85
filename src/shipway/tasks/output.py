"""The tasks print results on standard output, progress on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from shipway.run.preview import PlannedStage
    from shipway.run.result import Outcome


def emit(text: str, *, file: TextIO | None = None) -> None:
    """Print what people see, on standard output if no file is given; secrets are blanked out."""
    shown = mask(text)
    print(shown, file=file, flush=True)


def mask(text: str) -> str:
    """Blank out whatever looks like a secret."""
    # A list of the tasks needs no settings, which are slow to import.
    from shipway.settings.secret_marks import mask_secrets

    return mask_secrets(text)


def progress(line: str) -> None:
    """Print a line of progress on standard error: standard output is for results."""
    emit(line, file=sys.stderr)


def report_outcome(outcome: Outcome) -> None:
    """Print one line for a stage that ended."""
    duration = f"{outcome.seconds:6.1f} s"
    name = f"{outcome.name:9}"
    ending = f"{outcome.outcome:8}"
    progress(f"{name} {ending} {duration}  {outcome.reason}")


def print_json(document: object) -> None:
    """Print one JSON document."""
    text = json.dumps(document, indent=2)
    emit(text)


def show(document: dict[str, Any], as_json: bool) -> None:  # Any: the values of a JSON document
    """Print a document for programs, or a line for each of its values for people."""
    if as_json:
        print_json(document)
        return
    for name, value in document.items():
        text = _render_value(value) or "-"
        emit(f"{name}: {text}")


def _render_value(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(value)
    return str(value)


def show_either(lines: str, document: object, as_json: bool) -> None:
    """Print lines for people, the document for programs; without lines, the document for both."""
    if lines and not as_json:
        emit(lines)
    else:
        print_json(document)


@contextmanager
def show_rest(as_json: bool) -> Iterator[None]:
    """Print what could be read of an image that turns out to be broken, before the error is told.

    With ``--json`` it is printed together with the error.
    """
    from shipway.errors import VerificationFailed

    try:
        yield
    except VerificationFailed as error:
        if error.document and not as_json:
            print_json(error.document)
        raise


def show_status(rows: list[dict[str, Any]], as_json: bool) -> None:  # Any: a JSON document's values
    """Print a table of stages.

    Raises, with the document, ``ContextError`` where no release is made of the branch, else
    ``StepFailed`` where a stage could not be asked.
    """
    from shipway.errors import ContextError, StepFailed

    document = {"stages": rows}
    if not as_json:
        for row in rows:
            emit(_render_status(row))
    for row in rows:
        if row["state"] == "same" and row["next"]:
            raise ContextError(
                row["evidence"],
                hint=row["next"],
                document=document,
            )
    unknown = [row["name"] for row in rows if row["state"] == "unknown"]
    if unknown:
        names = ", ".join(unknown)
        raise StepFailed(
            f"could not ask: {names}",
            hint="see what is next to each, then ask again",
            document=document,
        )
    if as_json:
        print_json(document)


def _render_status(row: dict[str, Any]) -> str:  # Any: the values of a JSON document
    name = row["name"]
    state = row["state"]
    evidence = row["evidence"]
    advice = row["next"]
    line = f"{name:9} {state:8} {evidence}"
    if advice:
        line += f"  → {advice}"
    return line


def print_plan(rows: Sequence[PlannedStage], as_json: bool) -> None:
    """Print a dry run, for programs or for people."""
    from shipway.run.preview import plan_document, render_lines

    if as_json:
        document = plan_document(rows)
        print_json(document)
    else:
        lines = render_lines(rows)
        emit(lines)
