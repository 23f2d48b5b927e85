"""A rehearsal that is kept up, and what its remotes show."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipway.image.index import Index, parse_index

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Kept:
    """What a kept rehearsal printed, and the environment with its tools."""

    printed: dict[str, Any]
    environment: dict[str, str]

    def run(self, *argv: str, code: int = 0) -> str:
        """Run a real tool; gives its output, with its errors when it is meant to fail."""
        done = subprocess.run(
            argv, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, f"{argv[:3]} ended with {done.returncode}: {done.stderr}"
        return done.stdout + (done.stderr if code else "")

    @property
    def folder(self) -> Path:
        """Where the remotes are."""
        return Path(self.printed["remotes"]["folder"])


def shipway(*words: str) -> tuple[str, ...]:
    """The program, as a command of this Python."""
    return (sys.executable, "-m", "shipway", *words)


def status(kept: Kept, reference: str) -> Index:
    """An index in the registry."""
    return parse_index(
        kept.run(
            "docker", "buildx", "imagetools", "inspect", reference, "--format", "{{json .Manifest}}"
        )
    )
