"""This module plans image tags, all valid by the OCI grammar, none of them another's. Pure.

Grammar: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}` (OCI distribution specification, "Pulling manifests").
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from shipway.errors import ContextError, SettingsError
from shipway.model.release import LATEST
from shipway.model.version import PLUS, Version, highest_version
from shipway.settings.image_names import normalize_name
from shipway.target.context import Context

EDGE = "edge"
_LONGEST = 128
_SUFFIX = 8
_RESERVED = re.compile(
    r"latest|edge|v?\d+(\.\d+)*([-+._].*)?|sha-.*|sha256-.*|pr-.*", re.IGNORECASE
)
"""Matches the tags of releases, pull requests, commits and signatures: no branch may take one."""
_QUEUE = "gh-readonly-queue/"
"""Begins the branches that GitHub makes for a merge queue and deletes when it has merged."""
_ESCAPED = re.compile(r".*-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class ImageTags:
    """Holds ``staging``, the commit's own tag, and ``public``, the others in order of priority."""

    channel: str
    staging: str
    public: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """List all tags in order of priority, ``staging`` last."""
        return (*self.public, self.staging)


def plan_tags(context: Context, *, edge: str | None = None) -> ImageTags:
    """Plan the tags of a pull request or a branch; the branch ``edge`` is also tagged so."""
    staging = _staging_tag(context.commit)
    branch = context.branch
    if context.pull_request is not None:
        tag = f"pr-{context.pull_request}"
        return ImageTags(
            channel="pull-request",
            staging=staging,
            public=(tag,),
        )
    public: list[str] = []
    if branch and not branch.startswith(_QUEUE):
        tag = plan_branch_tag(branch)
        public.append(tag)
        if branch == edge:
            public.append(EDGE)
    return ImageTags(
        channel="branch",
        staging=staging,
        public=tuple(public),
    )


def plan_release_tags(
    commit: str, version: Version, moving: tuple[str, ...] = (), *, plus: str = PLUS
) -> ImageTags:
    """Plan the tags of a release; ``moving`` are those that it takes over (see ``plan_moving``)."""
    channel = "release" if version.is_stable else "prerelease"
    own_tag = version.image_tag(plus)
    return ImageTags(
        channel=channel,
        staging=_staging_tag(commit),
        public=(own_tag, *moving),
    )


def _staging_tag(commit: str) -> str:
    short_commit = commit[:7]
    return f"sha-{short_commit}"


def require_own_tag(version: Version, others: Iterable[Version], plus: str) -> None:
    """Make sure that a version's image tag is valid, and no other version's.

    Raises ``SettingsError``.
    """
    tag = version.image_tag(plus)
    if len(tag) > _LONGEST:
        raise SettingsError(
            f"the image tag of {version} would be longer than {_LONGEST} characters: {tag}",
            hint="name the release by a shorter version",
        )
    for other in others:
        if other != version and other.image_tag(plus) == tag:
            raise SettingsError(
                f"the versions {version} and {other} would have one image tag, {tag}",
                hint='set `plus = "_"` in [tool.shipway.tags]: no version has that character',
            )


def plan_moving(version: Version, others: Iterable[Version], *, rolling: bool) -> tuple[str, ...]:
    """Plan the tags that move to a release: each to the highest stable version of its line.

    ``others`` are the versions that exist; no tag moves backwards. ``latest`` follows all of them;
    with ``rolling``, ``v1.2`` follows those of 1.2 and ``v1`` those of 1. There is no ``v0``:
    before 1.0.0 a minor version may break (Semantic Versioning 2.0.0, item 4).
    """
    if not version.is_stable:
        return ()
    holders = find_holders([*others, version], rolling=rolling)
    tags = _line_tags(version, rolling=rolling)
    moving: list[str] = []
    for tag in tags:
        if holders[tag] == version:
            moving.append(tag)
    return tuple(moving)


def find_holders(versions: Iterable[Version], *, rolling: bool) -> dict[str, Version]:
    """Give the version that each moving tag belongs to: the highest stable one of its line."""
    stable = [version for version in versions if version.is_stable]
    stable.sort(key=lambda version: version.order)
    holders: dict[str, Version] = {}
    for version in stable:
        tags = _line_tags(version, rolling=rolling)
        holders |= dict.fromkeys(tags, version)
    return holders


def _line_tags(version: Version, *, rolling: bool) -> list[str]:
    """Name the tags that the highest stable version of each line of ``version`` has."""
    tags = [LATEST]
    if not rolling:
        return tags
    major_tag = f"v{version.major}"
    tags.append(f"{major_tag}.{version.minor}")
    if version.major:
        tags.append(major_tag)
    return tags


def find_previous(version: Version, versions: Iterable[Version]) -> Version | None:
    """Find the highest stable version below ``version``, which may be a pre-release."""
    bound = version
    if not version.is_stable:
        bound = Version(
            version.major,
            version.minor,
            version.patch,
        )
    below: list[Version] = []
    for other in versions:
        if other.is_stable and bound.is_above(other):
            below.append(other)
    return highest_version(below)


def plan_branch_tag(branch: str) -> str:
    """Plan the tag of a branch: its own name where that is a free and valid tag.

    A name that has to be changed gets a suffix from a hash of all of it, so that no two branches
    share a tag. A name that looks as if it had such a suffix gets one too.
    """
    if _is_tag(branch):
        return branch
    suffix = _branch_suffix(branch)
    room = _LONGEST - _SUFFIX - 1
    clean = _clean(branch)
    shortened = clean[:room]
    stem = shortened.rstrip(".-") or "branch"
    tag = f"{stem}-{suffix}"
    if not _RESERVED.fullmatch(tag):
        return tag
    longer_stem = f"branch-{stem}"
    stem = longer_stem[:room]
    return f"{stem}-{suffix}"


def _branch_suffix(branch: str) -> str:
    """Give the beginning of a hash of the branch's name, which tells it from all others."""
    content = branch.encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(content).hexdigest()
    return digest[:_SUFFIX]


def _clean(branch: str) -> str:
    """Put a hyphen for what a tag may not have; a tag begins with neither dot nor hyphen."""
    clean = re.sub(r"[^a-zA-Z0-9._-]+", "-", branch)
    return clean.lstrip(".-")


def _is_tag(branch: str) -> bool:
    """Say whether a branch's name is a valid tag that no other may have."""
    if not branch or len(branch) > _LONGEST:
        return False
    if _RESERVED.fullmatch(branch):
        return False
    if _ESCAPED.fullmatch(branch):
        return False
    return _clean(branch) == branch


def image_name(configured: str, context: Context) -> str:
    """Name the image in full, without tag: as configured, else ``ghcr.io/<owner>/<name>``."""
    if configured:
        return normalize_name(configured) or configured
    if not context.repository:
        raise ContextError(
            "no name for the image: the git remote is no GitHub address",
            hint='set `image = "ghcr.io/<owner>/<name>"` in [tool.shipway]',
        )
    return f"ghcr.io/{context.repository.lower()}"
