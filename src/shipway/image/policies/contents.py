"""Policies judge what is in the images: labels, compiled files, SBOM, licenses and subjects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from shipway.image.contents import CONFIGURATION, LAYER, PROVENANCE, SPDX, Contents
from shipway.image.licenses import is_allowed
from shipway.image.policies.evidence import Evidence, Point, first_few


class Complete:
    """Every part of the image is there, and is what the image says of it."""

    def check(self, image: Evidence) -> Iterator[Point]:
        """Give a point for each part that is broken; what needs it is not judged further."""
        for part in image.contents.broken:
            yield Point(
                name=f"parts of {part.platform}",
                holds=False,
                observation=part.describe(),
            )


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of the images and annotations of the index say what is expected.

    Labels of ``named`` that are not in ``exact`` must be there, and the same everywhere.
    """

    exact: Mapping[str, str]
    named: tuple[str, ...] = ()

    def check(self, image: Evidence) -> Iterator[Point]:
        """Give a point for the index, and one for each platform."""
        annotations = image.contents.annotations
        platforms = image.contents.platforms
        expected = {name: annotations.get(name, "") for name in self.named}
        expected.update(self.exact)
        if platforms:
            yield self._point(
                name="annotations",
                expected=expected,
                labels=annotations,
            )
        for platform, holding in platforms.items():
            if image.contents.lacks(CONFIGURATION, platform):
                continue
            yield self._point(
                name=f"labels of {platform}",
                expected=expected,
                labels=holding.labels,
            )

    def _point(self, name: str, expected: Mapping[str, str], labels: Mapping[str, str]) -> Point:
        faults: list[str] = []
        for key in sorted(expected):
            label = labels.get(key)
            if label is None:
                faults.append(f"{key} is missing")
            elif not label or label != expected[key]:
                faults.append(f"{key} is {label}")
        if faults:
            differences = ", ".join(faults)
            return Point(
                name=name,
                holds=False,
                observation=f"differ: {differences}",
            )
        return Point(
            name=name,
            holds=True,
            observation=self._describe(labels) or "as expected",
        )

    def _describe(self, labels: Mapping[str, str]) -> str:
        """Say what the named labels are, without their prefixes."""
        words: list[str] = []
        for key in self.named:
            if key not in labels:
                continue
            label = labels[key]
            short_key = key.rpartition(".")[2]
            words.append(f"{short_key} {label}")
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class RightArchitecture:
    """Compiled files are for the machine of their platform, except those of allowed patterns."""

    allowed: tuple[str, ...]

    def check(self, image: Evidence) -> Iterator[Point]:
        """Give a point for each platform."""
        for platform, holding in image.contents.platforms.items():
            if image.contents.lacks(LAYER, platform):
                continue
            name = f"compiled files of {platform}"
            strange = [path for path in holding.foreign if not self._allows(path)]
            if strange:
                paths = first_few(strange)
                yield Point(
                    name=name,
                    holds=False,
                    observation=f"{paths} are for another machine",
                )
            else:
                yield Point(
                    name=name,
                    holds=True,
                    observation=f"{holding.compiled} fit",
                )

    def _allows(self, path: str) -> bool:
        return any(fnmatchcase(path, pattern) for pattern in self.allowed)


class NamesWhatIsInstalled:
    """The SBOM is not empty and names every Python distribution that is installed."""

    def check(self, image: Evidence) -> Iterator[Point]:
        """Give two points for each platform; the second only where its layers are known."""
        for platform, holding in image.contents.platforms.items():
            packages = image.contents.packages(platform)
            yield Point(
                name=f"SBOM of {platform}",
                holds=bool(packages),
                observation=f"{len(packages)} packages",
            )
            if image.contents.lacks(LAYER, platform):
                continue
            name = f"SBOM of {platform} names what is installed"
            lacking = _unnamed_distributions(image.contents, platform)
            if lacking:
                left_out = first_few(lacking)
                yield Point(
                    name=name,
                    holds=False,
                    observation=f"it leaves out {left_out}",
                )
            else:
                count = len(holding.distributions)
                yield Point(
                    name=name,
                    holds=True,
                    observation=f"{count} distributions",
                )


def _unnamed_distributions(contents: Contents, platform: str) -> list[str]:
    """List the distributions that are installed, but not in the SBOM, as `name version`."""
    packages: set[tuple[str, str]] = set()
    for name, version, _ in contents.packages(platform):
        canonical_name = canonicalize_name(name)
        packages.add((canonical_name, version))
    unnamed: list[str] = []
    installed = contents.platforms[platform]
    for name, version in installed.distributions:
        canonical_name = canonicalize_name(name)
        package = (canonical_name, version)
        if package not in packages:
            unnamed.append(f"{name} {version}")
    return unnamed


@dataclass(frozen=True, slots=True)
class OwnVersion:
    """Where the project itself is installed, it is there in the version of the release."""

    distribution: str
    version: str

    def check(self, image: Evidence) -> Iterator[Point]:
        """Give a point for each platform."""
        own_name = canonicalize_name(self.distribution)
        for platform in image.contents.platforms:
            if image.contents.lacks(LAYER, platform):
                continue
            versions: set[str] = set()
            distributions = image.contents.distributions(platform)
            for name, version in distributions:
                if canonicalize_name(name) == own_name:
                    versions.add(version)
            subject = f"version of {self.distribution} in {platform}"
            yield self._point(subject, versions)

    def _point(self, name: str, versions: set[str]) -> Point:
        wrong = [version for version in sorted(versions) if not self._is_release(version)]
        if wrong:
            installed = first_few(wrong)
            return Point(
                name=name,
                holds=False,
                observation=f"{installed} is installed, the release is {self.version}",
            )
        return Point(
            name=name,
            holds=True,
            observation=first_few(sorted(versions)) or "it is not installed there",
        )

    def _is_release(self, version: str) -> bool:
        """Compare as PEP 440 does: a distribution writes `1.2.0rc1` for `1.2.0-rc.1`."""
        try:
            return Version(version) == Version(self.version)
        except InvalidVersion:
            return version == self.version


@dataclass(frozen=True, slots=True)
class Licenses:
    """Every package is under a license that is allowed; one that is not known is not."""

    allowed: tuple[str, ...]

    def check(self, image: Evidence) -> Iterator[Point]:
        """Give a point for each platform."""
        contents = image.contents
        for platform in contents.platforms:
            name = f"licenses of {platform}"
            packages = contents.packages(platform)
            refused: list[str] = []
            for package, version, license_ in packages:
                if is_allowed(license_, self.allowed):
                    continue
                shown_license = license_ or "unknown"
                description = f"{package} {version} ({shown_license})"
                refused.append(description)
            if refused:
                not_allowed = first_few(refused)
                yield Point(
                    name=name,
                    holds=False,
                    observation=f"not allowed: {not_allowed}",
                )
            else:
                yield Point(
                    name=name,
                    holds=bool(packages),
                    observation=f"{len(packages)} packages",
                )


class Subjects:
    """Each statement is about exactly the platform that it is attached to."""

    def check(self, image: Evidence) -> Iterator[Point]:
        """Give a point for each platform."""
        for platform, holding in image.contents.platforms.items():
            name = f"subjects of {platform}"
            digest = holding.digest
            statements = [
                *image.contents.statements(platform, PROVENANCE),
                *image.contents.statements(platform, SPDX),
            ]
            subjects = [statement.subjects for statement in statements]
            distinct_subjects = set(subjects)
            if distinct_subjects == {(digest,)}:
                yield Point(
                    name=name,
                    holds=True,
                    observation=digest,
                )
            else:
                strays = set().union(*subjects)
                strays.discard(digest)
                wrong = first_few(sorted(strays)) or "nothing"
                yield Point(
                    name=name,
                    holds=False,
                    observation=f"statements about {wrong}",
                )
