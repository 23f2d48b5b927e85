"""Reads the in-toto statements about an image: SBOM and provenance, as BuildKit keeps them.

Sources: the in-toto attestation framework ("Statement"); BuildKit's
`docs/attestations/attestation-storage.md` for the manifest that holds them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from shipway.effects.blobs import RegistryImage
from shipway.effects.environment import cache_folder
from shipway.effects.manifests import Descriptor, Manifest
from shipway.effects.registry import connect
from shipway.errors import StepFailed
from shipway.image.contents import PROVENANCE, SPDX, Attestation, Statement
from shipway.image.index import SUBJECT, Entry, Index, is_attestation
from shipway.image.sbom import parse_packages

Document = dict[str, Any]  # Any: the values of a JSON document
PREDICATE = "in-toto.io/predicate-type"
"""Annotation of an attestation's layers."""
_DISTRIBUTION = "pkg:pypi/"
"""Beginning of the package URL of a Python distribution."""


class _Subject(msgspec.Struct, frozen=True, kw_only=True):
    digest: dict[str, str] | None = None


class _Statement(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    predicate_type: str = ""
    predicate: Document | None = None
    subject: tuple[_Subject, ...] | None = None


class _RawStatement(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A statement whose predicate is handed on as it came."""

    predicate_type: str = ""
    predicate: msgspec.Raw = msgspec.Raw(b"null")


def is_image(entry: Descriptor) -> bool:
    """Answer whether an entry of an index is an image, and not what is said about one."""
    return not is_attestation(entry.platform, entry.annotations)


def read_attestation(image: RegistryImage, entry: Descriptor) -> Attestation:
    """Read the statements that an entry of an index holds about another one."""
    manifest = image.manifest(entry.digest)
    statements: list[Statement] = []
    for layer in manifest.layers or ():
        document = image.document(layer.digest, _Statement)
        statement = _summarize(document)
        statements.append(statement)
    return Attestation(
        digest=entry.digest,
        subject=entry.annotation(SUBJECT),
        statements=tuple(statements),
    )


def _summarize(statement: _Statement) -> Statement:
    predicate = statement.predicate or {}
    is_sbom = statement.predicate_type.startswith(SPDX)
    packages = parse_packages([predicate]) if is_sbom else ()
    return Statement(
        type=statement.predicate_type,
        subjects=tuple(sorted(_subject_digests(statement))),
        build=predicate if statement.predicate_type.startswith(PROVENANCE) else {},
        packages=tuple((package.name, package.version, package.license) for package in packages),
        distributions=tuple(
            (package.name, package.version)
            for package in packages
            if package.purl.startswith(_DISTRIBUTION)
        ),
    )


def _subject_digests(statement: _Statement) -> set[str]:
    digests = set()
    for subject in statement.subject or ():
        checksums = subject.digest or {}
        for method, checksum in checksums.items():
            digests.add(f"{method}:{checksum}")
    return digests


def read_sbom_documents(
    name: str, index: Index, environment: Mapping[str, str]
) -> dict[str, list[Document]]:
    """Give the predicates of the SBOMs of the image ``name``, by platform."""
    with connect(name, environment) as registry:
        image = RegistryImage(registry, cache_folder(environment))
        documents = {}
        for entry in index.images:
            documents[entry.platform] = list(_sboms(image, index, entry))
        return documents


def _sboms(image: RegistryImage, index: Index, entry: Entry) -> Iterator[Document]:
    for attestation in index.attestations:
        if attestation.subject != entry.digest:
            continue
        manifest = image.manifest(attestation.digest)
        for layer in _layers_of_type(manifest, SPDX):
            statement = image.document(layer.digest, _Statement)
            if statement.predicate_type.startswith(SPDX):
                yield statement.predicate or {}


def _layers_of_type(manifest: Manifest, predicate_type: str) -> Iterator[Descriptor]:
    """Give the layers whose annotation begins with this type; one without it may hold anything."""
    for layer in manifest.layers or ():
        annotation = layer.annotation(PREDICATE)
        if not annotation or annotation.startswith(predicate_type):
            yield layer


def read_predicate(
    name: str, digest: str, predicate_type: str, environment: Mapping[str, str]
) -> bytes:
    """Give the predicate of the one statement of that type in the manifest at ``digest``, as JSON.

    Raises ``StepFailed`` where the manifest holds no such statement, or cannot be read.
    """
    with connect(name, environment) as registry:
        image = RegistryImage(registry, cache_folder(environment))
        manifest = image.manifest(digest)
        for layer in _layers_of_type(manifest, predicate_type):
            statement = image.document(layer.digest, _RawStatement)
            if statement.predicate_type == predicate_type:
                return bytes(statement.predicate)
    raise StepFailed(
        f"{name}@{digest} holds no statement of type {predicate_type}", hint="build the image again"
    )
