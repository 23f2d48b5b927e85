"""The packages of an image, from its SBOMs: shown, compared with another image's, held against a list of licenses.

`python3 -m shipway.run.packages IMAGE PREVIOUS` prints what changed between two releases, as Markdown.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shipway.effects import read_image
from shipway.errors import CheckFailed, ContextError, SettingsError, ShipwayError, StepFailed
from shipway.image.licenses import is_allowed
from shipway.image.reference import Reference, parse_reference
from shipway.image.sbom import (
    Packages,
    parse_packages,
    plan_changes,
    render_changes,
    render_cyclonedx,
    render_table,
)
from shipway.run.session import open_session
from shipway.run.verify import find_index, read_limits, require_index
from shipway.settings import parse
from shipway.target.notes import render_packages

Document = dict[str, Any]
"""A JSON document; Any, since it is only printed."""
FORMATS = ("table", "spdx", "cyclonedx")


def name_image(image: str, progress: Callable[[str], None]) -> str:
    """The image that was given, else the present commit's own under its staging tag."""
    if image:
        return image
    target = open_session(progress).target()
    return f"{target.image}:{target.staging}"


def read_sboms(image: str) -> tuple[str, dict[str, list[read_image.Node]]]:
    """(digest, SPDX documents by platform); raises ``StepFailed`` where a platform has none."""
    reference = parse_reference(image)
    index = require_index(reference)
    found = read_image.read_sboms(reference.name, index)
    lacking = [platform for platform, documents in found.items() if not documents]
    if lacking or not found:
        raise StepFailed(
            f"{image} has no SBOM{' of ' if lacking else ''}{', '.join(lacking)}",
            hint="build it with `shipway build --push`, or with buildx and `--sbom=true`",
        )
    return index.digest, found


def read_packages(image: str) -> Packages:
    """The packages by platform."""
    return {
        platform: parse_packages(documents) for platform, documents in read_sboms(image)[1].items()
    }


def sbom(image: str, form: str) -> tuple[str, Document]:
    """The SBOM: (lines for people, document for programs); SPDX documents as they were attested, by platform."""
    if form not in FORMATS:
        raise ContextError(
            f"there is no format {form!r}", hint=f"the formats are {', '.join(FORMATS)}"
        )
    digest, documents = read_sboms(image)
    packages = {platform: parse_packages(found) for platform, found in documents.items()}
    if form == "spdx":
        return "", {
            platform: found[0] if len(found) == 1 else found
            for platform, found in documents.items()
        }
    if form == "cyclonedx":
        return "", render_cyclonedx(parse_reference(image).name, digest, packages)
    return render_table(packages), {
        "image": image,
        "digest": digest,
        "packages": {
            platform: [
                {
                    "name": one.name,
                    "version": one.version,
                    "license": one.license or None,
                    "purl": one.purl or None,
                }
                for one in found
            ]
            for platform, found in packages.items()
        },
    }


def changes(image: str, other: str) -> tuple[str, Document]:
    """What ``image`` has that ``other`` had not, or otherwise."""
    found = plan_changes(read_packages(other), read_packages(image))
    return render_changes(found), {"image": image, "other": other, "changes": found}


def allowed_licenses(policy: str) -> tuple[str, ...]:
    """The licenses of the policy file, else of the project's settings; ``SettingsError`` where none are listed."""
    listed: tuple[str, ...] = ()
    if policy:
        listed = read_limits(policy).licenses
    elif Path("pyproject.toml").is_file():
        listed = parse(Path("pyproject.toml").read_text(encoding="utf-8")).settings.policy.licenses
    if not listed:
        raise SettingsError(
            "no list of licenses says what is allowed",
            hint="set `licenses` in [tool.shipway.policy], or give `--policy FILE`",
        )
    return listed


def licenses(image: str, policy: str) -> Document:
    """``{"image", "allowed", "refused"}``; raises ``CheckFailed`` with the names when a license is not allowed."""
    allowed = allowed_licenses(policy)
    found = read_packages(image)
    refused = {
        platform: [
            {"name": one.name, "version": one.version, "license": one.license or None}
            for one in packages
            if not is_allowed(one.license, allowed)
        ]
        for platform, packages in found.items()
    }
    document: Document = {
        "image": image,
        "packages": {platform: len(one) for platform, one in found.items()},
        "refused": refused,
    }
    wrong = sorted(
        {
            f"{one['name']} {one['version']}: {one['license'] or 'unknown'}"
            for packages in refused.values()
            for one in packages
        }
    )
    if wrong:
        error = CheckFailed(
            f"{len(wrong)} packages of {image} are under licenses that are not allowed:\n"
            + "\n".join(f"  - {one}" for one in wrong),
            hint="replace the packages, or allow their licenses",
        )
        error.document = document
        raise error
    return document


def main(image: str, previous: str) -> None:
    """Print what changed since ``previous``, folded, for the page of a release; nothing where that has no SBOM."""
    try:
        now, before = (find_packages(parse_reference(one)) for one in (image, previous))
    except ShipwayError as error:
        sys.exit(str(error))
    if now and before:
        print(render_packages(plan_changes(before, now), previous.rpartition(":")[2]))


def find_packages(reference: Reference) -> Packages:
    """The packages by platform; none where the image is not there, or has no SBOM."""
    index = find_index(reference)
    return (
        {
            platform: parse_packages(documents)
            for platform, documents in read_image.read_sboms(reference.name, index).items()
            if documents
        }
        if index
        else {}
    )


if __name__ == "__main__":
    main(*sys.argv[1:3])
