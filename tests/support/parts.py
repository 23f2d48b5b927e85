"""Finds the real programs that `nox -s parts` has built."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.parts.building import folder_of, is_built
from tests.parts.recipes import PARTS


def require_part(name: str) -> Path:
    """Give the folder of a part's programs; where it was not built, a laptop skips, and CI fails."""
    part = next(part for part in PARTS if part.name == name)
    if not is_built(part, os.environ):
        message = f"{name} is not built: run `nox -s parts -- {name}`"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    return folder_of(part, os.environ)


def require_program(part: str, program: str = "") -> str:
    """Give the path of a part's program, by default the one of its name."""
    return str(require_part(part) / (program or part))
