"""Golden files: what people see, a readable file for each thing, in `tests/golden/`."""

from __future__ import annotations

import difflib
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "golden"
LOCAL = (f"{tempfile.gettempdir()}/", f"{FOLDER.parents[1]}/")
"""Folders of this machine, where what the tests make and this repository are."""


def check(name: str, text: str, *, update: bool = False) -> None:
    """Compare ``text`` with the golden file ``name``, or write it there; raises ``AssertionError`` with the difference.

    A path of this machine does not belong into a golden file, and is refused.
    """
    text = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
    for folder in LOCAL:
        assert folder not in text, f"{name} shows {folder}, which is not the same everywhere"
    path = FOLDER / f"{name}.txt"
    if update:
        path.write_text(text, encoding="utf-8")
        return
    assert path.is_file(), (
        f"there is no {path.name} yet: run `pytest --update-golden`, and read what it wrote"
    )
    golden = path.read_text(encoding="utf-8")
    if text != golden:
        difference = difflib.unified_diff(
            golden.splitlines(), text.splitlines(), "golden", "now", n=2, lineterm=""
        )
        raise AssertionError(
            "\n".join(
                (
                    f"people see another {name} than before; where that is meant, run "
                    "`pytest --update-golden` and commit it",
                    *difference,
                )
            )
        )
