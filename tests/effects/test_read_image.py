"""Reading an image from its registry."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import pytest
import zstandard

from shipway.effects import blobs, image_layers, layers, read_image
from shipway.effects.layers import Layer
from shipway.effects.manifests import Descriptor
from shipway.effects.questions import Answerer
from shipway.effects.registry import connect
from shipway.effects.statements import read_sbom_documents
from shipway.errors import StepFailed
from shipway.image.contents import PROVENANCE, SPDX, Contents
from shipway.image.index import SUBJECT
from shipway.model.actions import ReadImage
from tests.support.layers import archive, elf
from tests.support.registry import Registry

METADATA = "deps/toy-1.0.dist-info/METADATA"
ZSTD: Callable[[bytes], bytes] = zstandard.ZstdCompressor().compress
TAR = "application/vnd.oci.image.layer.v1.tar"


@pytest.fixture(name="index")
def fixture_index(registry: Registry) -> str:
    """An image of one platform with its attestations, in the registry."""
    image = registry.image(
        (f"{TAR}+gzip", gzip.compress(archive({"usr/lib/libc.so": elf(183)}))),
        (
            f"{TAR}+zstd",
            ZSTD(archive({"deps/x.so": elf(62), METADATA: b"Name: toy\nVersion: 1\n"})),
        ),
        (TAR, archive({"app/main.py": b""})),
    )
    subject = [{"name": "x", "digest": {"sha256": image[7:]}}]
    statements = [
        {
            "predicateType": SPDX,
            "subject": subject,
            "predicate": {
                "packages": [
                    {
                        "name": "toy",
                        "versionInfo": "1",
                        "licenseDeclared": "MIT",
                        "externalRefs": [
                            {"referenceType": "purl", "referenceLocator": "pkg:pypi/toy@1"}
                        ],
                    }
                ]
            },
        },
        {
            "predicateType": f"{PROVENANCE}v1",
            "subject": subject,
            "predicate": {"buildDefinition": {}},
        },
    ]
    attestation = registry.put(
        {"layers": [{"digest": registry.put(statement)} for statement in statements]}
    )
    return registry.put(
        {
            "annotations": {"c": "d"},
            "manifests": [
                {
                    "digest": image,
                    "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"},
                },
                {
                    "digest": attestation,
                    "annotations": {SUBJECT: image},
                    "platform": {"os": "unknown"},
                },
            ],
        }
    )


def ask(registry: Registry, digest: str, cache: Path, **variables: str) -> Contents:
    """What is in an image, asked with a cache folder and more variables."""
    question = ReadImage(name="inspect", why="test", image=registry.name, digest=digest)
    return Answerer({"XDG_CACHE_HOME": str(cache), **variables})(question)


@pytest.mark.process
class TestContents:
    """Reading an image back."""

    def test_an_image_is_described_and_its_layers_are_read_once(
        self, registry: Registry, index: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "of the process"))
        contents = ask(registry, index, tmp_path / "cache")
        platform = contents.platforms["linux/arm64"]
        assert (platform.compiled, platform.foreign, platform.distributions) == (
            2,
            ("deps/x.so",),
            (("toy", "1"),),
        )
        assert platform.labels == {"a": "b"} and contents.annotations == {"c": "d"}
        assert contents.packages("linux/arm64") == (("toy", "1", "MIT"),)
        assert contents.statements("linux/arm64", SPDX)[0].distributions == (("toy", "1"),)
        assert contents.statements("linux/arm64", PROVENANCE)[0].subjects == (platform.digest,)
        requests = len(registry.asked)
        assert ask(registry, index, tmp_path / "cache") == contents
        assert registry.methods[requests:].count("HEAD") == 3
        assert len(registry.asked) == 2 * requests
        assert not (tmp_path / "of the process").exists()

    def test_secrets_of_an_image_are_named(self, registry: Registry, tmp_path: Path) -> None:
        login = "https://ann:s3cret@pypi.example/simple"
        config = {
            "config": {"Env": ["PATH=/bin", f"INDEX={login}"], "Labels": {"l": login}, "Cmd": None},
            "history": [{"created_by": "COPY"}, {"created_by": f"RUN |1 A={login} sh"}],
        }
        manifest = {"config": {"digest": registry.put(config)}, "annotations": {"a": login}}
        entry = {
            "digest": registry.put(manifest),
            "platform": {"os": "linux", "architecture": "amd64"},
            "annotations": {"b": login},
        }
        contents = ask(registry, registry.put({"manifests": [entry]}), tmp_path)
        assert contents.platforms["linux/amd64"].leaks == (
            "entry b",
            "annotations a",
            "config Labels l",
            "config Env INDEX",
            "history 2 created_by",
        )

    def test_nobody_has_no_home(self, registry: Registry, index: str, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        assert ask(registry, index, tmp_path / "file").platforms

    def test_a_kept_layer_of_another_shape_is_read_again(
        self, registry: Registry, index: str, tmp_path: Path
    ) -> None:
        contents = ask(registry, index, tmp_path)
        for file in (tmp_path / "shipway" / "layers").iterdir():
            file.write_text('{"compiled": []}')
        assert ask(registry, index, tmp_path) == contents

    @pytest.mark.parametrize(
        ("media_type", "content"),
        [
            (TAR, b"no archive"),
            (TAR, archive({"a.so": elf(62)})[:700]),
            (f"{TAR}+gzip", b"not packed"),
            (f"{TAR}+gzip", gzip.compress(archive({"a": bytes(9999)}))[:-20]),
            (f"{TAR}+zstd", b"not packed"),
        ],
        ids=["no archive", "half an archive", "no gzip", "half of gzip", "no zstd"],
    )
    def test_a_layer_that_is_no_archive(
        self, registry: Registry, tmp_path: Path, media_type: str, content: bytes
    ) -> None:
        image = registry.image((media_type, content))
        platform = {"os": "linux", "architecture": "arm64"}
        index = registry.put({"manifests": [{"digest": image, "platform": platform}]})
        with pytest.raises(StepFailed, match=r"layer sha256:\w+ cannot be read") as caught:
            ask(registry, index, tmp_path)
        assert caught.value.hint

    @pytest.mark.parametrize(
        "document",
        [[], {"manifests": [{"digest": "sha256:../../x"}]}, {"manifests": [{}]}, {"layers": "x"}],
    )
    def test_a_manifest_of_another_shape(
        self, registry: Registry, tmp_path: Path, document: object
    ) -> None:
        with pytest.raises(StepFailed, match=r"manifest sha256:\w+ of .* cannot be understood"):
            ask(registry, registry.put(document), tmp_path)

    def test_a_registry_that_breaks_off(
        self, registry: Registry, index: str, tmp_path: Path
    ) -> None:
        registry.troubles = [(200, {"Content-Length": "1000", "Connection": "close"})]
        with pytest.raises(StepFailed, match="broke off while it sent manifests/"):
            ask(registry, index, tmp_path)

    @pytest.mark.parametrize("worth", [0, 1 << 30])
    def test_two_platforms_may_share_a_layer(
        self, registry: Registry, tmp_path: Path, worth: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(image_layers, "_WORTH_A_PROCESS", worth)
        image = registry.image((TAR, archive({"a.so": elf(62)})))
        index = registry.put(
            {
                "manifests": [
                    {"digest": image, "platform": {"os": "linux", "architecture": name}}
                    for name in ("amd64", "arm64")
                ]
            }
        )
        found = ask(registry, index, tmp_path)
        assert [platform.foreign for platform in found.platforms.values()] == [(), ("a.so",)]

    @pytest.mark.parametrize("worth", [0, 1 << 30])
    def test_a_layer_that_is_gone(
        self, registry: Registry, tmp_path: Path, worth: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(image_layers, "_WORTH_A_PROCESS", worth)
        gone = f"sha256:{'0' * 64}"
        image = registry.put(
            {"config": {"digest": registry.put({})}, "layers": [{"digest": gone, "mediaType": TAR}]}
        )
        index = registry.put(
            {"manifests": [{"digest": image, "platform": {"os": "linux", "architecture": "arm64"}}]}
        )
        contents = ask(registry, index, tmp_path)
        (part,) = contents.broken
        assert part.describe() == f"layer {gone} of linux/arm64 is not there"

    def test_two_runs_may_read_a_layer_at_once(
        self, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        digest = registry.put(archive({"a.so": elf(62)}))
        descriptor = Descriptor(digest=digest, media_type=TAR)
        both, read_layer = threading.Barrier(2), layers.read_layer

        def together(stream: IO[bytes]) -> Layer:
            both.wait(timeout=5)
            return read_layer(stream)

        monkeypatch.setattr(blobs, "read_layer", together)
        with connect(registry.name, {}) as connection, ThreadPoolExecutor() as pool:
            image = blobs.RegistryImage(connection, tmp_path)
            both_layers = list(pool.map(image.layer, (descriptor, descriptor)))
        assert [layer["compiled"] for layer in both_layers] == [{"a.so": 62}] * 2
        assert len(list(tmp_path.glob("layers/*"))) == 1

    def test_a_busy_registry_is_asked_again(
        self, registry: Registry, index: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("shipway.effects.connections._BACKOFF", 0)
        registry.troubles = [(429, {"Retry-After": "0"}), (503, {"Retry-After": "0"})]
        assert ask(registry, index, tmp_path).digest == index

    def test_a_tag_is_resolved(self, registry: Registry, index: str) -> None:
        registry.blobs["v1"] = registry.blobs[index]
        found = read_image.resolve_index(registry.name, "v1", {})
        assert found is not None and found.digest == index and found.platforms
        assert read_image.resolve_index(registry.name, "v2", {}) is None
        registry.blobs[index] += b" "
        with pytest.raises(StepFailed, match="something else than"):
            read_image.resolve_index(registry.name, index, {})

    def test_the_sboms_of_each_platform(self, registry: Registry, index: str) -> None:
        found = read_image.resolve_index(registry.name, index, {})
        assert found is not None
        documents = read_sbom_documents(registry.name, found.digest, {})
        (document,) = documents.by_platform["linux/arm64"]
        assert document["packages"][0]["name"] == "toy"

    def test_something_else_than_the_digest_names(
        self, registry: Registry, index: str, tmp_path: Path
    ) -> None:
        registry.blobs[index] += b" "
        with pytest.raises(StepFailed, match="something else than sha256"):
            ask(registry, index, tmp_path)

    @pytest.mark.parametrize(
        ("status", "said"), [(401, "docker login"), (403, "docker login"), (404, "answers")]
    )
    def test_a_registry_that_refuses(
        self, registry: Registry, index: str, tmp_path: Path, status: int, said: str
    ) -> None:
        registry.troubles = [(status, {})] * 3
        with pytest.raises(StepFailed) as caught:
            ask(registry, index, tmp_path)
        assert said in caught.value.hint and len(registry.asked) == 1

    def test_a_registry_that_is_not_there(
        self, registry: Registry, index: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        registry.server.shutdown()
        registry.server.server_close()
        monkeypatch.setattr("shipway.effects.connections.ATTEMPTS", 0)
        with pytest.raises(StepFailed, match="could not ask 127.0.0.1"):
            ask(registry, index, tmp_path)
