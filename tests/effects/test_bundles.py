"""Which Sigstore bundles a registry has of a digest; from a registry on loopback."""

from __future__ import annotations

import json

import pytest

from shipway.effects import bundles
from shipway.effects.questions import Answerer
from shipway.errors import StepFailed
from shipway.model.actions import ReadBundles
from tests.support.registry import Registry

SUBJECT = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
SIGNATURE = "https://sigstore.dev/cosign/sign/v1"


def ask(registry: Registry) -> object:
    """The answer to the question about two digests."""
    question = ReadBundles(name="sign", why="test", image=registry.name, digests=(SUBJECT, OTHER))
    return Answerer({})(question)


def test_nothing_is_there(registry: Registry) -> None:
    assert ask(registry) == {SUBJECT: (), OTHER: ()}


@pytest.mark.parametrize("lists", [True, False])
def test_bundles_are_told_by_their_predicate(registry: Registry, lists: bool) -> None:
    bundled = [
        registry.put({"annotations": {bundles.PREDICATE: predicate_type}})
        for predicate_type in (SIGNATURE, "https://spdx.dev/Doc")
    ]
    bundled.append(registry.put({"annotations": None, "artifactType": "something/else"}))
    if lists:
        registry.about[SUBJECT] = bundled
    else:
        registry.blobs[SUBJECT.replace(":", "-")] = json.dumps(
            {"manifests": [{"digest": digest} for digest in bundled]}
        ).encode()
    assert ask(registry) == {SUBJECT: (SIGNATURE, "https://spdx.dev/Doc"), OTHER: ()}


@pytest.mark.parametrize("status", [501, 401])
def test_a_registry_that_does_not_say(registry: Registry, status: int) -> None:
    registry.troubles = [(status, {})] * 3
    with pytest.raises(StepFailed, match=f"referrers/{SUBJECT}"):
        ask(registry)


@pytest.mark.parametrize("status", [400, 404, 406])
def test_a_registry_without_the_list(registry: Registry, status: int) -> None:
    registry.troubles = [(status, {})]
    assert ask(registry) == {SUBJECT: (), OTHER: ()}
