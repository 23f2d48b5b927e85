"""Reads the in-toto statements about an image: SBOM and provenance, as BuildKit keeps them.

Sources: the in-toto attestation framework ("Statement"); BuildKit's
`docs/attestations/attestation-storage.md` for the manifest that holds them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import msgspec

from shipway.effects.blobs import RegistryImage
from shipway.effects.broken_parts import BrokenParts, explain_broken, note_broken_image
from shipway.effects.environment import cache_folder
from shipway.effects.manifests import Descriptor, Manifest
from shipway.effects.registry import connect
from shipway.errors import StepFailed
from shipway.image.contents import (
    ATTESTATION,
    PROVENANCE,
    SPDX,
    STATEMENT,
    Attestation,
    BrokenPart,
    Statement,
)
from shipway.image.index import SUBJECT, is_attestation, platform_name
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


def read_attestation(
    image: RegistryImage, entry: Descriptor, platform: str, broken: BrokenParts
) -> Attestation | None:
    """Read the statements that an entry of an index holds about another one.

    Gives ``None`` where its manifest is broken; a broken statement is left out.
    """
    manifest = broken.read(
        ATTESTATION,
        platform,
        entry,
        image.manifest,
    )
    if manifest is None:
        return None
    read = partial(image.document, document_type=_Statement)
    statements: list[Statement] = []
    for layer in manifest.layers or ():
        document = broken.read(STATEMENT, platform, layer, read)
        if document is not None:
            statement = _summarize(document)
            statements.append(statement)
    return Attestation(
        digest=entry.digest,
        subject=entry.annotation(SUBJECT),
        statements=tuple(statements),
    )


def _summarize(statement: _Statement) -> Statement:
    predicate_type = statement.predicate_type
    subjects = sorted(_subject_digests(statement))
    predicate = statement.predicate or {}
    build: Document = {}
    if predicate_type.startswith(PROVENANCE):
        build = predicate
    packages: list[tuple[str, str, str]] = []
    distributions: list[tuple[str, str]] = []
    if predicate_type.startswith(SPDX):
        for package in parse_packages([predicate]):
            name = package.name
            version = package.version
            packages.append((name, version, package.license))
            if package.purl.startswith(_DISTRIBUTION):
                distributions.append((name, version))
    return Statement(
        type=predicate_type,
        subjects=tuple(subjects),
        build=build,
        packages=tuple(packages),
        distributions=tuple(distributions),
    )


def _subject_digests(statement: _Statement) -> set[str]:
    digests = set()
    for subject in statement.subject or ():
        checksums = subject.digest or {}
        for method, checksum in checksums.items():
            digests.add(f"{method}:{checksum}")
    return digests


class SbomDocuments(msgspec.Struct, frozen=True, kw_only=True):
    """Holds the predicates of an image's SBOMs by platform, and which parts of it are broken."""

    by_platform: dict[str, list[Document]]
    broken: tuple[BrokenPart, ...] = ()


def read_sbom_documents(name: str, word: str, environment: Mapping[str, str]) -> SbomDocuments:
    """Read the SBOMs of the index behind a tag or a digest of the image ``name``.

    Raises ``NotThere`` where there is no such index.
    """
    broken = BrokenParts()
    by_platform: dict[str, list[Document]] = {}
    with connect(name, environment) as registry:
        image = RegistryImage(registry, cache_folder(environment))
        _, index = registry.manifest(word)
        entries = index.manifests or ()
        for entry in entries:
            if not is_image(entry):
                continue
            platform = platform_name(entry.platform or {})
            note_broken_image(
                image,
                entry,
                platform,
                broken,
            )
            documents: list[Document] = []
            for attestation in entries:
                subject = attestation.annotation(SUBJECT)
                if subject == entry.digest:
                    sboms = _read_sboms(image, attestation, platform, broken)
                    documents += sboms
            by_platform[platform] = documents
    return SbomDocuments(
        by_platform=by_platform,
        broken=broken.parts,
    )


def _read_sboms(
    image: RegistryImage, attestation: Descriptor, platform: str, broken: BrokenParts
) -> Iterator[Document]:
    manifest = broken.read(
        ATTESTATION,
        platform,
        attestation,
        image.manifest,
    )
    if manifest is None:
        return
    read = partial(image.document, document_type=_Statement)
    for layer in _layers_of_type(manifest, SPDX):
        statement = broken.read(STATEMENT, platform, layer, read)
        if statement is None:
            continue
        is_sbom = statement.predicate_type.startswith(SPDX)
        if is_sbom:
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

    Raises ``StepFailed`` where the manifest holds no such statement, or cannot be read, and
    ``VerificationFailed`` where it or a statement is broken.
    """
    broken = BrokenParts()
    entry = Descriptor(digest=digest)
    with connect(name, environment) as registry:
        image = RegistryImage(registry, cache_folder(environment))
        manifest = broken.read(ATTESTATION, name, entry, image.manifest)
        layers = _layers_of_type(manifest or Manifest(), predicate_type)
        read = partial(image.document, document_type=_RawStatement)
        for layer in layers:
            statement = broken.read(STATEMENT, name, layer, read)
            if statement is not None and statement.predicate_type == predicate_type:
                return bytes(statement.predicate)
    if broken.parts:
        raise explain_broken(f"{name}@{digest}", broken.parts)
    raise StepFailed(
        f"{name}@{digest} holds no statement of type {predicate_type}", hint="build the image again"
    )
