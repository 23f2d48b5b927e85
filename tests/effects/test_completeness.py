"""Whether every part of an image is there, without reading its layers."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipway.effects.questions import Answerer
from shipway.errors import StepFailed
from shipway.image.contents import BrokenPart
from shipway.model.actions import FindBroken
from tests.support.registry import Registry
from tests.support.whole_image import WholeImage

PARTS = ("manifest", "configuration", "layer", "attestation manifest", "statement")


def ask(image: WholeImage, cache: Path) -> tuple[BrokenPart, ...]:
    """Which parts are broken."""
    question = FindBroken(
        name="promote", why="test", image=image.registry.name, digest=image.digest
    )
    return Answerer({"XDG_CACHE_HOME": str(cache)})(question)


def test_a_whole_image_has_no_broken_part_and_no_blob_is_read(
    registry: Registry, tmp_path: Path
) -> None:
    image = WholeImage(registry).publish()
    assert ask(image, tmp_path) == ()
    asked = zip(registry.methods, registry.asked, strict=True)
    assert {method for method, path in asked if "/blobs/" in path} == {"HEAD"}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_gone_is_named(registry: Registry, tmp_path: Path, part: str) -> None:
    image = WholeImage(registry).publish()
    digest = image.lose(part)
    (broken,) = ask(image, tmp_path)
    assert broken.describe() == f"{part} {digest} of linux/amd64 is not there"


@pytest.mark.parametrize("part", PARTS)
def test_what_could_not_be_asked_for_is_not_gone(
    registry: Registry, tmp_path: Path, part: str
) -> None:
    image = WholeImage(registry).publish()
    registry.refused = {image.parts[part]: 501}
    with pytest.raises(StepFailed, match="answered 501"):
        ask(image, tmp_path)
