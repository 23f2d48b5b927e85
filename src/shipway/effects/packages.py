"""Compares the packages of two images, as their SBOMs name them."""

from __future__ import annotations

from collections.abc import Mapping

from shipway.effects.registry import NotThere
from shipway.effects.statements import SbomDocuments, read_sbom_documents
from shipway.image.reference import parse_reference
from shipway.image.sbom import Packages, parse_packages, plan_changes
from shipway.target.page_body import render_packages, render_uncompared


def compare_packages(image: str, previous: str, environment: Mapping[str, str]) -> str:
    """Tell which packages changed since ``previous``, folded, as Markdown for a release's page.

    Both are references. The answer is empty where one of them is not there or has no SBOM, and says
    so where one is broken; raises ``StepFailed`` where a registry cannot be asked.
    """
    now = _find_sboms(image, environment)
    before = _find_sboms(previous, environment)
    if now is None or before is None:
        return ""
    tag = previous.rpartition(":")[2]
    broken_parts = (*now.broken, *before.broken)
    if broken_parts:
        broken = [part.describe() for part in broken_parts]
        return render_uncompared(tag, broken)
    packages_now = _parse(now)
    packages_before = _parse(before)
    if not packages_now or not packages_before:
        return ""
    changes = plan_changes(packages_before, packages_now)
    return render_packages(changes, tag)


def _find_sboms(image: str, environment: Mapping[str, str]) -> SbomDocuments | None:
    """Give the SBOMs of an image, ``None`` where it is not there."""
    reference = parse_reference(image)
    target = reference.digest or reference.tag
    try:
        return read_sbom_documents(reference.name, target, environment)
    except NotThere:
        return None


def _parse(sboms: SbomDocuments) -> Packages:
    """Give the packages of the platforms that have an SBOM."""
    packages = {}
    for platform, documents in sboms.by_platform.items():
        if documents:
            packages[platform] = parse_packages(documents)
    return packages
