"""What a provenance says of a build, in one shape for both versions that BuildKit writes. Pure.

Sources: SLSA provenance v0.2 and v1.0; BuildKit's `docs/attestations/slsa-definitions.md` for its own parts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shipway.image.labels import REVISION, SOURCE
from shipway.image.repository import parse_remote

BUILD_TYPES = (
    "https://mobyproject.org/buildkit@v1",
    "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
)
"""What BuildKit calls its builds, in v0.2 and in v1.0."""
_DIGEST = re.compile(r"[0-9a-f]{40,128}")

Node = Mapping[str, Any]  # Any: the values of a JSON document


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """How an image came about; what the statement does not say is empty."""

    type: str
    builder: str
    source: str
    """Address of the repository."""
    revision: str
    """Full hash of the commit."""
    loose: tuple[str, ...]
    """Materials that no digest pins."""
    materials: int
    arguments: tuple[str, ...]
    """Names of the build arguments: their values are public."""
    finished: int
    """Seconds since 1970."""


def parse_provenance(predicate: Node) -> Provenance:
    """Read a predicate; parts of another type than expected count as not there."""
    modern = "buildDefinition" in predicate
    definition = _table(predicate, "buildDefinition") if modern else predicate
    details = _table(predicate, "runDetails") if modern else predicate
    metadata = _table(details, "metadata")
    request = (
        _table(_table(definition, "externalParameters"), "request")
        if modern
        else _table(_table(predicate, "invocation"), "parameters")
    )
    own = _table(
        metadata, "buildkit_metadata" if modern else "https://mobyproject.org/buildkit@v1#metadata"
    )
    materials = definition.get("resolvedDependencies" if modern else "materials")
    listed = (
        [one for one in materials if isinstance(one, Mapping)]
        if isinstance(materials, list)
        else []
    )
    told, recorded = _table(request, "args"), _table(own, "vcs")
    return Provenance(
        type=str(definition.get("buildType", "")),
        builder=str(_table(details, "builder").get("id", "")),
        source=_source(str(recorded.get("source", "")), str(told.get(f"label:{SOURCE}", ""))),
        revision=str(recorded.get("revision") or told.get(f"label:{REVISION}", "")),
        loose=tuple(str(one.get("uri", "?")) for one in listed if not _pinned(one)),
        materials=len(listed),
        arguments=tuple(
            sorted(key.partition(":")[2] for key in told if key.startswith("build-arg:"))
        ),
        finished=_seconds(str(metadata.get("finishedOn" if modern else "buildFinishedOn", ""))),
    )


def _source(recorded: str, label: str) -> str:
    """The remote that buildx saw; where that was a folder, or none, what the build was told to write on the image."""
    return recorded if parse_remote(recorded) or not label else label


def _table(found: Node, name: str) -> Node:
    inner = found.get(name)
    return inner if isinstance(inner, Mapping) else {}


def _pinned(material: Node) -> bool:
    digests = _table(material, "digest").values()
    return bool(digests) and all(_DIGEST.fullmatch(str(digest)) for digest in digests)


def _seconds(text: str) -> int:
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except ValueError:
        return 0
