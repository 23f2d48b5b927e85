"""This module describes what should exist when the pipeline has run.

All of it is frozen data, made from context and settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shipway.model.release import Release
from shipway.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """Holds the caches of a build: values of ``--cache-from`` and ``--cache-to``.

    ``lacks`` are the names of variables that are missing for them.
    """

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """Holds what a build needs to know beyond the settings."""

    builder: str = ""
    """Names the builder; the one that is in use when empty."""
    cache: Cache = field(default_factory=Cache)
    caches: Mapping[str, Cache] = field(default_factory=dict)
    """Holds the caches of platforms that are built apart, by platform."""
    certificates: str = ""
    """Holds the path of the machine's own certificate authorities, empty where it has none."""
    run_url: str = ""
    """Holds the address of the CI run, which provenance names as builder; empty on a laptop."""
    workflow_commit: str = ""
    """Holds the full hash of the commit that the workflow runs on; empty outside of one."""
    exposed: tuple[str, ...] = ()
    """Names arguments and labels that hold a secret: an image shows them to everybody."""
    epoch: int = 0
    """Dates the commit, in seconds since 1970, for ``SOURCE_DATE_EPOCH``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Says whose signature an image carries, and how it is checked.

    With ``key`` empty signing is keyless: the certificate's subject has to be exactly ``identity``,
    its issuer exactly ``issuer`` (never regular expressions, which cosign does not anchor). A
    reusable workflow signs for whoever calls it: ``repository`` and ``ref`` are the caller's.
    """

    key: str = ""
    public_key: str = ""
    identity: str = ""
    issuer: str = ""
    repository: str = ""
    ref: str = ""
    commit: str = ""
    """Holds the full hash of the commit that the workflow ran on."""
    trigger: str = ""
    """Names the event that started the workflow."""
    transparency_log: bool = True
    trusted_root: str = ""
    """Holds the path of a cosign 3 trusted root; cosign's default when empty."""
    has_signing_config: bool = False
    """Says that cosign is of version 3, which knows signing configs and trusted roots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Holds what should exist when the pipeline has run.

    It has no ``release`` for a branch or a pull request.
    """

    settings: Settings = field(default_factory=Settings)
    image: str
    """Names the image in the registry, without a tag."""
    commit: str
    """Holds the full hash of the commit that is built; for a release, of the release commit."""
    branch: str
    channel: str
    """Is ``branch``, ``pull-request``, ``release`` or ``prerelease`` (see ``target/tags``)."""
    staging: str
    """Names the tag that an image is pushed under before it is signed and verified: ``sha-…``."""
    tags: tuple[str, ...]
    """Names the tags that people follow, the first one first; they move after verification."""
    platforms: tuple[str, ...]
    folder: str
    """Holds the path of the checkout of ``commit`` that commands run in."""
    repository: str = ""
    """Names the repository on GitHub, ``owner/name``; empty where there is none."""
    distribution: str = ""
    """Names the project's own Python distribution."""
    labels: Mapping[str, str] = field(default_factory=dict)
    signer: Signer = field(default_factory=Signer)
    build: Building = field(default_factory=Building)
    parts: tuple[str, ...] = ()
    """Holds the digests of images of one platform each that are merged, in place of a build."""
    release: Release | None = None
    docs_version: str | None = None
    """Names the docs version to publish (``1.2``), ``None`` when the project has no docs."""

    @property
    def remote(self) -> str:
        """Name the git remote that is released to."""
        return self.settings.remote


def unreleased_reason(target: Target) -> str | None:
    """Say why the stages of a release skip the target, ``None`` where it has a release."""
    if target.release is None:
        return f"a {target.channel} build is not released"
    return None


def require_release(target: Target) -> Release:
    """Give the release of a target; raise ``ValueError`` where it has none.

    Stages that need a release skip every other target.
    """
    if target.release is None:
        raise ValueError("the target is no release")
    return target.release
