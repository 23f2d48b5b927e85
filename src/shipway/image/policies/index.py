"""The index: what it leads to, who signed it, which platforms and attestations it has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shipway.image.policies.evidence import Evidence, Point


class Resolved:
    """The reference leads to an index, whose digest all else is about."""

    def check(self, image: Evidence) -> Iterator[Point]:
        """One point."""
        yield Point(
            "digest",
            bool(image.index.entries),
            image.index.digest if image.index.entries else f"{image.index.digest} is no index",
        )


class Signed:
    """The index and everything below it carry a signature of exactly the expected identity."""

    def check(self, image: Evidence) -> Iterator[Point]:
        """A point for each digest."""
        names = {image.index.digest: "the index"} | {
            entry.digest: entry.platform for entry in image.index.images
        }
        for digest in image.index.leaves_first:
            holds, seen = image.signers.get(digest, (False, "missing"))
            yield Point(
                f"signature of {digest[:19]} ({names.get(digest, 'attestations')})", holds, seen
            )


@dataclass(frozen=True, slots=True)
class Platforms:
    """Exactly the expected platforms; where none are known, at least one, and none twice."""

    expected: tuple[str, ...]

    def check(self, image: Evidence) -> Iterator[Point]:
        """One point."""
        seen = sorted(image.index.platforms)
        holds = seen == (sorted(self.expected) if self.expected else sorted(set(seen))) and bool(
            seen
        )
        yield Point("platforms", holds, ", ".join(seen) or "none")


class Attested:
    """Each platform has one attestation manifest, and no such manifest speaks of anything else."""

    def check(self, image: Evidence) -> Iterator[Point]:
        """A point for each platform, and one for the strays."""
        index = image.index
        for one in index.images:
            count = sum(entry.subject == one.digest for entry in index.attestations)
            yield Point(
                f"attestations of {one.platform}", count == 1, f"{count} attestation manifests"
            )
        strays = [
            entry.digest
            for entry in index.attestations
            if entry.subject not in {e.digest for e in index.images}
        ]
        yield Point(
            "attestation subjects", not strays, f"{len(strays)} speak of no image of this index"
        )


class StillAtDigest:
    """The reference still leads to the digest that everything else was asked about."""

    def check(self, image: Evidence) -> Iterator[Point]:
        """One point."""
        yield Point(
            f"{image.reference or 'tag'} still there",
            image.resolved == image.index.digest,
            image.resolved or "gone",
        )
