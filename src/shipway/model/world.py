"""This module describes what the remotes show, as frozen data in the words of the stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from shipway.image.contents import Contents
from shipway.image.index import Index
from shipway.image.policies import Point
from shipway.model.actions import Json

Page: TypeAlias = Mapping[str, Json]
"""Holds a release as GitHub's API gives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Holds a release as GitHub's API shows it."""

    id: str
    draft: bool
    assets: frozenset[str]
    upload: str
    page: str
    body: str = ""
    broken: tuple[str, ...] = ()
    """Lists the ids of assets whose upload broke off: GitHub keeps their names."""


@dataclass(frozen=True, slots=True)
class DocsVersion:
    """Holds the title of a version of the docs, and the aliases that point at it."""

    title: str
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """Holds what a builder of buildx is: its name and driver, and its nodes."""

    name: str = ""
    driver: str = ""
    platforms: tuple[str, ...] = ()
    """Lists what its nodes can build; it is empty while none of them has run."""
    endpoints: tuple[str, ...] = ()
    """Gives the address of each node."""
    on_host_network: bool = False
    """Says that the containers of all its nodes are on the network of their machines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Holds what the remotes show now.

    Empty values mean that a remote answered "not there", or was not asked yet.
    """

    index: Index | None = None
    """Holds the image of the commit, with all its entries: the one that the version's tag has, else
    the staged one.
    """
    holder: str = ""
    """Names the tag of a version that is at that image."""
    staging_moved: bool = False
    """Says that the staging tag is not at that image: another run staged one of its own."""
    builders: Mapping[str, Builder] = field(default_factory=dict)
    """Holds the builders that are there, by name; the one in use has an empty name."""
    parts: frozenset[str] = frozenset()
    """Lists the platforms whose images were built apart, and wait to be merged."""
    contents: Contents | None = None
    """Holds what is in that image."""
    signed: frozenset[str] = frozenset()
    """Lists the digests of the index that carry a signature of the expected identity."""
    attested: frozenset[tuple[str, str]] = frozenset()
    """Lists (digest, predicate type) of the attestations that the expected identity signed."""
    signatures: int = 0
    """Counts the signatures on ``signed``: two runs at the same moment may both have signed."""
    signers: Mapping[str, str] = field(default_factory=dict)
    """Holds what cosign said of each digest's signature: whose it is, or what is wrong."""
    refusals: tuple[str, ...] = ()
    """Holds why cosign refused signatures or attestations that it found, the latest ones asked for."""
    report: tuple[Point, ...] = ()
    """Holds what the strict verification looked at; empty when it has not run."""
    git_tag: str = ""
    """Holds the full hash of the commit that the release's git tag points at."""
    withdrawal: str = ""
    """Holds the full hash of the commit that the tag of the release's withdrawal points at."""
    head: str = ""
    """Holds the full hash of the release branch's head in the origin."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Gives the digest by image tag, for the tags of the target that exist."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Holds what the images behind those tags say their version is."""
    promised: str = ""
    """Holds the digest that the release's page names, where the version's tag is not there."""
    release: Published | None = None
    changes: str = ""
    """Says in Markdown which packages changed since the release before; asked for with the page."""
    forgotten: tuple[str, ...] = ()
    """Lists the ids of drafts beside that release, left by a run that lost its way or a race."""
    pages: Mapping[str, Page] = field(default_factory=dict)
    """Holds the releases as GitHub's API shows them, by git tag."""
    leader: str = ""
    """Holds the id of the release that should be the latest one on GitHub and is not."""
    overtaken: bool = False
    """Says that a release of a higher version is public already: it stays GitHub's latest one."""
    docs: Mapping[str, DocsVersion] = field(default_factory=dict)
    """Holds the docs that are published, by version."""

    @property
    def pushed(self) -> Index | None:
        """Give the image that a registry has; ``None`` also while a dry run only imagines one."""
        if self.index is None or self.index.imagined:
            return None
        return self.index


def require_index(world: World) -> Index:
    """Give the image, for stages after the build; raise ``ValueError`` where there is none.

    No such stage is planned without an image.
    """
    if world.index is None:
        raise ValueError("the world has no image yet")
    return world.index


def require_contents(world: World) -> Contents:
    """Give what was read back of the image; raise ``ValueError`` before that."""
    if world.contents is None:
        raise ValueError("the image was not read back yet")
    return world.contents
