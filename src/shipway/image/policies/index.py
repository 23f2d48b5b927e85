"""Policies for the index: what it leads to, who signed it, its platforms and attestations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shipway.image.policies.evidence import Evidence, Point


class Resolved:
    """The reference leads to an index, whose digest all else is about."""

    def check(self, image: Evidence) -> Iterator[Point]:
        """Give a single point."""
        digest = image.index.digest
        if image.index.entries:
            yield Point("digest", True, digest)
        else:
            yield Point("digest", False, f"{digest} is no index")


class Signed:
    """The index and everything below it carry a signature of exactly the expected identity."""

    def check(self, image: Evidence) -> Iterator[Point]:
        """Give a point for each digest."""
        names = {entry.digest: entry.platform for entry in image.index.images}
        names[image.index.digest] = "the index"
        for digest in image.index.leaves_first:
            name = names.get(digest, "attestations")
            holds, observation = image.signers.get(digest, (False, "missing"))
            yield Point(f"signature of {digest[:19]} ({name})", holds, observation)


@dataclass(frozen=True, slots=True)
class Platforms:
    """The index has exactly the expected platforms, or at least one; none of them twice."""

    expected: tuple[str, ...]

    def check(self, image: Evidence) -> Iterator[Point]:
        """Give a single point."""
        platforms = sorted(image.index.platforms)
        expected = sorted(self.expected or set(platforms))
        holds = bool(platforms) and platforms == expected
        yield Point("platforms", holds, ", ".join(platforms) or "none")


class Attested:
    """Each platform has one attestation manifest, and no such manifest speaks of anything else."""

    def check(self, image: Evidence) -> Iterator[Point]:
        """Give a point for each platform, and one for attestations of anything else."""
        images = image.index.images
        subjects = [attestation.subject for attestation in image.index.attestations]
        for entry in images:
            count = subjects.count(entry.digest)
            name = f"attestations of {entry.platform}"
            yield Point(name, count == 1, f"{count} attestation manifests")
        digests = [entry.digest for entry in images]
        strays = [subject for subject in subjects if subject not in digests]
        observation = f"{len(strays)} speak of no image of this index"
        yield Point("attestation subjects", not strays, observation)


class StillAtDigest:
    """The reference still leads to the digest that everything else was asked about."""

    def check(self, image: Evidence) -> Iterator[Point]:
        """Give a single point."""
        name = f"{image.reference or 'tag'} still there"
        holds = image.resolved == image.index.digest
        yield Point(name, holds, image.resolved or "gone")
