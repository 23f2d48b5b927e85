"""Policies judge how the images were built: by whom, from which commit, of what, and when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shipway.image.labels import REVISION
from shipway.image.policies.evidence import Evidence, Point, first_few
from shipway.image.provenance import BUILD_TYPES, Provenance
from shipway.image.repository import parse_remote
from shipway.image.retention import DAY


@dataclass(frozen=True, slots=True)
class Built:
    """The provenance names an allowed builder, the repository and the commit.

    Everything that the build used is pinned, and no argument looks like a secret.
    """

    builders: tuple[str, ...]
    source: str

    def check(self, image: Evidence) -> Iterator[Point]:
        """Give four points for each platform; only the first where it has no provenance."""
        annotation = image.contents.annotations.get(REVISION, "")
        platforms = image.contents.platforms
        for platform, holding in platforms.items():
            provenances = image.provenances(platform)
            yield self._builder_point(platform, provenances)
            label = holding.labels.get(REVISION)
            commit = label or annotation
            for provenance in provenances:
                yield self._source_point(platform, provenance, commit)
                yield _materials_point(platform, provenance)
                yield _arguments_point(platform, provenance)

    def _builder_point(self, platform: str, provenances: Sequence[Provenance]) -> Point:
        name = f"provenance of {platform}"
        if not provenances:
            return Point(
                name=name,
                holds=False,
                observation="missing",
            )
        builders = [provenance.builder for provenance in provenances]
        strangers: list[str] = []
        for builder in builders:
            if not self._allows(builder):
                strangers.append(builder or "nobody")
        if strangers:
            names = first_few(strangers)
            return Point(
                name=name,
                holds=False,
                observation=f"built by {names}",
            )
        types = [provenance.type for provenance in provenances]
        strange_types = [type_ for type_ in types if type_ not in BUILD_TYPES]
        if strange_types:
            return Point(
                name=name,
                holds=False,
                observation=f"of type {first_few(strange_types)}",
            )
        return Point(
            name=name,
            holds=True,
            observation=builders[0] or "a builder without a name",
        )

    def _allows(self, builder: str) -> bool:
        if not self.builders or builder in self.builders:
            return True
        # `…/../…` would lead out of what stands below an allowed address.
        if ".." in builder:
            return False
        for allowed in self.builders:
            if allowed.endswith("/") and builder.startswith(allowed):
                return True
        return False

    def _source_point(self, platform: str, provenance: Provenance, commit: str) -> Point:
        name = f"source of {platform}"
        remote = parse_remote(provenance.source)
        source = "/".join(remote) if remote else provenance.source
        revision = provenance.revision
        source_name = source or "no repository"
        commit_name = revision or "no commit"
        observation = f"{source_name} at {commit_name}"
        right_commit = bool(commit) and revision == commit
        if right_commit and self._is_expected(source):
            return Point(
                name=name,
                holds=True,
                observation=observation,
            )
        expected_source = self.source or "the repository"
        expected_commit = commit or "a commit that a label names"
        return Point(
            name=name,
            holds=False,
            observation=f"{observation}, not {expected_source} at {expected_commit}",
        )

    def _is_expected(self, source: str) -> bool:
        """Compare repositories whatever their case; where none is expected, any will do."""
        if not self.source:
            return True
        return source.lower() == self.source.lower()


def _materials_point(platform: str, provenance: Provenance) -> Point:
    name = f"materials of {platform}"
    if provenance.loose:
        not_pinned = first_few(provenance.loose)
        return Point(
            name=name,
            holds=False,
            observation=f"not pinned: {not_pinned}",
        )
    count = provenance.materials
    return Point(
        name=name,
        holds=count > 0,
        observation=f"{count} pinned by digest",
    )


def _arguments_point(platform: str, provenance: Provenance) -> Point:
    name = f"arguments of {platform}"
    if provenance.secrets:
        suspicious = first_few(provenance.secrets)
        return Point(
            name=name,
            holds=False,
            observation=f"look like secrets: {suspicious}",
        )
    count = len(provenance.arguments)
    return Point(
        name=name,
        holds=True,
        observation=f"{count} arguments",
    )


@dataclass(frozen=True, slots=True)
class Fresh:
    """No part was built longer ago than so many days."""

    days: int
    now: int
    """Seconds since 1970."""

    def check(self, image: Evidence) -> Iterator[Point]:
        """Give a point for each platform."""
        for platform in image.contents.platforms:
            provenances = image.provenances(platform)
            times = [build.finished for build in provenances if build.finished is not None]
            holds = False
            observation = "unknown"
            if times and len(times) == len(provenances):
                oldest = min(times)
                age = (self.now - oldest) // DAY
                holds = 0 <= age <= self.days
                observation = f"{age} days, at most {self.days}"
            yield Point(
                name=f"age of {platform}",
                holds=holds,
                observation=observation,
            )
