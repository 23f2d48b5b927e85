"""What the remotes show, in the words of the stages. Frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shipway.image.contents import Contents
from shipway.image.index import Index
from shipway.image.policies.evidence import Point
from shipway.model.actions import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A release as GitHub's API shows it."""

    id: str
    draft: bool
    assets: frozenset[str]
    upload: str
    page: str


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the remotes show now. Empty values mean that a remote answered "not there", or was not asked yet."""

    index: Index | None = None
    """The image of the commit, with all its entries: the one that the version's tag has, else the staged one."""
    staging_moved: bool = False
    """The staging tag is not at that image: another run staged one of its own."""
    nodes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Builders that are there, with the platforms that they can do."""
    contents: Contents | None = None
    """What is in that image."""
    signed: frozenset[str] = frozenset()
    """Digests of the index that carry a signature of the expected identity."""
    attested: frozenset[tuple[str, str]] = frozenset()
    """(digest, kind of predicate) of the attestations that carry a signature of the expected identity."""
    signatures: int = 0
    """How many those are: two runs at the same moment may both have signed."""
    signers: Mapping[str, str] = field(default_factory=dict)
    """What was seen of the signature of each digest: whose it is, or what is wrong."""
    report: tuple[Point, ...] = ()
    """What the strict verification saw; empty when it has not run."""
    packages: Mapping[str, int] = field(default_factory=dict)
    """Number of packages in the SBOM, by platform."""
    git_tag: str = ""
    """Full hash of the commit that the release's git tag points at."""
    head: str = ""
    """Full hash of the release branch's head in the origin."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Digest by image tag, for the tags of the target that exist."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """What the images behind those tags say their version is."""
    release: Published | None = None
    changes: str = ""
    """Which packages changed since the release before it, as Markdown; asked for when the page is written."""
    forgotten: tuple[str, ...] = ()
    """Drafts of that release beside it, made by a run that lost its way or a race."""
    pages: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    """Git tag → the release as GitHub's API shows it."""
    leader: str = ""
    """The release that should be the latest one on GitHub and is not, by its number there."""
    overtaken: bool = False
    """A release of a higher version shows already: it stays the latest one on GitHub."""
    docs: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    """Docs version → its title and its aliases."""
