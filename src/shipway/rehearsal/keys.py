"""Make the key pair of cosign that lives as long as the rehearsal."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from shipway.effects.processes import Processes
from shipway.tools import cosign, cosign_signing

PASSWORD = "COSIGN_PASSWORD"


def make_keys(folder: Path, environment: Mapping[str, str]) -> tuple[str, str | None]:
    """Make ``cosign.key`` and ``cosign.pub`` in ``folder``.

    Gives the password, and the path of a signing config that names no services: a rehearsal signs
    without any. Cosign 2 needs no such file (``None``), since a flag tells it the same.
    """
    folder.mkdir(parents=True)
    password = secrets.token_urlsafe(24)
    runner = Processes({**environment, PASSWORD: password})
    runner(cosign_signing.generate_key_pair(folder, PASSWORD))
    if not cosign.knows_signing_configs(runner(cosign.ask_for_help("rehearsal"))):
        return password, None
    config = folder / "signing-config.json"
    runner(cosign_signing.create_signing_config(config))
    return password, str(config)
