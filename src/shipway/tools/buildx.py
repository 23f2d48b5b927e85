"""How buildx is asked about builders. Pure."""

from __future__ import annotations

import re

from shipway.model.actions import Answer


def read_platforms(answer: Answer) -> tuple[str, ...]:
    """The platforms of all nodes, from ``docker buildx inspect``; those marked ``*`` were set by hand."""
    lines = re.findall(r"^Platforms:(.*)$", answer.out, re.MULTILINE)
    return tuple(
        word.strip().rstrip("*") for line in lines for word in line.split(",") if word.strip()
    )
