"""Make the key pair of cosign that lives as long as the rehearsal."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from shipway.effects.environment import is_modern
from shipway.effects.processes import Processes
from shipway.model.actions import Command, Effect

PASSWORD = "COSIGN_PASSWORD"


def make_keys(folder: Path, environment: Mapping[str, str]) -> tuple[str, str | None]:
    """Make ``cosign.key`` and ``cosign.pub`` in ``folder``.

    Gives the password, and the path of a signing config that names no services: a rehearsal signs
    without any. Cosign 2 needs no such file (``None``), since a flag tells it the same.
    """
    folder.mkdir(parents=True)
    password = secrets.token_urlsafe(24)
    runner = Processes({**environment, PASSWORD: password})
    runner(
        Command(
            name="rehearsal",
            why="make a key pair",
            argv=("cosign", "generate-key-pair"),
            secrets=(PASSWORD,),
            effect=Effect.LOCAL,
            folder=str(folder),
        )
    )
    if not is_modern(runner):
        return password, None
    config = folder / "signing-config.json"
    runner(
        Command(
            name="rehearsal",
            why="make a signing config without services",
            effect=Effect.LOCAL,
            argv=("cosign", "signing-config", "create", "--out", str(config)),
        )
    )
    return password, str(config)
