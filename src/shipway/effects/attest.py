"""`python3 -m shipway.effects.attest IMAGE@DIGEST TYPE COMMAND …`: give a statement's predicate to a command, on its input.

``IMAGE@DIGEST`` is the manifest that BuildKit keeps its statements in, ``TYPE`` the predicate's type. The status is the
command's.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from shipway.effects.registry import connect
from shipway.errors import ShipwayError, StepFailed


def read_predicate(reference: str, kind: str) -> Any:  # Any: JSON
    """The predicate of the one statement of type ``kind``; raises ``StepFailed`` where it cannot be read."""
    name, _, digest = reference.partition("@")
    with connect(name) as registry:
        _, manifest = registry.manifest(digest)
        for layer in manifest.get("layers", ()):
            if layer.get("annotations", {}).get("in-toto.io/predicate-type", kind) != kind:
                continue
            with registry.open("blobs", layer["digest"]) as blob:
                statement = json.loads(blob.read())
            if statement.get("predicateType") == kind:
                return statement["predicate"]
    raise StepFailed(f"{reference} holds no statement of type {kind}", hint="build the image again")


def main(words: list[str]) -> int:
    """Run the command."""
    reference, kind, *command = words
    try:
        predicate = json.dumps(read_predicate(reference, kind)).encode()
    except ShipwayError as error:
        print(error, file=sys.stderr)
        return error.status
    return subprocess.run(command, input=predicate, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
