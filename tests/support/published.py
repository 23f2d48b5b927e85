"""An image with everything that belongs to it, put into a registry without an engine.

As buildx would do it, or as an attacker might.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shipway.image.contents import PROVENANCE
from shipway.image.index import SUBJECT
from shipway.image.labels import REVISION, SOURCE, VERSION, WORKFLOW_COMMIT
from tests.support.layers import archive, elf
from tests.support.model_remotes import provenance_of

INDEX, MANIFEST = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
)
IN_TOTO = "application/vnd.in-toto+json"
MACHINES = {"amd64": 62, "arm64": 183}
COMMIT = "c0ff" * 10
"""The release commit."""
LABELS = {VERSION: "1.2.3", REVISION: COMMIT, SOURCE: "https://github.com/acme/app"}

Send = Callable[[str, str, bytes | None, dict[str, str]], tuple[int, dict[str, str]]]
"""(address, method, content, headers) → (status, headers)."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What is published: by default a good release of `acme/app` that a workflow on ``started`` has built."""

    started: str = "5eed" * 10
    labels: Mapping[str, str] = field(default_factory=lambda: LABELS)
    provenance: Mapping[str, Any] = field(default_factory=lambda: provenance_of(COMMIT, **FROM_APP))
    installed: tuple[str, ...] = ("toy",)
    listed: tuple[tuple[str, str, str], ...] = (("toy", "1.0", "MIT"),)
    """Of the SBOM: (name, version, license)."""
    subject: str = ""
    """What the statements are about, in place of the image that they are attached to."""
    attestations: int = 1
    """Attestation manifests for each platform."""
    extra: str = ""
    """Makes another image of the same recipe."""

    def but(self, **changes: object) -> Recipe:
        """Another one."""
        return replace(self, **changes)  # type: ignore[arg-type]


FROM_APP: dict[str, Any] = {  # Any: JSON
    "source": "https://github.com/acme/app",
    "builder": {"id": "https://github.com/acme/app/actions/runs/1003/attempts/1"},
}


@dataclass(frozen=True)
class Shelf:
    """A place in a registry: ``address`` is `http://host:port/v2/owner/name`."""

    address: str
    send: Send

    def blob(self, content: bytes) -> dict[str, Any]:  # Any: a descriptor
        """Upload a blob (OCI distribution specification, "Pushing a blob monolithically")."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        _, headers = self.send(
            f"{self.address}/blobs/uploads/", "POST", b"", {"Content-Length": "0"}
        )
        place = headers["Location"]
        status, _ = self.send(
            f"{place}{'&' if '?' in place else '?'}digest={digest}",
            "PUT",
            content,
            {"Content-Type": "application/octet-stream"},
        )
        assert status == 201, status
        return {"digest": digest, "size": len(content)}

    def manifest(
        self, kind: str, document: Mapping[str, Any], tag: str = ""
    ) -> dict[str, Any]:  # Any: JSON
        """Upload a manifest under its digest, or a tag."""
        content = json.dumps({"schemaVersion": 2, "mediaType": kind, **document}).encode()
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        status, _ = self.send(
            f"{self.address}/manifests/{tag or digest}", "PUT", content, {"Content-Type": kind}
        )
        assert status == 201, status
        return {"mediaType": kind, "digest": digest, "size": len(content)}

    def publish(self, recipe: Recipe, tag: str) -> tuple[str, ...]:
        """Put the image under ``tag``; gives all digests that have to be signed, the index last."""
        images = [self._image(recipe, name) for name in MACHINES]
        statements = [
            self._attestation(recipe, image["digest"], number)
            for image in images
            for number in range(recipe.attestations)
        ]
        entries = [*images, *statements]
        notes = {**recipe.labels, WORKFLOW_COMMIT: recipe.started}
        index = self.manifest(INDEX, {"manifests": entries, "annotations": notes}, tag)
        return (*(entry["digest"] for entry in entries), index["digest"])

    def _image(self, recipe: Recipe, machine: str) -> dict[str, Any]:  # Any: a descriptor
        files = {
            f"deps/{name}-1.0.dist-info/METADATA": f"Name: {name}\nVersion: 1.0\n".encode()
            for name in recipe.installed
        }
        layer = self.blob(
            gzip.compress(
                archive(
                    {"deps/a.so": elf(MACHINES[machine]), **files, "extra": recipe.extra.encode()}
                )
            )
        )
        config = self.blob(
            json.dumps(
                {"architecture": machine, "os": "linux", "config": {"Labels": dict(recipe.labels)}}
            ).encode()
        )
        found = self.manifest(
            MANIFEST,
            {
                "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config},
                "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", **layer}],
            },
        )
        return {**found, "platform": {"os": "linux", "architecture": machine}}

    def _attestation(
        self, recipe: Recipe, image: str, number: int
    ) -> dict[str, Any]:  # Any: a descriptor
        about = [
            {"name": "toy", "digest": {"sha256": (recipe.subject or image).removeprefix("sha256:")}}
        ]
        packages = [
            {
                "SPDXID": f"SPDXRef-{name}",
                "name": name,
                "versionInfo": version,
                "licenseDeclared": license_,
            }
            for name, version, license_ in recipe.listed
        ]
        layers = []
        for kind, predicate in (
            ("https://spdx.dev/Document", {"spdxVersion": "SPDX-2.3", "packages": packages}),
            (f"{PROVENANCE}v1", dict(recipe.provenance)),
        ):
            statement = {
                "_type": "https://in-toto.io/Statement/v0.1",
                "subject": about,
                "predicateType": kind,
                "predicate": predicate,
            }
            layers.append(
                {
                    "mediaType": IN_TOTO,
                    **self.blob(json.dumps(statement).encode()),
                    "annotations": {"in-toto.io/predicate-type": kind},
                }
            )
        config = self.blob(
            json.dumps({"architecture": "unknown", "os": "unknown", "number": number}).encode()
        )
        found = self.manifest(
            MANIFEST,
            {
                "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config},
                "layers": layers,
            },
        )
        return {
            **found,
            "platform": {"os": "unknown", "architecture": "unknown"},
            "annotations": {SUBJECT: image, "vnd.docker.reference.type": "attestation-manifest"},
        }
