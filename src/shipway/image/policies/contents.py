"""What is in the images: labels, compiled files, the SBOM and its licenses, and whom the statements are about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from packaging.utils import canonicalize_name

from shipway.image.contents import PROVENANCE, SPDX
from shipway.image.licenses import is_allowed
from shipway.image.policies.evidence import Evidence, Point, some


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of the images and annotations of the index have the values that are known, or the same everywhere."""

    exact: Mapping[str, str]
    named: tuple[str, ...] = ()

    def check(self, image: Evidence) -> Iterator[Point]:
        """A point for the index, and one for each platform."""
        contents = image.contents
        noted = {name: contents.annotations.get(name, "") for name in self.named} | dict(self.exact)
        if contents.platforms:
            yield self._point("annotations", noted, contents.annotations)
        for name, platform in contents.platforms.items():
            yield self._point(f"labels of {name}", noted, platform.labels)

    def _point(self, name: str, noted: Mapping[str, str], seen: Mapping[str, str]) -> Point:
        wrong = sorted(key for key, value in noted.items() if not value or seen.get(key) != value)
        shown = ", ".join(
            f"{key.rpartition('.')[2]} {seen[key]}" for key in self.named if key in seen
        )
        told = (f"{key} is {seen[key]}" if key in seen else f"{key} is missing" for key in wrong)
        return Point(
            name, not wrong, f"differ: {', '.join(told)}" if wrong else shown or "as expected"
        )


@dataclass(frozen=True, slots=True)
class RightArchitecture:
    """Compiled files are for the machine of their platform."""

    allowed: tuple[str, ...]

    def check(self, image: Evidence) -> Iterator[Point]:
        """A point for each platform."""
        for name, platform in image.contents.platforms.items():
            strange = [
                path
                for path in platform.foreign
                if not any(fnmatchcase(path, pattern) for pattern in self.allowed)
            ]
            yield Point(
                f"compiled files of {name}",
                not strange,
                f"{some(strange)} are for another machine"
                if strange
                else f"{platform.compiled} fit",
            )


class NamesWhatIsInstalled:
    """The SBOM is not empty and names every Python distribution that is installed."""

    def check(self, image: Evidence) -> Iterator[Point]:
        """Two points for each platform."""
        for name, platform in image.contents.platforms.items():
            packages = image.contents.packages(name)
            yield Point(f"SBOM of {name}", bool(packages), f"{len(packages)} packages")
            known = {(canonicalize_name(package), version) for package, version, _ in packages}
            lacking = [
                f"{package} {version}"
                for package, version in platform.distributions
                if (canonicalize_name(package), version) not in known
            ]
            yield Point(
                f"SBOM of {name} names what is installed",
                not lacking,
                f"it leaves out {some(lacking)}"
                if lacking
                else f"{len(platform.distributions)} distributions",
            )


@dataclass(frozen=True, slots=True)
class Licenses:
    """Every package is under a license that is allowed; one that is not known is not."""

    allowed: tuple[str, ...]

    def check(self, image: Evidence) -> Iterator[Point]:
        """A point for each platform."""
        for name in image.contents.platforms:
            packages = image.contents.packages(name)
            wrong = [
                f"{package} {version} ({license_ or 'unknown'})"
                for package, version, license_ in packages
                if not is_allowed(license_, self.allowed)
            ]
            yield Point(
                f"licenses of {name}",
                bool(packages) and not wrong,
                f"not allowed: {some(wrong)}" if wrong else f"{len(packages)} packages",
            )


class Subjects:
    """Each statement is about exactly the platform that it is attached to."""

    def check(self, image: Evidence) -> Iterator[Point]:
        """A point for each platform."""
        contents = image.contents
        for name, platform in contents.platforms.items():
            about = [
                statement.subjects
                for kind in (PROVENANCE, SPDX)
                for statement in contents.statements(name, kind)
            ]
            holds = bool(about) and all(subjects == (platform.digest,) for subjects in about)
            others = sorted(
                {subject for subjects in about for subject in subjects} - {platform.digest}
            )
            yield Point(
                f"subjects of {name}",
                holds,
                platform.digest if holds else f"statements about {some(others) or 'nothing'}",
            )
