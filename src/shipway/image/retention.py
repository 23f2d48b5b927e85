"""The images of a registry that nobody needs any more are chosen here.

An image is kept when one of its tags is, and with it everything that belongs to it: the manifests
below its index, what refers to them, and their signatures. What is left over goes, what leads to a
manifest before it, so that nothing points into the void.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

DAY = 86400
"""Seconds."""
_RELEASE = re.compile(r"v?\d+(\.\d+)*([-+._].*)?|latest|edge|cache.*|buildcache.*")
_SIGNATURE = re.compile(r"sha256-([0-9a-f]{64})(?:\.\w+)?")
"""cosign's fallback tags: `sha256-<digest>` and `sha256-<digest>.sig`."""
_STAGING = re.compile(r"sha-[0-9a-f]{7}(-.*)?")
_PULL_REQUEST = re.compile(r"pr-\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A manifest in a registry has tags, manifests below it, and perhaps refers to another one."""

    digest: str
    tags: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    subject: str = ""
    created: int | None = None
    """Seconds since 1970; ``None`` when it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What may go: images older than ``days``, and those of branches that are gone."""

    now: int
    days: int
    branches: frozenset[str]
    """The tags of the branches that are still there."""
    always: frozenset[str]
    """Tags that are never touched: those of the release branches."""


def plan_prune(stored: Iterable[Stored], rules: Rules) -> list[tuple[Stored, str]]:
    """List what goes, in the order in which it is deleted, each with the reason."""
    by_digest = {manifest.digest: manifest for manifest in stored}
    reasons: dict[str, str] = {}
    kept_images: list[str] = []
    for manifest in by_digest.values():
        if not is_tagged_image(manifest):
            continue
        reason = _reason(manifest, rules)
        if reason is None:
            kept_images.append(manifest.digest)
        else:
            reasons[manifest.digest] = reason
    parts = list_parts(by_digest.values())
    kept = walk(kept_images, parts)
    all_reasons = _with_parts(reasons, parts)
    gone: list[tuple[Stored, str]] = []
    for digest in _sort_parents_first(reasons, parts):
        # An image may name manifests that are not there.
        is_there = digest in by_digest
        if is_there and digest not in kept:
            manifest = by_digest[digest]
            reason = all_reasons[digest]
            gone.append((manifest, reason))
    return gone


def _with_parts(reasons: Mapping[str, str], parts: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Add what belongs to the images that may go, each part with the reason why it may."""
    all_reasons: dict[str, str] = {}
    for image, reason in reasons.items():
        all_reasons.setdefault(image, reason)
        short_digest = image[:19]
        part_reason = f"belongs to {short_digest}"
        for part in walk([image], parts):
            all_reasons.setdefault(part, part_reason)
    return all_reasons


def _sort_parents_first(roots: Iterable[str], parts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Give the roots and what belongs to them, each after everything that it belongs to.

    Of a circle, which only tags can make, any one comes first.
    """
    finished: dict[str, None] = {}
    entered: set[str] = set()
    waiting = list(roots)
    while waiting:
        digest = waiting[-1]
        if digest in entered:
            waiting.pop()
            finished.setdefault(digest)
            continue
        entered.add(digest)
        below = parts.get(digest, ())
        waiting += [part for part in below if part not in entered]
    return reversed(finished)


def is_tagged_image(manifest: Stored) -> bool:
    """Answer whether a manifest has tags of its own, which a signature has not."""
    if not manifest.tags:
        return False
    return not _signed_digests(manifest)


def _reason(manifest: Stored, rules: Rules) -> str | None:
    """Say why an image may go; ``None`` when one of its tags keeps it."""
    reasons: dict[str, None] = {}
    for tag in manifest.tags:
        reason = _tag_reason(tag, manifest.created, rules)
        if reason is None:
            return None
        reasons[reason] = None
    return "; ".join(reasons)


def _tag_reason(tag: str, created: int | None, rules: Rules) -> str | None:
    """Say why a tag does not keep its image; ``None`` when it does."""
    if tag in rules.always or _RELEASE.fullmatch(tag):
        return None
    temporary = _STAGING.fullmatch(tag) or _PULL_REQUEST.fullmatch(tag)
    if not temporary and tag not in rules.branches:
        return "its branch is gone"
    if created is None:
        return None
    age = rules.now - created
    if age <= rules.days * DAY:
        return None
    return f"older than {rules.days} days"


def _signed_digests(manifest: Stored) -> list[str]:
    """List the digests that a signature's tags name; none of what is no signature."""
    digests: list[str] = []
    for tag in manifest.tags:
        match = _SIGNATURE.fullmatch(tag)
        if match:
            digests.append(f"sha256:{match[1]}")
    return digests


def walk(roots: Iterable[str], parts: Mapping[str, Sequence[str]]) -> dict[str, None]:
    """Give the roots with everything that belongs to them, in the order of a walk from them."""
    reached: dict[str, None] = {}
    waiting = deque(roots)
    while waiting:
        digest = waiting.popleft()
        if digest in reached:
            continue
        reached[digest] = None
        waiting += parts.get(digest, ())
    return reached


def list_parts(stored: Iterable[Stored]) -> dict[str, list[str]]:
    """List what belongs to a digest: the manifests below it, then its signatures and referrers."""
    parts: dict[str, list[str]] = {}
    manifests = list(stored)
    for manifest in manifests:
        parts[manifest.digest] = list(manifest.below)
    for manifest in manifests:
        subjects = _signed_digests(manifest)
        if manifest.subject:
            subjects.append(manifest.subject)
        for subject in subjects:
            parts_of_subject = parts.setdefault(subject, [])
            parts_of_subject.append(manifest.digest)
    return parts
