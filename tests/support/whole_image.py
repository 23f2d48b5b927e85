"""An image of two platforms with everything that belongs to it, in the registry on loopback."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shipway.effects.statements import PREDICATE
from shipway.image.contents import PROVENANCE, SPDX
from shipway.image.index import SUBJECT
from shipway.image.labels import REVISION, SOURCE, VERSION
from tests.support.layers import archive, elf
from tests.support.model_remotes import provenance_of
from tests.support.registry import Registry

MACHINES = {"amd64": 62, "arm64": 183}
COMMIT = "c0ff" * 10
LABELS = {VERSION: "1.2.3", REVISION: COMMIT, SOURCE: "https://github.com/acme/toy"}
TAR = "application/vnd.oci.image.layer.v1.tar"
Descriptor = dict[str, Any]  # Any: JSON


@dataclass
class WholeImage:
    """A good image, that can be spoiled before it is put under its tag.

    ``parts`` are the digests of ``linux/amd64`` by what they are; ``sizes`` replaces what is said
    of the size of such a part.
    """

    registry: Registry
    tag: str = "v1.2.3"
    sizes: dict[str, int] = field(default_factory=dict)
    replaced: dict[str, object] = field(default_factory=dict)
    """What stands in the registry in place of a part."""
    parts: dict[str, str] = field(default_factory=dict)
    digest: str = ""

    @property
    def reference(self) -> str:
        """Name it as people do."""
        return f"{self.registry.name}:{self.tag}"

    def publish(self) -> WholeImage:
        """Put all of it into the registry."""
        entries: list[Descriptor] = []
        for machine in MACHINES:
            image = self._image(machine)
            entries += [image, self._attestation(machine, image["digest"])]
        self.digest = self.registry.put({"manifests": entries, "annotations": LABELS})
        self.registry.names[self.tag] = self.digest
        return self

    def lose(self, kind: str) -> str:
        """Delete a part of ``linux/amd64`` from the registry; gives its digest."""
        digest = self.parts[kind]
        del self.registry.blobs[digest]
        return digest

    def _put(self, kind: str, machine: str, content: object, **words: object) -> Descriptor:
        is_first = machine == "amd64"
        if is_first and kind in self.replaced:
            content = self.replaced[kind]
        digest = self.registry.put(content)
        size = len(self.registry.blobs[digest])
        if is_first:
            self.parts.setdefault(kind, digest)
            size = self.sizes.get(kind, size)
        return {"digest": digest, "size": size, **words}

    def _image(self, machine: str) -> Descriptor:
        files = {"deps/a.so": elf(MACHINES[machine])}
        metadata = {"deps/toy-1.0.dist-info/METADATA": b"Name: toy\nVersion: 1.0\n"}
        # Images of different tags share nothing but their layers.
        config = {"architecture": machine, "config": {"Labels": LABELS}, "tag": self.tag}
        layer = archive({**files, **metadata, machine: b""})
        manifest = {
            "config": self._put("configuration", machine, config),
            "layers": [self._put("layer", machine, layer, mediaType=TAR)],
        }
        platform = {"os": "linux", "architecture": machine}
        return self._put("manifest", machine, manifest, platform=platform)

    def _attestation(self, machine: str, image: str) -> Descriptor:
        package = {"name": "toy", "versionInfo": "1.0", "licenseDeclared": "MIT"}
        predicates = {
            SPDX: {"packages": [package]},
            f"{PROVENANCE}v1": provenance_of(COMMIT),
        }
        layers: list[Descriptor] = []
        for predicate_type, predicate in predicates.items():
            statement = {
                "_type": self.tag,
                "predicateType": predicate_type,
                "predicate": predicate,
                "subject": [{"name": machine, "digest": {"sha256": image[7:]}}],
            }
            annotations = {PREDICATE: predicate_type}
            layer = self._put("statement", machine, statement, annotations=annotations)
            layers.append(layer)
        return self._put(
            "attestation manifest",
            machine,
            {"layers": layers},
            annotations={SUBJECT: image},
            platform={"os": "unknown", "architecture": "unknown"},
        )
