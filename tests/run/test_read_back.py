"""`inspect IMAGE`: an image is read back from a registry on loopback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shipway.image.contents import PROVENANCE, SPDX
from shipway.image.index import SUBJECT
from tests.support.faces import run_task
from tests.support.layers import archive
from tests.support.registry import Registry

TAR = "application/vnd.oci.image.layer.v1.tar"
SBOM = {"packages": [{"SPDXID": "ŧoy", "name": "ŧoy", "versionInfo": "1.0"}]}
METADATA = "usr/lib/python3/site-packages/toy-1.0.dist-info/METADATA"


@pytest.fixture(name="attestation")
def fixture_attestation(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Put an image of one platform under `v1`; give the digest of its attestation manifest."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    image = registry.image((TAR, archive({METADATA: b"Name: toy\nVersion: 1.0\n"})))
    statement = {
        "predicateType": SPDX,
        "subject": [{"digest": {"sha256": image.removeprefix("sha256:")}}],
        "predicate": SBOM,
    }
    layer = {
        "digest": registry.put(statement),
        "annotations": {"in-toto.io/predicate-type": SPDX},
    }
    attestation = registry.put({"layers": [layer]})
    entries = [
        {"digest": image, "platform": {"os": "linux", "architecture": "amd64"}},
        {"digest": attestation, "annotations": {SUBJECT: image}},
    ]
    registry.names = {"v1": registry.put({"manifests": entries, "annotations": {"c": "d"}})}
    return attestation


def test_what_an_image_holds_is_one_document(
    registry: Registry, attestation: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_task("inspect", "--image", f"{registry.name}:v1") == 0
    printed = capsys.readouterr().out
    document = json.loads(printed)
    platform = document["platforms"]["linux/amd64"]
    assert document["digest"] == registry.names["v1"]
    assert document["annotations"] == {"c": "d"} and platform["labels"] == {"a": "b"}
    assert platform["distributions"] == [["toy", "1.0"]]
    (described,) = document["attestations"]
    (statement,) = described["statements"]
    assert described["digest"] == attestation and statement["type"] == SPDX
    assert statement["packages"] == [["ŧoy", "1.0", ""]]
    by_digest = f"{registry.name}@{registry.names['v1']}"
    assert run_task("inspect", "--image", by_digest, "--json") == 0
    assert capsys.readouterr().out == printed


def test_a_predicate_is_printed_as_cosign_reads_it(
    registry: Registry, attestation: str, capsys: pytest.CaptureFixture[str]
) -> None:
    image = f"{registry.name}@{attestation}"
    assert run_task("inspect", "--image", image, "--predicate", SPDX) == 0
    assert json.loads(capsys.readouterr().out) == SBOM
    assert run_task("inspect", "--image", image, f"--predicate={PROVENANCE}v1", "--json") == 5
    message = json.loads(capsys.readouterr().out)["error"]["message"]
    assert message == f"{image} holds no statement of type {PROVENANCE}v1"


@pytest.mark.usefixtures("attestation")
def test_what_cannot_be_read_is_told(
    registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_task("inspect", "--image", f"{registry.name}:v2") == 5
    assert f"{registry.name}:v2 is not there" in capsys.readouterr().err
    assert run_task("inspect", "--image", f"{registry.name}:v1", "--predicate", SPDX) == 3
    printed = capsys.readouterr().err
    assert f"{registry.name}:v1 names no attestation manifest" in printed
    assert "next: name it by its digest" in printed


def test_a_predicate_of_no_image_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_task("inspect", "--predicate", SPDX) == 3
    assert "is no image of a registry" in capsys.readouterr().err


@pytest.mark.usefixtures("attestation")
def test_no_secret_of_an_image_is_printed(
    registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    index = json.loads(registry.blobs[registry.names["v1"]])
    index["annotations"] = {"c": "https://ann:s3cret@index.example"}
    registry.names["v1"] = registry.put(index)
    assert run_task("inspect", "--image", f"{registry.name}:v1") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["annotations"] == {"c": "https://***@index.example"}
