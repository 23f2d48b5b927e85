"""Speak BuildKit's SBOM scanner protocol, around syft: an in-toto statement for each source.

It runs inside the scanner's image, as a program of its own.
Source of the protocol: `docs/attestations/sbom-protocol.md` of moby/buildkit.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

CATALOGERS = ("dpkg-db-cataloger", "python-installed-package-cataloger")
"""What finds what is installed; to look into every Go program as well takes five times as long."""
SETTINGS = {"SYFT_CHECK_FOR_APP_UPDATE": "false", "SYFT_FILE_METADATA_SELECTION": "none"}


def scan_sources(environment: Mapping[str, str]) -> None:
    """Scan ``BUILDKIT_SCAN_SOURCE`` and each folder of ``…_SOURCE_EXTRAS`` into ``…_DESTINATION``.

    Raises ``CalledProcessError`` where syft fails.
    """
    destination = Path(environment["BUILDKIT_SCAN_DESTINATION"])
    sources = [Path(environment["BUILDKIT_SCAN_SOURCE"])]
    extras = environment.get("BUILDKIT_SCAN_SOURCE_EXTRAS")
    if extras and Path(extras).is_dir():
        sources += sorted(Path(extras).iterdir())
    for source in sources:
        statement = {
            "_type": "https://in-toto.io/Statement/v0.1",
            "predicateType": "https://spdx.dev/Document",
            "predicate": _read_packages(source, environment),
        }
        file = destination / f"{source.name}.spdx.json"
        file.write_text(json.dumps(statement), encoding="utf-8")


def _read_packages(source: Path, environment: Mapping[str, str]) -> object:
    """Let syft list the packages in a folder; gives its SPDX document."""
    argv = (
        "syft",
        "scan",
        f"dir:{source}",
        "--output",
        "spdx-json",
        "--quiet",
        "--source-name",
        source.name,
        "--override-default-catalogers",
        ",".join(CATALOGERS),
    )
    process = subprocess.run(
        argv, check=True, stdout=subprocess.PIPE, env={**environment, **SETTINGS}
    )
    return json.loads(process.stdout)


if __name__ == "__main__":
    scan_sources(os.environ)
