"""The SBOM of an image."""

from __future__ import annotations

from typing import Any

from shipway.image.sbom import (
    Package,
    parse_packages,
    plan_changes,
    render_changes,
    render_cyclonedx,
    render_table,
)
from tests.support.spdx import DOCUMENT

ATTRS = Package(name="attrs", version="25.1", license="MIT", purl="pkg:pypi/attrs@25.1")
BASH = Package(name="bash", version="5", license="GPL-3.0-or-later")
UNKNOWN = Package(name="c", version="")


class TestPackages:
    """Pure."""

    def test_each_package_is_listed_once_and_the_image_is_none(self) -> None:
        assert parse_packages([DOCUMENT]) == (ATTRS, BASH, UNKNOWN)
        assert parse_packages([{**DOCUMENT, "documentDescribes": ["a"]}]) == (BASH, UNKNOWN)

    def test_a_table(self) -> None:
        assert render_table(
            {"linux/amd64": (ATTRS, BASH, UNKNOWN), "linux/arm64": ()}
        ).splitlines() == [
            "linux/amd64: 3 packages",
            "  attrs  25.1  MIT",
            "  bash   5     GPL-3.0-or-later",
            "  c            unknown",
            "linux/arm64: 0 packages",
        ]

    def test_changes(self) -> None:
        newer = Package(name="attrs", version="25.2", license="MIT")
        found = plan_changes(
            {"linux/amd64": (ATTRS, BASH), "linux/386": ()}, {"linux/amd64": (newer, UNKNOWN)}
        )
        assert render_changes(found).splitlines() == [
            "linux/386: nothing changed",
            "linux/amd64: 3 changes",
            "  ~ attrs  25.1 (MIT) → 25.2 (MIT)",
            "  - bash  5 (GPL-3.0-or-later)",
            "  + c   (unknown)",
        ]

    def test_a_package_whose_name_is_a_line_of_its_own_stays_on_one(self) -> None:
        hostile = Package(name="a\nb", version="1\x1b[1A", license="c\rd")
        _, line = render_table({"linux/amd64": (hostile,)}).split("\n")
        assert line == r"  a\nb  1\x1b[1A  c\rd"
        changes = plan_changes({}, {"linux/\namd64": (hostile,)})
        assert render_changes(changes).split("\n") == [
            r"linux/\namd64: 1 changes",
            r"  + a\nb  1\x1b[1A (c\rd)",
        ]

    def test_cyclonedx(self) -> None:
        everywhere = {"linux/amd64": (ATTRS, UNKNOWN), "linux/386": (ATTRS,)}
        found: dict[str, Any] = render_cyclonedx("ghcr.io/acme/app", "sha256:1", everywhere)
        assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
        first, second = found["components"]
        assert first["purl"] == ATTRS.purl and first["licenses"] == [{"expression": "MIT"}]
        assert [one["value"] for one in first["properties"]] == ["linux/amd64", "linux/386"]
        assert set(second) == {"type", "bom-ref", "name", "properties"}
