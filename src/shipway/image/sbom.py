"""SBOMs are shown to people here: their packages, what changed between two, and as CycloneDX.

Sources: SPDX specification 2.3, "Package information"; CycloneDX specification 1.6, JSON.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from shipway.image.documents import JsonObject, inner_objects, inner_text, printable
from shipway.image.licenses import UNKNOWN

Packages = Mapping[str, Sequence["Package"]]
"""The packages of an image, by platform."""
Change = dict[str, str]
"""``{name, before, after}`` of a package, as in the JSON document that shows it."""


class Package(msgspec.Struct, frozen=True, order=True, kw_only=True):
    """A package of an image; what the SBOM does not know of it is empty."""

    name: str
    version: str
    license: str = ""
    purl: str = ""
    """Package URL, which names the ecosystem too."""


def parse_packages(documents: Iterable[JsonObject]) -> tuple[Package, ...]:
    """Read the packages of SPDX documents.

    The image itself, which each of them names as what it describes, is left out.
    """
    packages: set[Package] = set()
    for document in documents:
        described = set(_described(document))
        for package in inner_objects(document, "packages"):
            identifier = inner_text(package, "SPDXID")
            if identifier and identifier in described:
                continue
            packages.add(_package(package))
    return tuple(sorted(packages))


def _described(document: JsonObject) -> Iterator[str]:
    """Give the identifiers of what a document describes as a whole."""
    identifiers = document.get("documentDescribes")
    if isinstance(identifiers, list):
        yield from map(str, identifiers)
    for relationship in inner_objects(document, "relationships"):
        if relationship.get("relationshipType") == "DESCRIBES":
            yield inner_text(relationship, "relatedSpdxElement")


def _package(package: JsonObject) -> Package:
    return Package(
        name=inner_text(package, "name"),
        version=inner_text(package, "versionInfo"),
        license=_license(package),
        purl=_purl(package),
    )


def _license(package: JsonObject) -> str:
    """Give the license that is declared, else the one that was concluded, else ``""``."""
    for name in ("licenseDeclared", "licenseConcluded"):
        expression = inner_text(package, name)
        if expression not in UNKNOWN:
            return expression
    return ""


def _purl(package: JsonObject) -> str:
    for reference in inner_objects(package, "externalRefs"):
        if reference.get("referenceType") == "purl":
            return inner_text(reference, "referenceLocator")
    return ""


def render_table(packages: Packages) -> str:
    """Write a line for each package, below a line for each platform."""
    lines: list[str] = []
    for platform, listed in packages.items():
        count = len(listed)
        heading = f"{platform}: {count} packages"
        lines.append(printable(heading))
        lines += _package_lines(listed)
    return "\n".join(lines)


def _package_lines(packages: Sequence[Package]) -> Iterator[str]:
    name_width = _width(package.name for package in packages)
    version_width = _width(package.version for package in packages)
    for package in packages:
        columns = (
            "",
            package.name.ljust(name_width),
            package.version.ljust(version_width),
            package.license or "unknown",
        )
        yield printable("  ".join(columns))


def _width(words: Iterable[str]) -> int:
    """Give the width of a column of words."""
    return max(map(len, words), default=0)


def plan_changes(before: Packages, after: Packages) -> dict[str, list[Change]]:
    """List by platform what was added, removed, or has another version or license."""
    changes: dict[str, list[Change]] = {}
    platforms = {*before, *after}
    for platform in sorted(platforms):
        changes[platform] = _changes(
            before.get(platform, ()),
            after.get(platform, ()),
        )
    return changes


def _changes(before: Sequence[Package], after: Sequence[Package]) -> list[Change]:
    changes: list[Change] = []
    old_versions = _versions_by_name(before)
    new_versions = _versions_by_name(after)
    names = {*old_versions, *new_versions}
    for name in sorted(names):
        old = old_versions[name]
        new = new_versions[name]
        if old == new:
            continue
        change = {
            "name": name,
            "before": ", ".join(sorted(old - new)),
            "after": ", ".join(sorted(new - old)),
        }
        changes.append(change)
    return changes


def _versions_by_name(packages: Sequence[Package]) -> defaultdict[str, set[str]]:
    """Give `version (license)` of each package, by name: an image may hold two versions of one."""
    versions: defaultdict[str, set[str]] = defaultdict(set)
    for package in packages:
        license_ = package.license or "unknown"
        version = f"{package.version} ({license_})"
        same_name = versions[package.name]
        same_name.add(version)
    return versions


def render_changes(changes: Mapping[str, Sequence[Mapping[str, str]]]) -> str:
    """Write a line a change: ``+`` added, ``-`` removed, ``~`` another version or license."""
    lines: list[str] = []
    for platform, changed in changes.items():
        summary = "nothing changed"
        if changed:
            summary = f"{len(changed)} changes"
        heading = f"{platform}: {summary}"
        lines.append(printable(heading))
        lines += map(_change_line, changed)
    return "\n".join(lines)


def _change_line(change: Mapping[str, str]) -> str:
    name = printable(change["name"])
    before = printable(change["before"])
    after = printable(change["after"])
    if not before:
        return f"  + {name}  {after}"
    if not after:
        return f"  - {name}  {before}"
    return f"  ~ {name}  {before} → {after}"


def render_cyclonedx(image: str, digest: str, packages: Packages) -> dict[str, object]:
    """Make a minimal CycloneDX document of all platforms; each component says where it is."""
    platforms: dict[Package, list[str]] = {}
    for platform, listed in packages.items():
        for package in listed:
            places = platforms.setdefault(package, [])
            places.append(platform)
    components: list[dict[str, object]] = []
    for number, package in enumerate(sorted(platforms), start=1):
        component = _component(
            number,
            package,
            platforms[package],
        )
        components.append(component)
    container = {
        "type": "container",
        "name": image,
        "version": digest,
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": container},
        "components": components,
    }


def _component(number: int, package: Package, platforms: Sequence[str]) -> dict[str, object]:
    component: dict[str, object] = {
        "type": "library",
        "bom-ref": f"package-{number}",
        "name": package.name,
    }
    if package.version:
        component["version"] = package.version
    if package.license:
        component["licenses"] = [{"expression": package.license}]
    if package.purl:
        component["purl"] = package.purl
    properties: list[dict[str, str]] = []
    for platform in platforms:
        entry = {
            "name": "shipway:platform",
            "value": platform,
        }
        properties.append(entry)
    component["properties"] = properties
    return component
