"""Which packages changed between two releases, for the page of the second; from a registry."""

from __future__ import annotations

import pytest

from shipway.effects.questions import Answerer
from shipway.errors import ContextError, StepFailed
from shipway.image.contents import SPDX
from shipway.image.index import SUBJECT
from shipway.model.actions import ComparePackages
from tests.support.registry import Registry
from tests.support.whole_image import WholeImage


def publish(registry: Registry, tag: str, *packages: str) -> None:
    """An image of one platform whose SBOM names these packages, under a tag; without, it has none."""
    image = registry.image()
    entries: list[object] = [
        {"digest": image, "platform": {"os": "linux", "architecture": "amd64"}}
    ]
    if packages:
        names = [{"name": name, "versionInfo": "1"} for name in packages]
        statement = registry.put({"predicateType": SPDX, "predicate": {"packages": names}})
        attestation = registry.put({"layers": [{"digest": statement}]})
        entries.append(
            {
                "digest": attestation,
                "annotations": {SUBJECT: image},
                "platform": {"os": "unknown", "architecture": "unknown"},
            }
        )
    registry.names[tag] = registry.put({"manifests": entries})


def compare(registry: Registry, previous: str) -> str:
    """The answer for the image `v2` and an earlier tag."""
    question = ComparePackages(
        name="publish",
        why="test",
        image=f"{registry.name}:v2",
        previous=f"{registry.name}:{previous}",
    )
    return Answerer({})(question)


def test_what_changed_is_a_table(registry: Registry) -> None:
    publish(registry, "v1", "attrs")
    publish(registry, "v2", "attrs", "toy")
    page = compare(registry, "v1")
    assert "Packages of the image: 1 changes since v1" in page and "| toy |" in page
    assert "0 changes since v2" in compare(registry, "v2")


def test_nothing_is_told_without_an_sbom(registry: Registry) -> None:
    publish(registry, "v1")
    publish(registry, "v2", "toy")
    assert compare(registry, "v1") == compare(registry, "none") == ""


@pytest.mark.parametrize("part", ["manifest", "attestation manifest", "statement"])
@pytest.mark.parametrize("tag", ["v1", "v2"])
def test_a_broken_image_is_named_and_holds_no_release_up(
    registry: Registry, tag: str, part: str
) -> None:
    images = {name: WholeImage(registry, name).publish() for name in ("v1", "v2")}
    digest = images[tag].lose(part)
    assert compare(registry, "v1") == (
        f"The packages of the image are not compared with those of v1: "
        f"{part} {digest} of linux/amd64 is not there."
    )


def test_a_registry_that_cannot_be_asked(registry: Registry) -> None:
    registry.troubles = [(501, {})]
    with pytest.raises(StepFailed, match="answered 501"):
        compare(registry, "v1")


def test_no_error_shows_a_secret() -> None:
    question = ComparePackages(name="publish", why="test", image="hunter2hunter2", previous="")
    with pytest.raises(ContextError, match=r"\*\*\* has neither a tag") as caught:
        Answerer({"MY_TOKEN": "hunter2hunter2"})(question)
    assert "hunter2" not in str(caught.value)
