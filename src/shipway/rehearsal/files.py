"""Write small files of text."""

from __future__ import annotations

import json
from pathlib import Path


def write_text(file: Path, text: str) -> None:
    """Write a file of text, in a folder that is made where it is missing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def write_json(file: Path, document: object) -> None:
    """Write a JSON document to a file, in a folder that is made where it is missing."""
    write_text(file, json.dumps(document, indent=2))
