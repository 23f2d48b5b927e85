"""The matrix as a table of the docs, between two markers of the page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tests.faults.cells import Cell
from tests.faults.points import FAULTS, POINTS

_BEGIN, _END = "<!-- faults -->\n", "<!-- /faults -->"
_SIGNS = {"converged": "✓", "not-applicable": "–", "violated": "**✗**"}


def render(cells: Iterable[Cell]) -> str:
    """A row for each point; below it why cells are empty, and what is wrong."""
    found = {(cell.point, cell.fault): cell for cell in cells}
    lines = [f"| | {' | '.join(FAULTS.values())} |", f"|---|{'---|' * len(FAULTS)}"]
    lines += [
        f"| {point} | {' | '.join(_sign(found.get((point, fault))) for fault in FAULTS)} |"
        for point in POINTS
    ]
    reasons = {cell.reason: "" for cell in found.values() if cell.outcome == "not-applicable"}
    lines += ["", *(f"– : {reason}" for reason in reasons)]
    wrong = [
        f"- {cell.point}, {FAULTS[cell.fault]}: {one}"
        for cell in found.values()
        for one in cell.violations
    ]
    return "\n".join([*lines, *(["", *wrong] if wrong else [])]) + "\n"


def _sign(cell: Cell | None) -> str:
    if cell is None:
        return "not run"
    survived = (
        cell.outcome == "converged" and "exit" not in cell.reason and "killed" not in cell.reason
    )
    return "✓ by itself" if survived else _SIGNS[cell.outcome]


def write(page: Path, cells: Iterable[Cell]) -> None:
    """Put the table into the page, in place of the one that is there."""
    text = page.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(_BEGIN)}.*{re.escape(_END)}", re.DOTALL)
    page.write_text(pattern.sub(lambda _: f"{_BEGIN}{render(cells)}{_END}", text), encoding="utf-8")
