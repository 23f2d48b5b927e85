"""Reads the settings of git that are in force in a folder.

They may hold logins, so what git prints goes to nobody but who asks, word for word.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from shipway.errors import StepFailed
from shipway.tools.git_environment import Setting, list_known_settings, read_list


def read_settings(folder: Path, environment: Mapping[str, str]) -> tuple[Setting, ...]:
    """Read all settings in their order; raises ``StepFailed`` where git refuses."""
    process = subprocess.run(
        list_known_settings(),
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        check=False,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
    )
    if process.returncode:
        raise StepFailed(
            f"git does not give its settings: {process.stderr.strip()}",
            hint="fix the file that is named; `git config --list` shows them",
        )
    return read_list(process.stdout)
