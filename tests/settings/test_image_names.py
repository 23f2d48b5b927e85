"""Names of images, as Docker reads them."""

from __future__ import annotations

import pytest

from shipway.settings.image_names import NamedImage, normalize_name, read_reference

DIGEST = f"sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("python", "docker.io/library/python"),
        ("acme/toy", "docker.io/acme/toy"),
        ("docker.io/python", "docker.io/library/python"),
        ("docker.io/acme/toy", "docker.io/acme/toy"),
        ("index.docker.io/acme/toy", "docker.io/acme/toy"),
        ("localhost/acme/toy", "localhost/acme/toy"),
        ("localhost:5000/toy", "localhost:5000/toy"),
        ("localhost.corp.example/toy", "localhost.corp.example/toy"),
        ("Registry/acme/toy", "Registry/acme/toy"),
        ("registry/acme/toy", "docker.io/registry/acme/toy"),
        ("[::1]:5000/acme/toy", "[::1]:5000/acme/toy"),
        ("ghcr.io/acme/a.b/c__d/e---f", "ghcr.io/acme/a.b/c__d/e---f"),
    ],
)
def test_a_name_is_written_in_full(text: str, name: str) -> None:
    assert normalize_name(text) == name
    assert normalize_name(name) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/toy",
        "toy/",
        "ghcr.io//toy",
        "ghcr.io/Acme/toy",
        "ghcr.io/acme/toy_",
        "ghcr.io/acme/_toy",
        "ghcr.io/acme/t___y",
        "ghcr.io/acme/t..y",
        "ghcr.io/acme/t.-y",
        "-ghcr.io/acme/toy",
        "ghcr.io./acme/toy",
        "ghcr.io:/acme/toy",
        "https://ghcr.io/acme/toy",
        "ann@ghcr.io/acme/toy",
        "ghcr.io/acme/töy",
        "ghcr.io/acme/toy\n",
        "f" * 64,
        f"ghcr.io/{'a' * 256}",
    ],
)
def test_no_name(text: str) -> None:
    assert normalize_name(text) is None
    assert read_reference(text) is None


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("toy:v1", NamedImage("docker.io/library/toy", "v1", "")),
        ("localhost:5000/toy", NamedImage("localhost:5000/toy", "", "")),
        (f"localhost:5000/toy:v1@{DIGEST}", NamedImage("localhost:5000/toy", "v1", DIGEST)),
        (f"acme/toy@{DIGEST}", NamedImage("docker.io/acme/toy", "", DIGEST)),
        ("acme/toy@sha256:12", None),
        ("acme/toy:-v1", None),
        ("acme/toy:v+1", None),
        (f"acme/toy:{'v' * 129}", None),
    ],
)
def test_a_tag_and_a_digest(text: str, image: NamedImage | None) -> None:
    assert read_reference(text) == image
