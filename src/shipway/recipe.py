"""How an image is built and signed: what stages hand to buildx and cosign."""

from __future__ import annotations

from dataclasses import dataclass, field

from shipway.caches import Cache


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
