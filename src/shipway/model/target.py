"""What should exist when the pipeline has run, and how an image is built and signed. Frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """Values of ``--cache-from`` and ``--cache-to``, and the variables that are missing for them."""

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """How images are built."""

    args: tuple[str, ...] = ()
    """Arguments of ``docker buildx build`` that come from the settings, already checked."""
    secrets: tuple[str, ...] = ()
    """Names of the variables that build secrets (`--secret id=…,env=NAME`) are read from."""
    dockerfile: str = "Dockerfile"
    context: str = "."
    """Folder that is sent to the build, relative to the checkout."""
    strategy: str = "cross"
    """How foreign platforms are built: ``cross``, ``emulated`` or ``native``."""
    cache: Cache = field(default_factory=Cache)
    sbom: str = ""
    """Image that makes the SBOM; BuildKit's own when empty."""
    node: str = ""
    """Name of the builder; the one that is in use when empty."""
    node_commands: tuple[tuple[str, ...], ...] = ()
    """What makes that builder."""
    allow_foreign: tuple[str, ...] = ()
    """Patterns of compiled files that may be for another machine."""
    started: str = ""
    """Full hash of the commit that the workflow runs on; empty outside of one."""
    epoch: int = 0
    """Seconds since 1970 of the commit, for ``SOURCE_DATE_EPOCH``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """How images are signed, and which identity a consumer has to expect.

    With ``key`` empty signing is keyless: the certificate's subject has to be exactly ``identity``, its issuer
    exactly ``issuer`` (never regular expressions, which cosign does not anchor). A reusable workflow signs for whoever
    calls it: ``repository`` and ``ref`` are the caller's.
    """

    key: str = ""
    public_key: str = ""
    identity: str = ""
    issuer: str = ""
    repository: str = ""
    ref: str = ""
    commit: str = ""
    """Full hash of the commit that the workflow ran on."""
    trigger: str = ""
    """Name of the event that started it."""
    transparency_log: bool = True
    trusted_root: str = ""
    """Path of a cosign 3 trusted root; empty: cosign's default."""
    config: str = ""
    """Path of a cosign 3 signing config; empty: cosign's default."""
    attest: bool = False
    """Sign SBOM and provenance as attestations, too."""
    browser: bool = False
    """Somebody is there who logs in with a browser."""
    modern: bool = False
    """cosign 3: it has ``--signing-config``. Found by asking the program, since builds report versions loosely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What should exist when the pipeline has run. ``version`` is empty for branches and pull requests."""

    image: str
    commit: str
    """Full hash of the commit that the image is built from; for a release, of the release commit."""
    branch: str
    channel: str
    """``branch``, ``pull-request``, ``release`` or ``prerelease`` (see ``shipway.tags``)."""
    staging: str
    """The tag that an image is pushed under before it is signed and verified: ``sha-…``."""
    tags: tuple[str, ...]
    """The tags that people follow, in order of priority; they move only after verification."""
    platforms: tuple[str, ...]
    folder: str
    """The checkout of ``commit`` that commands run in."""
    remote: str = "origin"
    version: str = ""
    tag: str = ""
    """The git tag of the release."""
    base: str = ""
    """Full hash of the branch's head in the origin when the release was decided; empty where there was none."""
    notes: str = ""
    previous: str = ""
    """The version before it that people use, empty where there is none."""
    latest: bool = False
    """This is the highest stable version: it takes ``latest`` in the registry, on GitHub and in the docs."""
    withdrawn: tuple[str, ...] = ()
    """Versions that were taken back: they stand in no other's way."""
    repository: str = ""
    """``owner/name`` on GitHub."""
    signing: Signing = field(default_factory=Signing)
    build: Building = field(default_factory=Building)
    parts: tuple[str, ...] = ()
    """Digests of images of one platform each that are merged, in place of a build."""
    labels: Mapping[str, str] = field(default_factory=dict)
    licenses: tuple[str, ...] = ()
    """Licenses that packages of the image may have; any when empty."""
    builder: str = ""
    """Address of the CI run, which becomes the builder's identity in the provenance; empty on a laptop."""
    docs: str = ""
    """The docs version to publish (``1.2``), empty when the project has no docs."""
    docs_branch: str = "gh-pages"
    docs_config: str = "mkdocs.yml"
