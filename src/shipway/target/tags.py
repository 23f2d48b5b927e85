"""Context → image tags, all valid by the OCI grammar, none of them another's. Pure.

Grammar: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}` (OCI distribution specification, "Pulling manifests").
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from shipway.errors import ContextError
from shipway.target.context import Context

LATEST, EDGE = "latest", "edge"
_LONGEST = 128
_SUFFIX = 8
_RESERVED = re.compile(
    r"latest|edge|v?\d+(\.\d+)*([-+._].*)?|sha-.*|sha256-.*|pr-.*", re.IGNORECASE
)
"""What releases, pull requests, commits and cosign's signatures are tagged: no branch may take one of these."""
_QUEUE = "gh-readonly-queue/"
"""Prefix of the branches that GitHub makes for a merge queue and deletes when it has merged."""
_ESCAPED = re.compile(r".*-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class ImageTags:
    """``staging`` is the commit's own tag; ``names`` are all tags in order of priority, ``staging`` last."""

    channel: str
    staging: str
    names: tuple[str, ...]


def plan_tags(
    context: Context, *, version: str = "", moving: tuple[str, ...] = (), edge: str = ""
) -> ImageTags:
    """The tags of a release when there is a ``version``, else of the pull request or the branch.

    ``moving`` are the tags that a release takes over (see ``plan_moving``), ``edge`` is the branch whose head is also
    tagged so, none when empty.
    """
    staging = f"sha-{context.commit[:7]}"
    if version:
        channel = "prerelease" if "-" in version else "release"
        return ImageTags(channel, staging, (f"v{version}".replace("+", "_"), *moving, staging))
    if context.pull_request is not None:
        return ImageTags("pull-request", staging, (f"pr-{context.pull_request}", staging))
    if not context.branch or context.branch.startswith(_QUEUE):
        return ImageTags("branch", staging, (staging,))
    names = (plan_branch_tag(context.branch), *((EDGE,) if context.branch == edge else ()))
    return ImageTags("branch", staging, (*names, staging))


def plan_moving(version: str, others: Iterable[str], *, rolling: bool) -> tuple[str, ...]:
    """The tags that move to a release: each to the highest stable version of its line, never backwards.

    ``others`` are the versions that exist. ``latest`` follows all of them; with ``rolling``, ``v1.2`` follows those of
    1.2 and ``v1`` those of 1. There is no ``v0``: before 1.0.0 a minor version may break
    (Semantic Versioning 2.0.0, item 4).
    """
    if "-" in version:
        return ()
    own, known = _numbers(version), [_numbers(other) for other in others if "-" not in other]
    lines = [(LATEST, 0)] + ([(f"v{own[0]}.{own[1]}", 2)] if rolling else [])
    lines += [(f"v{own[0]}", 1)] if rolling and own[0] else []
    return tuple(
        name
        for name, depth in lines
        if all(own >= other for other in known if other[:depth] == own[:depth])
    )


def plan_branch_tag(branch: str) -> str:
    """The tag of a branch: its own name where that is a free and valid tag.

    A name that has to be changed gets a suffix from a hash of all of it, so that no two branches share a tag. A name
    that looks as if it had such a suffix gets one too.
    """
    clean = re.sub(r"[^a-zA-Z0-9._-]+", "-", branch).lstrip(".-")
    if (
        branch
        and clean == branch
        and len(branch) <= _LONGEST
        and not _RESERVED.fullmatch(branch)
        and not _ESCAPED.fullmatch(branch)
    ):
        return branch
    digest = hashlib.sha256(branch.encode("utf-8", "surrogatepass")).hexdigest()[:_SUFFIX]
    stem = clean[: _LONGEST - _SUFFIX - 1].rstrip(".-") or "branch"
    if _RESERVED.fullmatch(f"{stem}-{digest}"):
        stem = f"branch-{stem}"[: _LONGEST - _SUFFIX - 1]
    return f"{stem}-{digest}"


def image_name(configured: str, context: Context) -> str:
    """The image's name without tag: as configured, else ``ghcr.io/<owner>/<name>`` in lower case."""
    if configured:
        return configured
    if not context.repository:
        raise ContextError(
            "no name for the image: the git remote is no GitHub address",
            hint='set `image = "ghcr.io/<owner>/<name>"` in [tool.shipway]',
        )
    return f"ghcr.io/{context.repository.lower()}"


def find_previous(version: str, versions: Iterable[str]) -> str:
    """The highest stable version below ``version``, which may be a pre-release; empty when there is none."""
    bound = version.partition("-")[0]
    return max((one for one in versions if is_higher(bound, one)), key=_numbers, default="")


def is_higher(version: str, other: str) -> bool:
    """Whether both are stable versions, and the first is above the second."""
    stable = re.compile(r"\d+\.\d+\.\d+(\+.*)?")
    return bool(stable.fullmatch(version) and stable.fullmatch(other)) and _numbers(
        version
    ) > _numbers(other)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.partition("+")[0].split("."))
