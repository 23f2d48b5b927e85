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

from shipway.effects import layers, read_image
from shipway.effects.layers import Layer
from shipway.effects.registry import connect
from shipway.errors import StepFailed
from shipway.image.contents import PROVENANCE, SPDX, parse_contents
from shipway.image.index import SUBJECT
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
                "packages": [{"name": "toy", "versionInfo": "1", "licenseDeclared": "MIT"}]
            },
        },
        {
            "predicateType": f"{PROVENANCE}v1",
            "subject": subject,
            "predicate": {"buildDefinition": {}},
        },
    ]
    attestation = registry.put(
        {"config": {}, "layers": [{"digest": registry.put(one)} for one in statements]}
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


@pytest.mark.process
class TestContents:
    """Reading an image back."""

    def test_an_image_is_described_and_its_layers_are_read_once(
        self,
        registry: Registry,
        index: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsysbinary: pytest.CaptureFixture[bytes],
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        read_image.main(f"{registry.name}@{index}")
        found = parse_contents(capsysbinary.readouterr().out.decode())
        platform = found.platforms["linux/arm64"]
        assert (platform.compiled, platform.foreign, platform.distributions) == (
            2,
            ("deps/x.so",),
            (("toy", "1"),),
        )
        assert platform.labels == {"a": "b"} and found.annotations == {"c": "d"}
        assert found.packages("linux/arm64") == (("toy", "1", "MIT"),)
        assert found.statements("linux/arm64", PROVENANCE)[0].subjects == (platform.digest,)
        asked = len(registry.asked)
        read_image.main(f"{registry.name}@{index}")
        assert parse_contents(capsysbinary.readouterr().out.decode()) == found
        assert len(registry.asked) == 2 * asked - 3

    def test_nobody_has_no_home(
        self,
        registry: Registry,
        index: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsysbinary: pytest.CaptureFixture[bytes],
    ) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
        read_image.main(f"{registry.name}@{index}")
        assert parse_contents(capsysbinary.readouterr().out.decode()).platforms

    @pytest.mark.parametrize("worth", [0, 1 << 30])
    def test_two_platforms_may_share_a_layer(
        self, registry: Registry, tmp_path: Path, worth: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(read_image, "_WORTH_A_PROCESS", worth)
        image = registry.image((TAR, archive({"a.so": elf(62)})))
        index = registry.put(
            {
                "manifests": [
                    {"digest": image, "platform": {"os": "linux", "architecture": name}}
                    for name in ("amd64", "arm64")
                ]
            }
        )
        found = read_image.describe(registry.name, index, tmp_path)
        assert [platform.foreign for platform in found.platforms.values()] == [(), ("a.so",)]

    @pytest.mark.parametrize("worth", [0, 1 << 30])
    def test_a_layer_that_is_gone(
        self, registry: Registry, tmp_path: Path, worth: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(read_image, "_WORTH_A_PROCESS", worth)
        gone = f"sha256:{'0' * 64}"
        image = registry.put(
            {"config": {"digest": registry.put({})}, "layers": [{"digest": gone, "mediaType": TAR}]}
        )
        index = registry.put(
            {"manifests": [{"digest": image, "platform": {"os": "linux", "architecture": "arm64"}}]}
        )
        with pytest.raises(StepFailed, match=f"answered 404 to GET blobs/{gone}") as error:
            read_image.describe(registry.name, index, tmp_path)
        assert "check that the registry answers" in error.value.hint

    def test_two_runs_may_read_a_layer_at_once(
        self, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        descriptor = {"digest": registry.put(archive({"a.so": elf(62)})), "mediaType": TAR}
        both, read_layer = threading.Barrier(2), layers.read_layer

        def together(stream: IO[bytes]) -> Layer:
            both.wait(timeout=5)
            return read_layer(stream)

        monkeypatch.setattr(layers, "read_layer", together)
        with connect(registry.name) as asked, ThreadPoolExecutor() as pool:
            seen = list(pool.map(read_image.Image(asked, tmp_path).layer, (descriptor, descriptor)))
        assert [layer["compiled"] for layer in seen] == [{"a.so": 62}] * 2
        assert len(list(tmp_path.glob("layers/*"))) == 1

    def test_a_busy_registry_is_asked_again(
        self, registry: Registry, index: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("shipway.effects.registry._BACKOFF", 0)
        registry.troubles = [(429, {"Retry-After": "0"}), (503, {"Retry-After": "0"})]
        assert read_image.describe(registry.name, index, tmp_path).digest == index

    def test_a_tag_is_resolved(self, registry: Registry, index: str) -> None:
        registry.blobs["v1"] = registry.blobs[index]
        found = read_image.resolve(registry.name, "v1")
        assert found is not None and found.digest == index and found.platforms
        assert read_image.resolve(registry.name, "v2") is None
        registry.blobs[index] += b" "
        with pytest.raises(StepFailed, match="something else than"):
            read_image.resolve(registry.name, index)

    def test_the_sboms_of_each_platform(self, registry: Registry, index: str) -> None:
        found = read_image.resolve(registry.name, index)
        assert found is not None
        ((document,),) = read_image.read_sboms(registry.name, found).values()
        assert document["packages"][0]["name"] == "toy"

    def test_something_else_than_the_digest_names(
        self, registry: Registry, index: str, tmp_path: Path
    ) -> None:
        registry.blobs[index] += b" "
        with pytest.raises(StepFailed, match="something else than sha256"):
            read_image.describe(registry.name, index, tmp_path)

    @pytest.mark.parametrize(
        ("status", "said"), [(401, "docker login"), (403, "docker login"), (404, "answers")]
    )
    def test_a_registry_that_refuses(
        self, registry: Registry, index: str, tmp_path: Path, status: int, said: str
    ) -> None:
        registry.troubles = [(status, {})] * 3
        with pytest.raises(StepFailed) as caught:
            read_image.describe(registry.name, index, tmp_path)
        assert said in caught.value.hint and len(registry.asked) == 1

    def test_a_registry_that_is_not_there(
        self, registry: Registry, index: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        registry.server.server_close()
        monkeypatch.setattr("shipway.effects.registry._ATTEMPTS", 0)
        with pytest.raises(SystemExit, match="could not ask 127.0.0.1"):
            read_image.main(f"{registry.name}@{index}")
