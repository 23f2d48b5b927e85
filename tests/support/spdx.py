"""An SBOM as BuildKit writes it."""

from __future__ import annotations

from typing import Any

DOCUMENT: dict[str, Any] = {  # Any: JSON
    "spdxVersion": "SPDX-2.3",
    "packages": [
        {"SPDXID": "image", "name": "/run/src"},
        {
            "SPDXID": "a",
            "name": "attrs",
            "versionInfo": "25.1",
            "licenseDeclared": "MIT",
            "externalRefs": [
                {"referenceType": "cpe23Type", "referenceLocator": "cpe"},
                {"referenceType": "purl", "referenceLocator": "pkg:pypi/attrs@25.1"},
            ],
        },
        {
            "SPDXID": "b",
            "name": "bash",
            "versionInfo": "5",
            "licenseDeclared": "NOASSERTION",
            "licenseConcluded": "GPL-3.0-or-later",
        },
        {"SPDXID": "c", "name": "c", "licenseDeclared": "NOASSERTION"},
        {"SPDXID": "d", "name": "c", "licenseDeclared": "NOASSERTION"},
    ],
    "relationships": [
        {"relationshipType": "DESCRIBES", "relatedSpdxElement": "image"},
        {"relationshipType": "CONTAINS", "relatedSpdxElement": "a"},
    ],
}
