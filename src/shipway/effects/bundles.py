"""Asks a registry which Sigstore bundles it has about a digest.

A registry lists what refers to a digest in its referrers API or, where it has none, in an index
under a tag of the digest's name (OCI distribution specification 1.1, "Referrers Tag Schema").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from shipway.effects.registry import NotThere, Registry, connect

PREDICATE = "dev.sigstore.bundle.predicateType"
"""Annotation of a bundle's manifest (cosign's `specs/BUNDLE_SPEC.md`)."""


def read_bundle_types(
    name: str, digests: Iterable[str], environment: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """Give the predicate types of the bundles about each of ``digests`` of the image ``name``.

    Raises ``StepFailed`` where the registry does not say.
    """
    with connect(name, environment) as registry:
        return {digest: tuple(_bundle_types(registry, digest)) for digest in digests}


def _bundle_types(registry: Registry, digest: str) -> list[str]:
    types: list[str] = []
    for referrer in _find_referrers(registry, digest):
        # One that is listed and gone, or has lost its blob, says nothing any more.
        with suppress(NotThere):
            predicate_type = _read_bundle_type(registry, referrer)
            if predicate_type is not None:
                types.append(predicate_type)
    return types


def find_lost_referrers(
    name: str, digests: Iterable[str], environment: Mapping[str, str]
) -> dict[str, list[str]]:
    """List what refers to each of ``digests`` of the image ``name``, and has lost a part or all.

    Raises ``StepFailed`` where the registry does not say.
    """
    lost: dict[str, list[str]] = {}
    with connect(name, environment) as registry:
        for digest in digests:
            lost[digest] = []
            for referrer in _find_referrers(registry, digest):
                try:
                    _read_bundle_type(registry, referrer)
                except NotThere:
                    lost[digest].append(referrer)
    return lost


def _read_bundle_type(registry: Registry, digest: str) -> str | None:
    """Give a bundle's predicate type, ``None`` of another manifest.

    Raises ``NotThere`` where a part of it is gone.
    """
    _, manifest = registry.manifest(digest)
    annotations = manifest.annotations or {}
    predicate_type = annotations.get(PREDICATE)
    if predicate_type is not None:
        for layer in manifest.layers or ():
            registry.require_blob(layer.digest)
    return predicate_type


def _find_referrers(registry: Registry, digest: str) -> list[str]:
    referrers = registry.referrers(digest)
    with suppress(NotThere):
        tag = digest.replace(":", "-")
        _, index = registry.manifest(tag)
        for descriptor in index.manifests or ():
            referrers.append(descriptor.digest)
    return list(dict.fromkeys(referrers))
