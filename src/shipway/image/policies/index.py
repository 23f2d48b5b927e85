"""Policies judge the index: what it leads to, who signed it, its platforms and attestations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shipway.image.policies.evidence import Evidence, Point
from shipway.settings.platforms import match_platforms


NO_INDEX = "no index that names an image"
"""Says of a digest what it is where it is a manifest of its own, or an index without images."""


class Resolved:
    """The reference leads to an index, whose digest all else is about."""

    def check(self, image: Evidence) -> Iterator[Point]:
        """Give a single point."""
        digest = image.index.digest
        if image.index.images:
            yield Point(
                name="digest",
                holds=True,
                observation=digest,
            )
        else:
            yield Point(
                name="digest",
                holds=False,
                observation=f"{digest} is {NO_INDEX}",
            )


class Signed:
    """The index and everything below it carry a signature of exactly the expected identity."""

    def check(self, image: Evidence) -> Iterator[Point]:
        """Give a point for each digest."""
        index = image.index
        names = {entry.digest: entry.platform for entry in index.images}
        names[index.digest] = "the index"
        for digest in index.leaves_first:
            short_digest = digest[:19]
            name = names.get(digest, "attestations")
            holds, observation = image.signers.get(digest, (False, "missing"))
            yield Point(
                name=f"signature of {short_digest} ({name})",
                holds=holds,
                observation=observation,
            )


@dataclass(frozen=True, slots=True)
class Platforms:
    """The index has exactly the expected platforms, or at least one; none of them twice."""

    expected: tuple[str, ...]

    def check(self, image: Evidence) -> Iterator[Point]:
        """Give a single point."""
        platforms = sorted(image.index.platforms)
        expected = self.expected or tuple(sorted(set(platforms)))
        missing, surplus = match_platforms(expected, platforms)
        holds = bool(platforms) and not missing and not surplus
        observation = ", ".join(platforms) or "none"
        if not holds:
            names = ", ".join(expected) or "at least one"
            observation += f"; expected: {names}"
        yield Point(
            name="platforms",
            holds=holds,
            observation=observation,
        )


class Attested:
    """Each platform has one attestation manifest, and no such manifest speaks of anything else."""

    def check(self, image: Evidence) -> Iterator[Point]:
        """Give a point for each platform, and one for attestations of anything else."""
        images = image.index.images
        attestations = image.index.attestations
        subjects = [attestation.subject for attestation in attestations]
        for entry in images:
            count = subjects.count(entry.digest)
            yield Point(
                name=f"attestations of {entry.platform}",
                holds=count == 1,
                observation=f"{count} attestation manifests",
            )
        digests = [entry.digest for entry in images]
        strays = [subject for subject in subjects if subject not in digests]
        yield Point(
            name="attestation subjects",
            holds=not strays,
            observation=f"{len(strays)} speak of no image of this index",
        )


class StillAtDigest:
    """The reference still leads to the digest that everything else was asked about."""

    def check(self, image: Evidence) -> Iterator[Point]:
        """Give a single point."""
        reference = image.reference or "tag"
        holds = image.resolved == image.index.digest
        yield Point(
            name=f"{reference} still there",
            holds=holds,
            observation=image.resolved or "gone",
        )
