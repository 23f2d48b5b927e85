"""Context → image tags, all valid by the OCI grammar, none of them another's. Pure.

Grammar: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}` (OCI distribution specification, "Pulling manifests").
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from shipway.context import Context
from shipway.errors import ContextError

_LONGEST = 128
_SUFFIX = 8
_RESERVED = re.compile(r"latest|edge|v?\d+(\.\d+)*([-+._].*)?|sha-.*|sha256-.*|pr-.*", re.IGNORECASE)
"""What releases, pull requests, commits and cosign's signatures are tagged: no branch may take one of these."""
_ESCAPED = re.compile(r".*-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Tags:
    """``staging`` is the commit's own tag; ``names`` are all tags in order of priority, ``staging`` last."""

    channel: str
    staging: str
    names: tuple[str, ...]


def plan_tags(context: Context, *, version: str = "", latest: bool = False) -> Tags:
    """The tags of a release when there is a ``version``, else of the pull request or the branch."""
    staging = f"sha-{context.commit[:7]}"
    if version:
        stable = "-" not in version
        names = (f"v{version}".replace("+", "_"), *(("latest",) if stable and latest else ()))
        return Tags("release" if stable else "prerelease", staging, (*names, staging))
    if context.pull_request is not None:
        return Tags("pull-request", staging, (f"pr-{context.pull_request}", staging))
    own = (plan_branch_tag(context.branch),) if context.branch else ()
    return Tags("branch", staging, (*own, staging))


def plan_branch_tag(branch: str) -> str:
    """The tag of a branch: its own name where that is a free and valid tag.

    A name that has to be changed gets a suffix from a hash of all of it, so that no two branches share a tag. A name
    that looks as if it had such a suffix gets one too.
    """
    clean = re.sub(r"[^a-zA-Z0-9._-]+", "-", branch).lstrip(".-")
    if branch and clean == branch and len(branch) <= _LONGEST and not _RESERVED.fullmatch(branch) \
            and not _ESCAPED.fullmatch(branch):
        return branch
    digest = hashlib.sha256(branch.encode("utf-8", "surrogatepass")).hexdigest()[:_SUFFIX]
    stem = clean[:_LONGEST - _SUFFIX - 1].rstrip(".-") or "branch"
    if _RESERVED.fullmatch(f"{stem}-{digest}"):
        stem = f"branch-{stem}"[:_LONGEST - _SUFFIX - 1]
    return f"{stem}-{digest}"


def image_name(configured: str, context: Context) -> str:
    """The image's name without tag: as configured, else ``ghcr.io/<owner>/<name>`` in lower case."""
    if configured:
        return configured
    if not context.repository:
        raise ContextError("no name for the image: the git remote is no GitHub address",
                           hint='set `image = "ghcr.io/<owner>/<name>"` in [tool.shipway]')
    return f"ghcr.io/{context.repository.lower()}"


def is_highest(version: str, others: Iterable[str]) -> bool:
    """Whether a version is stable, and no stable one among ``others`` is above it: then it takes ``latest``."""
    if "-" in version:
        return False
    return all(_numbers(version) >= _numbers(other) for other in others if "-" not in other)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.partition("+")[0].split("."))
