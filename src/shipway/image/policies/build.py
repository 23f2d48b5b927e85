"""How the images were built: by whom, from which commit, of what, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shipway.image.labels import REVISION
from shipway.image.policies.evidence import Evidence, Point, some
from shipway.image.provenance import BUILD_TYPES, Provenance
from shipway.image.repository import parse_remote
from shipway.settings.secret_names import is_secret_name

_DAY = 86400


@dataclass(frozen=True, slots=True)
class Built:
    """The provenance names an allowed builder, the repository and the commit; everything it used is pinned."""

    builders: tuple[str, ...]
    source: str

    def check(self, image: Evidence) -> Iterator[Point]:
        """Four points for each platform; only the first where there is no provenance."""
        for name, platform in image.contents.platforms.items():
            found = image.provenances(name)
            types = [one.type for one in found if one.type not in BUILD_TYPES]
            others = [one.builder or "nobody" for one in found if not self._allows(one.builder)]
            seen = (
                "missing"
                if not found
                else f"built by {some(others)}"
                if others
                else f"of type {some(types)}"
                if types
                else found[0].builder or "a builder without a name"
            )
            yield Point(f"provenance of {name}", bool(found) and not types and not others, seen)
            commit = platform.labels.get(REVISION) or image.contents.annotations.get(REVISION, "")
            for one in found:
                yield self._source(name, one, commit)
                yield Point(
                    f"materials of {name}",
                    not one.loose and one.materials > 0,
                    f"not pinned: {some(one.loose)}"
                    if one.loose
                    else f"{one.materials} pinned by digest",
                )
                secret = [word for word in one.arguments if is_secret_name(word)]
                yield Point(
                    f"arguments of {name}",
                    not secret,
                    f"look like secrets: {some(secret)}"
                    if secret
                    else f"{len(one.arguments)} arguments",
                )

    def _allows(self, builder: str) -> bool:
        return not self.builders or any(
            builder == one or one.endswith("/") and builder.startswith(one) and ".." not in builder
            for one in self.builders
        )

    def _source(self, name: str, found: Provenance, commit: str) -> Point:
        source = "/".join(parse_remote(found.source) or (found.source,))
        holds = (
            bool(commit)
            and found.revision == commit
            and (not self.source or source.lower() == self.source.lower())
        )
        seen = f"{source or 'no repository'} at {found.revision or 'no commit'}"
        return Point(
            f"source of {name}",
            holds,
            seen
            if holds
            else f"{seen}, not {self.source or 'the repository'} at {commit or 'a commit that a label names'}",
        )


@dataclass(frozen=True, slots=True)
class Fresh:
    """No part was built longer ago than so many days."""

    days: int
    now: int

    def check(self, image: Evidence) -> Iterator[Point]:
        """A point for each platform."""
        for name in image.contents.platforms:
            built = min((one.finished for one in image.provenances(name)), default=0)
            age = (self.now - built) // _DAY if built else None
            yield Point(
                f"age of {name}",
                age is not None and 0 <= age <= self.days,
                "unknown" if age is None else f"{age} days, at most {self.days}",
            )
