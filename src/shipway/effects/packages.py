"""Compares the packages of two images, as their SBOMs name them."""

from __future__ import annotations

from collections.abc import Mapping

from shipway.effects.read_image import resolve_index
from shipway.effects.statements import read_sbom_documents
from shipway.image.reference import Reference, parse_reference
from shipway.image.sbom import Packages, parse_packages, plan_changes
from shipway.target.page_body import render_packages


def compare_packages(image: str, previous: str, environment: Mapping[str, str]) -> str:
    """Tell which packages changed since ``previous``, folded, as Markdown for a release's page.

    Both are references. The answer is empty where one of them is not there or has no SBOM; raises
    ``StepFailed`` where a registry cannot be asked.
    """
    now = find_packages(parse_reference(image), environment)
    before = find_packages(parse_reference(previous), environment)
    if not now or not before:
        return ""
    return render_packages(plan_changes(before, now), previous.rpartition(":")[2])


def find_packages(reference: Reference, environment: Mapping[str, str]) -> Packages:
    """Give the packages by platform; none where the image is not there, or has no SBOM."""
    index = resolve_index(reference.name, reference.digest or reference.tag, environment)
    if index is None:
        return {}
    packages = {}
    documents = read_sbom_documents(reference.name, index, environment)
    for platform, sboms in documents.items():
        if sboms:
            packages[platform] = parse_packages(sboms)
    return packages
