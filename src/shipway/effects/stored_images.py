"""Reads from a registry every manifest that a tag of an image leads to.

What is not there is passed over, and named: a manifest that somebody deleted keeps nothing, and
there is nothing of it to delete. What could not be asked for is an error.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from shipway.effects.manifests import Manifest
from shipway.effects.registry import QUESTIONS_SIDE_BY_SIDE, NotThere, Registry
from shipway.image.documents import parse_time
from shipway.image.index import SUBJECT
from shipway.image.inventory import Inventory
from shipway.image.labels import PREFIX
from shipway.image.retention import Stored


def read_inventory(registry: Registry) -> Inventory:
    """Read every manifest that a tag leads to, with what is below it and what refers to it.

    Raises ``StepFailed`` where something could not be asked for.
    """
    with ThreadPoolExecutor(max_workers=QUESTIONS_SIDE_BY_SIDE) as pool:
        reader = _Reader(registry, pool)
        reader.read_tags()
        reader.read_parts()
    manifests = reader.stored.values()
    return Inventory(
        manifests=tuple(manifests),
        gone=frozenset(reader.gone),
        lost_tags=tuple(reader.lost_tags),
    )


class _Reader:
    """Reads manifests side by side; ``stored`` holds those that are there, by digest."""

    def __init__(self, registry: Registry, pool: ThreadPoolExecutor) -> None:
        self._registry = registry
        self._pool = pool
        self.stored: dict[str, Stored] = {}
        self.gone: set[str] = set()
        self.lost_tags: list[str] = []

    def read_tags(self) -> None:
        """Read the manifests that tags lead to."""
        tags = self._registry.tags()
        answers = self._pool.map(self._find, tags)
        for tag, answer in zip(tags, answers, strict=True):
            if answer is None:
                self.lost_tags.append(tag)
                continue
            digest, manifest = answer
            earlier = self.stored.get(digest)
            tags_of_digest: tuple[str, ...] = (tag,)
            if earlier is not None:
                tags_of_digest = (*earlier.tags, tag)
            self.stored[digest] = _describe(
                digest,
                manifest,
                tags_of_digest,
            )

    def read_parts(self) -> None:
        """Read what belongs to the manifests that were read, and to those parts, to the end."""
        subjects = list(self.stored)
        while subjects:
            parts = self._list_parts(subjects)
            answers = self._pool.map(self._find, parts)
            for digest, answer in zip(parts, answers, strict=True):
                if answer is None:
                    self.gone.add(digest)
                    continue
                _, manifest = answer
                self.stored[digest] = _describe(
                    digest,
                    manifest,
                    (),
                )
            # Something may be signed that is gone itself.
            subjects = parts

    def _list_parts(self, subjects: list[str]) -> list[str]:
        """List the digests below and about ``subjects`` that were not asked for yet."""
        digests: list[str] = []
        for subject in subjects:
            manifest = self.stored.get(subject)
            if manifest is not None:
                digests += manifest.below
        answers = self._pool.map(self._registry.referrers, subjects)
        for referrers in answers:
            digests += referrers
        unread: list[str] = []
        for digest in dict.fromkeys(digests):
            is_read = digest in self.stored or digest in self.gone
            if not is_read:
                unread.append(digest)
        return unread

    def _find(self, reference: str) -> tuple[str, Manifest] | None:
        try:
            return self._registry.manifest(reference)
        except NotThere:
            return None


def _describe(digest: str, manifest: Manifest, tags: tuple[str, ...]) -> Stored:
    annotations = manifest.annotations or {}
    subject = annotations.get(SUBJECT, "")
    if manifest.subject:
        subject = manifest.subject.digest
    entries = manifest.manifests or ()
    created = annotations.get(f"{PREFIX}created", "")
    return Stored(
        digest=digest,
        tags=tags,
        below=tuple(entry.digest for entry in entries),
        subject=subject,
        created=parse_time(created),
    )
