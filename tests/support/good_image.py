"""An image in which everything is as it should be."""

from __future__ import annotations

import json

import msgspec

from shipway.image.contents import Contents
from shipway.image.index import parse_index
from tests.support.model_remotes import contents_of, manifest

INDEX = parse_index(json.dumps(manifest("x", ("linux/amd64", "linux/arm64"))))
LABELS = {
    "org.opencontainers.image.version": "1.2.3",
    "org.opencontainers.image.revision": "c" * 40,
}
CONTENTS = contents_of(INDEX, LABELS)


def changed(name: str, **changes: object) -> Contents:
    """A good image with changes to one platform."""
    return msgspec.structs.replace(
        CONTENTS,
        platforms={
            **CONTENTS.platforms,
            name: msgspec.structs.replace(CONTENTS.platforms[name], **changes),
        },
    )


def stated(kind: str, **changes: object) -> Contents:
    """A good image with changes to each statement of a kind."""
    return msgspec.structs.replace(
        CONTENTS,
        attestations=tuple(
            msgspec.structs.replace(
                one,
                statements=tuple(
                    msgspec.structs.replace(statement, **changes)
                    if statement.type.startswith(kind)
                    else statement
                    for statement in one.statements
                ),
            )
            for one in CONTENTS.attestations
        ),
    )
