"""What a provenance says of a build is read into one shape, whichever version BuildKit wrote.

Sources: SLSA provenance v0.2 and v1.0; BuildKit's `docs/attestations/slsa-definitions.md` for its
own parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from shipway.image.documents import JsonObject, inner_object, inner_objects, inner_text, parse_time
from shipway.image.labels import REVISION, SOURCE
from shipway.image.repository import parse_remote
from shipway.settings.secret_marks import describe_place, find_secrets, is_secret

BUILD_TYPES = (
    "https://mobyproject.org/buildkit@v1",
    "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
)
"""What BuildKit calls its builds, in v0.2 and in v1.0."""
_DIGEST = re.compile(r"[0-9a-f]{40,128}")
_ARGUMENT = "build-arg:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """A provenance says how an image came about; what it does not say is empty."""

    type: str
    builder: str
    source: str
    """Address of the repository."""
    revision: str
    """Full hash of the commit."""
    loose: tuple[str, ...]
    """Materials that no digest pins."""
    materials: int
    """How many materials the build used."""
    arguments: tuple[str, ...]
    """Names of the build arguments: their values are public."""
    secrets: tuple[str, ...]
    """Names of those arguments that hold a secret."""
    leaks: tuple[str, ...]
    """Places of all else that holds one, such as ``meta env HTTP_PROXY``."""
    finished: int | None
    """Seconds since 1970; ``None`` when it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """The parts of a predicate that are read, from where its version keeps them."""

    type: str
    builder: JsonObject
    materials: list[JsonObject]
    arguments: JsonObject
    repository: JsonObject
    """What buildx saw of git."""
    finished: str


def parse_provenance(predicate: JsonObject) -> Provenance:
    """Read a predicate; parts of another type than expected count as not there."""
    read_parts = _v1_parts if "buildDefinition" in predicate else _v02_parts
    parts = read_parts(predicate)
    recorded_source = inner_text(parts.repository, "source")
    label_source = inner_text(parts.arguments, f"label:{SOURCE}")
    recorded_revision = inner_text(parts.repository, "revision")
    label_revision = inner_text(parts.arguments, f"label:{REVISION}")
    return Provenance(
        type=parts.type,
        builder=inner_text(parts.builder, "id"),
        source=_source(recorded_source, label_source),
        revision=recorded_revision or label_revision,
        loose=_loose(parts.materials),
        materials=len(parts.materials),
        arguments=_argument_names(parts.arguments),
        secrets=_secret_arguments(parts.arguments),
        leaks=_find_leaks(predicate),
        finished=parse_time(parts.finished),
    )


def _v1_parts(predicate: JsonObject) -> _Parts:
    definition = inner_object(predicate, "buildDefinition")
    parameters = inner_object(definition, "externalParameters")
    request = inner_object(parameters, "request")
    details = inner_object(predicate, "runDetails")
    metadata = inner_object(details, "metadata")
    buildkit = inner_object(metadata, "buildkit_metadata")
    return _Parts(
        type=inner_text(definition, "buildType"),
        builder=inner_object(details, "builder"),
        materials=inner_objects(definition, "resolvedDependencies"),
        arguments=inner_object(request, "args"),
        repository=inner_object(buildkit, "vcs"),
        finished=inner_text(metadata, "finishedOn"),
    )


def _v02_parts(predicate: JsonObject) -> _Parts:
    invocation = inner_object(predicate, "invocation")
    parameters = inner_object(invocation, "parameters")
    metadata = inner_object(predicate, "metadata")
    buildkit = inner_object(metadata, "https://mobyproject.org/buildkit@v1#metadata")
    return _Parts(
        type=inner_text(predicate, "buildType"),
        builder=inner_object(predicate, "builder"),
        materials=inner_objects(predicate, "materials"),
        arguments=inner_object(parameters, "args"),
        repository=inner_object(buildkit, "vcs"),
        finished=inner_text(metadata, "buildFinishedOn"),
    )


def _source(recorded: str, label: str) -> str:
    """Choose the remote that buildx saw; where it saw none, such as a folder, the label."""
    if parse_remote(recorded):
        return recorded
    return label or recorded


def _loose(materials: Iterable[JsonObject]) -> tuple[str, ...]:
    """Name the materials that no digest pins."""
    addresses: list[str] = []
    for material in materials:
        if not _is_pinned(material):
            address = material.get("uri", "?")
            addresses.append(str(address))
    return tuple(addresses)


def _is_pinned(material: JsonObject) -> bool:
    digests = inner_object(material, "digest")
    for digest in digests.values():
        if not _DIGEST.fullmatch(str(digest)):
            return False
    return bool(digests)


def _secret_arguments(arguments: JsonObject) -> tuple[str, ...]:
    names: list[str] = []
    for name in _argument_names(arguments):
        value = inner_text(arguments, f"{_ARGUMENT}{name}")
        if is_secret(name, value):
            names.append(name)
    return tuple(names)


def _find_leaks(predicate: JsonObject) -> tuple[str, ...]:
    """Name what holds a secret, without the arguments: they are judged by their names, too."""
    leaks: list[str] = []
    for place in find_secrets(predicate):
        last = place[-1]
        if last.startswith(_ARGUMENT):
            continue
        leak = describe_place(place)
        # Each step has the same variables.
        if leak not in leaks:
            leaks.append(leak)
    return tuple(leaks)


def _argument_names(arguments: JsonObject) -> tuple[str, ...]:
    names: list[str] = []
    for key in arguments:
        if key.startswith(_ARGUMENT):
            names.append(key.removeprefix(_ARGUMENT))
    return tuple(sorted(names))
