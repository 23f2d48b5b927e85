"""Which images of a registry nobody needs any more. Pure.

An image is kept when one of its tags is, and with it everything that belongs to it: the manifests below its index, what
refers to them, and their signatures. What is left over goes, the index first, so that nothing points into the void.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

DAY = 86400
_RELEASE = re.compile(r"v?\d+(\.\d+)*([-+._].*)?|latest|edge|cache.*|buildcache.*")
_SIGNATURE = re.compile(r"sha256-([0-9a-f]{64})(?:\.\w+)?")
"""cosign's fallback tags: `sha256-<digest>` and `sha256-<digest>.sig`."""
_STAGING = re.compile(r"sha-[0-9a-f]{7}(-.*)?")
_PULL_REQUEST = re.compile(r"pr-\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A manifest in a registry: its tags, what is below it, and what it refers to."""

    digest: str
    tags: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    subject: str = ""
    created: int | None = None
    """Seconds since 1970; ``None`` when it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What may go: images older than ``days``, and those of branches that are not among ``branches`` (their tags)."""

    now: int
    days: int
    branches: frozenset[str]
    always: frozenset[str]
    """Tags that are never touched: those of the release branches."""


def plan_prune(stored: Iterable[Stored], rules: Rules) -> list[tuple[Stored, str]]:
    """What goes, in the order in which it is deleted, each with the reason."""
    known = {one.digest: one for one in stored}
    tagged = [one for one in known.values() if one.tags and not _of(one)]
    reasons = {one.digest: reason for one in tagged if (reason := _reason(one, rules))}
    kept = _closure((one.digest for one in tagged if one.digest not in reasons), known)
    gone: dict[str, str] = {}
    for digest, reason in reasons.items():
        for part in _closure([digest], known):
            if part in known and part not in kept:
                gone.setdefault(part, reason if part == digest else f"belongs to {digest[:19]}")
    return [(known[digest], reason) for digest, reason in gone.items()]


def _reason(one: Stored, rules: Rules) -> str:
    """Why an image may go; empty when one of its tags keeps it."""
    reasons = [_tag_reason(tag, one, rules) for tag in one.tags]
    return "; ".join(dict.fromkeys(reasons)) if all(reasons) else ""


def _tag_reason(tag: str, one: Stored, rules: Rules) -> str:
    if tag in rules.always or _RELEASE.fullmatch(tag):
        return ""
    temporary = _STAGING.fullmatch(tag) or _PULL_REQUEST.fullmatch(tag)
    if not temporary and tag not in rules.branches:
        return "its branch is gone"
    if one.created is None or rules.now - one.created <= rules.days * DAY:
        return ""
    return f"older than {rules.days} days"


def _of(one: Stored) -> list[str]:
    """Digests that a signature's tags name."""
    return [f"sha256:{found[1]}" for tag in one.tags if (found := _SIGNATURE.fullmatch(tag))]


def _closure(roots: Iterable[str], known: Mapping[str, Stored]) -> dict[str, None]:
    """Roots with everything that belongs to them, in the order in which it was found."""
    about: dict[str, list[str]] = {}
    for one in known.values():
        for digest in (*_of(one), *((one.subject,) if one.subject else ())):
            about.setdefault(digest, []).append(one.digest)
    found: dict[str, None] = {}
    left = list(roots)
    while left:
        digest = left.pop(0)
        if digest not in found:
            found[digest] = None
            left += (*(known[digest].below if digest in known else ()), *about.get(digest, ()))
    return found
