"""BuildKit's SBOM scanner protocol, around syft: one in-toto statement for each thing to scan.

Source of the protocol: `docs/attestations/sbom-protocol.md` of moby/buildkit. Runs inside the scanner's image.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

CATALOGERS = ("dpkg-db-cataloger", "python-installed-package-cataloger")
"""What is installed. Reading the modules out of every Go program as well takes five times as long."""
SETTINGS = {"SYFT_CHECK_FOR_APP_UPDATE": "false", "SYFT_FILE_METADATA_SELECTION": "none"}


def scan(environment: Mapping[str, str]) -> None:
    """Scan ``BUILDKIT_SCAN_SOURCE`` and each folder of ``…_SOURCE_EXTRAS`` into ``…_DESTINATION``."""
    destination = Path(environment["BUILDKIT_SCAN_DESTINATION"])
    sources = [Path(environment["BUILDKIT_SCAN_SOURCE"])]
    extras = environment.get("BUILDKIT_SCAN_SOURCE_EXTRAS")
    if extras and Path(extras).is_dir():
        sources += sorted(Path(extras).iterdir())
    for source in sources:
        found = subprocess.run(
            (
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
            ),
            check=True,
            stdout=subprocess.PIPE,
            env={**environment, **SETTINGS},
        )
        statement = {
            "_type": "https://in-toto.io/Statement/v0.1",
            "predicateType": "https://spdx.dev/Document",
            "predicate": json.loads(found.stdout),
        }
        (destination / f"{source.name}.spdx.json").write_text(
            json.dumps(statement), encoding="utf-8"
        )


if __name__ == "__main__":
    scan(os.environ)
