"""SBOMs for people: the packages of an SPDX document, what changed between two, and the same as CycloneDX. Pure.

Sources: SPDX specification 2.3, "Package information"; CycloneDX specification 1.6, JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

Node = Mapping[str, Any]  # Any: the values of a JSON document
Packages = Mapping[str, Sequence["Package"]]
"""By platform."""


class Package(msgspec.Struct, frozen=True, order=True, kw_only=True):
    """One package; what the SBOM does not know is empty."""

    name: str
    version: str
    license: str = ""
    purl: str = ""
    """Package URL, which names the ecosystem too."""


def parse_packages(documents: Iterable[Node]) -> tuple[Package, ...]:
    """The packages of SPDX documents, without the image itself, which each of them names as what it describes."""
    found: set[Package] = set()
    for document in documents:
        described = set(_described(document))
        found.update(
            _package(one)
            for one in document.get("packages") or []
            if one.get("SPDXID") not in described
        )
    return tuple(sorted(found))


def _described(document: Node) -> Iterator[str]:
    yield from document.get("documentDescribes") or []
    for one in document.get("relationships") or []:
        if one.get("relationshipType") == "DESCRIBES":
            yield str(one.get("relatedSpdxElement", ""))


def _package(found: Node) -> Package:
    known = [str(found.get(name) or "") for name in ("licenseDeclared", "licenseConcluded")]
    links = [
        str(one.get("referenceLocator", ""))
        for one in found.get("externalRefs") or []
        if one.get("referenceType") == "purl"
    ]
    return Package(
        name=str(found.get("name", "")),
        version=str(found.get("versionInfo", "")),
        license=next((one for one in known if one not in ("", "NOASSERTION", "NONE")), ""),
        purl=next(iter(links), ""),
    )


def render_table(packages: Packages) -> str:
    """A line for each package, below a line for each platform."""
    lines: list[str] = []
    for platform, found in packages.items():
        lines.append(f"{platform}: {len(found)} packages")
        wide, high = (
            max((len(word) for word in words), default=0)
            for words in ([one.name for one in found], [one.version for one in found])
        )
        lines += [
            f"  {one.name:{wide}}  {one.version:{high}}  {one.license or 'unknown'}"
            for one in found
        ]
    return "\n".join(lines)


def plan_changes(before: Packages, after: Packages) -> dict[str, list[dict[str, str]]]:
    """By platform: what was added, removed or has another version or license, as ``{name, before, after}``."""
    return {
        platform: [*_changes(before.get(platform, ()), after.get(platform, ()))]
        for platform in sorted({*before, *after})
    }


def _changes(before: Sequence[Package], after: Sequence[Package]) -> Iterator[dict[str, str]]:
    old, new = _by_name(before), _by_name(after)
    for name in sorted({*old, *new}):
        gone, come = (
            sorted(old.get(name, set()) - new.get(name, set())),
            sorted(new.get(name, set()) - old.get(name, set())),
        )
        if gone or come:
            yield {"name": name, "before": ", ".join(gone), "after": ", ".join(come)}


def _by_name(packages: Sequence[Package]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in packages:
        found.setdefault(one.name, set()).add(f"{one.version} ({one.license or 'unknown'})")
    return found


def render_changes(changes: Mapping[str, Sequence[Mapping[str, str]]]) -> str:
    """A line for each change: ``+`` added, ``-`` removed, ``~`` another version or license."""
    lines: list[str] = []
    for platform, found in changes.items():
        lines.append(f"{platform}: {f'{len(found)} changes' if found else 'nothing changed'}")
        for one in found:
            sign = "~" if one["before"] and one["after"] else "+" if one["after"] else "-"
            lines.append(
                f"  {sign} {one['name']}  "
                + " → ".join(filter(None, (one["before"], one["after"])))
            )
    return "\n".join(lines)


def render_cyclonedx(
    image: str, digest: str, packages: Packages
) -> dict[str, Any]:  # Any: a JSON document
    """A minimal CycloneDX document of all platforms; each component says which ones it is in."""
    platforms: dict[Package, list[str]] = {}
    for platform, found in packages.items():
        for one in found:
            platforms.setdefault(one, []).append(platform)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": image, "version": digest}},
        "components": [
            _component(number, one, where)
            for number, (one, where) in enumerate(sorted(platforms.items()), 1)
        ],
    }


def _component(
    number: int, package: Package, platforms: Sequence[str]
) -> dict[str, Any]:  # Any: a JSON document
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": f"package-{number}",
        "name": package.name,
    }  # Any: as above
    found |= {"version": package.version} if package.version else {}
    found |= {"licenses": [{"expression": package.license}]} if package.license else {}
    found |= {"purl": package.purl} if package.purl else {}
    return found | {"properties": [{"name": "shipway:platform", "value": one} for one in platforms]}
