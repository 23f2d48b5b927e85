"""Make the key pair of cosign that lives as long as the rehearsal."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from shipway.effects.processes import Processes
from shipway.tools import cosign, cosign_signing

PASSWORD = "COSIGN_PASSWORD"


class Keys(NamedTuple):
    """The password of a key pair, and the path of a signing config that names no services.

    A rehearsal signs without any. Cosign 2 needs no such file (``None``): a flag says the same.
    """

    password: str
    signing_config: str | None


def make_keys(folder: Path, environment: Mapping[str, str]) -> Keys:
    """Make ``cosign.key`` and ``cosign.pub`` in ``folder``."""
    folder.mkdir(parents=True)
    password = secrets.token_urlsafe(24)
    runner = Processes({**environment, PASSWORD: password})
    runner(cosign_signing.generate_key_pair(folder, PASSWORD))
    if not cosign.knows_signing_configs(runner(cosign.ask_for_help("rehearsal"))):
        return Keys(password, None)
    config = folder / "signing-config.json"
    runner(cosign_signing.create_signing_config(config))
    return Keys(password, str(config))
