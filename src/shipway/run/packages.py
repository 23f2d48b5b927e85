"""The packages of an image come from its SBOMs; they are shown, compared or checked here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipway.effects.broken_parts import explain_broken
from shipway.effects.environment import equip
from shipway.effects.facts import load_project
from shipway.effects.statements import Document as SbomDocument
from shipway.effects.statements import read_sbom_documents
from shipway.errors import (
    CheckFailed,
    ContextError,
    SettingsError,
    StepFailed,
    VerificationFailed,
)
from shipway.image.contents import BrokenPart
from shipway.image.documents import printable
from shipway.image.licenses import is_allowed
from shipway.image.reference import parse_reference
from shipway.image.sbom import (
    Package,
    Packages,
    parse_packages,
    plan_changes,
    render_changes,
    render_cyclonedx,
    render_table,
)
from shipway.run.session import Progress, open_session
from shipway.run.verify import read_limits, require_index_of
from shipway.settings import PolicySettings

Document = dict[str, Any]
"""Holds a JSON document; Any, since it is only printed."""
FORMATS = ("table", "spdx", "cyclonedx")


def choose_image(image: str, progress: Progress) -> str:
    """Give the image that was named, else the present commit's own under its staging tag."""
    if image:
        return image
    session = open_session(progress)
    target = session.target()
    return f"{target.image}:{target.staging}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSboms:
    """Holds the SPDX documents of an image by platform, and which of its parts are broken."""

    image: str
    digest: str
    documents: dict[str, list[SbomDocument]]
    broken: tuple[BrokenPart, ...] = ()

    def find_problem(
        self, document: Document, refused: Iterable[str] = ()
    ) -> VerificationFailed | None:
        """Give the error of an image that has broken parts, ``None`` where it has none.

        ``document`` and the lines ``refused`` say what could be told of its other parts.
        """
        if not self.broken:
            return None
        error = explain_broken(self.image, self.broken)
        listed = [f"\n  - {line}" for line in refused]
        if listed:
            lines = "".join(listed)
            error.message += f"\nof what could be read is refused:{lines}"
        names = [part.describe() for part in self.broken]
        error.document = {**document, "broken": names}
        return error


def read_sboms(image: str, environment: Mapping[str, str]) -> ImageSboms:
    """Read the SBOMs of each platform of an image.

    Raises ``StepFailed`` where a platform has none, and no part that is broken.
    """
    reference = parse_reference(image)
    index = require_index_of(reference, environment)
    sboms = read_sbom_documents(reference.name, index.digest, environment)
    documents = sboms.by_platform
    lacking = [platform for platform in documents if not documents[platform]]
    if lacking and not sboms.broken:
        platforms = ", ".join(lacking)
        raise StepFailed(
            f"{image} has no SBOM of {platforms}",
            hint="build it with `shipway build --push`, or with buildx and `--sbom=true`",
        )
    return ImageSboms(
        image=image,
        digest=index.digest,
        documents=documents,
        broken=sboms.broken,
    )


def read_packages(image: str, environment: Mapping[str, str]) -> Packages:
    """Give the packages by platform; raises ``VerificationFailed`` where the image is broken."""
    sboms = read_sboms(image, environment)
    problem = sboms.find_problem({"image": image})
    if problem is not None:
        raise problem
    return parse_sboms(sboms.documents)


def parse_sboms(sboms: dict[str, list[SbomDocument]]) -> Packages:
    """Give the packages by platform, from the SPDX documents by platform."""
    packages: dict[str, Sequence[Package]] = {}
    for platform, documents in sboms.items():
        packages[platform] = parse_packages(documents)
    return packages


def render_sbom(image: str, output_format: str) -> tuple[str, Document]:
    """Give the SBOM as (lines for people, document for programs).

    SPDX documents are as they were attested, by platform. Raises ``VerificationFailed`` with the
    document where the image is broken.
    """
    if output_format not in FORMATS:
        formats = ", ".join(FORMATS)
        raise ContextError(
            f"there is no format {output_format!r}",
            hint=f"the formats are {formats}",
        )
    environment = equip(os.environ)
    sboms = read_sboms(image, environment)
    lines, document = _render(sboms, output_format)
    problem = sboms.find_problem(document)
    if problem is not None:
        raise problem
    return lines, document


def _render(sboms: ImageSboms, output_format: str) -> tuple[str, Document]:
    """Give (lines, document); only a table has lines."""
    if output_format == "spdx":
        return "", _unwrap_all(sboms.documents)
    packages = parse_sboms(sboms.documents)
    if output_format == "cyclonedx":
        reference = parse_reference(sboms.image)
        return "", render_cyclonedx(reference.name, sboms.digest, packages)
    document = {
        "image": sboms.image,
        "digest": sboms.digest,
        "packages": _describe_all(packages),
    }
    return render_table(packages), document


def _unwrap_all(sboms: dict[str, list[SbomDocument]]) -> Document:
    unwrapped: Document = {}
    for platform, documents in sboms.items():
        unwrapped[platform] = _unwrap(documents)
    return unwrapped


def _unwrap(documents: list[SbomDocument]) -> SbomDocument | list[SbomDocument]:
    if len(documents) == 1:
        return documents[0]
    return documents


def _describe_all(packages: Packages) -> Document:
    descriptions: Document = {}
    for platform, listed in packages.items():
        descriptions[platform] = [_describe(package) for package in listed]
    return descriptions


def _describe(package: Package) -> Document:
    return {
        "name": package.name,
        "version": package.version,
        "license": package.license or None,
        "purl": package.purl or None,
    }


def compare_images(image: str, other: str) -> tuple[str, Document]:
    """Say what differs between ``other`` and ``image``, as (lines, document)."""
    environment = equip(os.environ)
    before = read_packages(other, environment)
    after = read_packages(image, environment)
    changes = plan_changes(before, after)
    document: Document = {
        "image": image,
        "other": other,
        "changes": changes,
    }
    return render_changes(changes), document


def read_policy(path: str) -> PolicySettings:
    """Give the limits of the file, else of the project in this folder, else the default ones.

    Raises ``SettingsError``.
    """
    folder = Path.cwd()
    project = folder / "pyproject.toml"
    if path or not project.is_file():
        return read_limits(path)
    loaded = load_project(folder)
    return loaded.settings.policy


def allowed_licenses(policy: str) -> tuple[str, ...]:
    """Give the licenses of the policy file, else of the project's settings.

    Raises ``SettingsError`` where none are listed.
    """
    licenses = read_policy(policy).licenses
    if not licenses:
        raise SettingsError(
            "no list of licenses says what is allowed",
            hint="set `licenses` in [tool.shipway.policy], or give `--policy FILE`",
        )
    return licenses


def check_licenses(image: str, policy: str) -> Document:
    """Give ``{"image", "packages", "refused"}``.

    Raises ``CheckFailed`` with that document when a license is not allowed, and
    ``VerificationFailed`` where the image is broken.
    """
    allowed = allowed_licenses(policy)
    environment = equip(os.environ)
    sboms = read_sboms(image, environment)
    packages = parse_sboms(sboms.documents)
    refusals: Document = {}
    names: set[str] = set()
    for platform, listed in packages.items():
        refused = _list_refused(listed, allowed)
        refusals[platform] = [_describe_license(package) for package in refused]
        names.update(map(_name_license, refused))
    document: Document = {
        "image": image,
        "packages": count_packages(packages),
        "refused": refusals,
    }
    problem = sboms.find_problem(document, sorted(names))
    if problem is not None:
        raise problem
    if names:
        count = len(names)
        raise refusal(
            f"{count} packages of {image} are under licenses that are not allowed",
            sorted(names),
            hint="replace the packages, or allow their licenses",
            document=document,
        )
    return document


def refusal(summary: str, lines: Iterable[str], *, hint: str, document: Document) -> CheckFailed:
    """Give the error of an image that a policy refuses; ``lines`` say what it refuses of it."""
    entries = [f"  - {line}" for line in lines]
    listed = "\n".join(entries)
    return CheckFailed(
        f"{summary}:\n{listed}",
        hint=hint,
        document=document,
    )


def count_packages(packages: Packages) -> dict[str, int]:
    """Count the packages of each platform."""
    counts: dict[str, int] = {}
    for platform, listed in packages.items():
        counts[platform] = len(listed)
    return counts


def _list_refused(packages: Iterable[Package], allowed: tuple[str, ...]) -> list[Package]:
    return [package for package in packages if not is_allowed(package.license, allowed)]


def _name_license(package: Package) -> str:
    name = package.license or "unknown"
    line = f"{package.name} {package.version}: {name}"
    return printable(line)


def _describe_license(package: Package) -> Document:
    return {
        "name": package.name,
        "version": package.version,
        "license": package.license or None,
    }
