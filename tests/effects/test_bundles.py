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


@pytest.mark.parametrize("lists", [True, False])
@pytest.mark.parametrize("part", ["manifest", "blob"])
def test_a_bundle_that_is_listed_and_gone_is_none(
    registry: Registry, lists: bool, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shipway.effects.connections.ATTEMPTS", 0)
    bundled: list[str] = []
    blobs: list[str] = []
    for predicate_type in (SIGNATURE, "https://spdx.dev/Doc"):
        blob = registry.put(predicate_type.encode())
        annotations = {bundles.PREDICATE: predicate_type}
        manifest = registry.put({"annotations": annotations, "layers": [{"digest": blob}]})
        bundled.append(manifest)
        blobs.append(blob)
    entries = [{"digest": digest} for digest in bundled]
    if lists:
        registry.about[SUBJECT] = bundled
    else:
        fallback = SUBJECT.replace(":", "-")
        registry.names[fallback] = registry.put({"manifests": entries})
    del registry.blobs[bundled[0] if part == "manifest" else blobs[0]]
    assert ask(registry) == {SUBJECT: ("https://spdx.dev/Doc",), OTHER: ()}
    registry.refused = {bundled[0]: 503, blobs[0]: 401}
    with pytest.raises(StepFailed):
        ask(registry)


@pytest.mark.parametrize("lists", [True, False])
def test_a_tag_for_referrers_that_leads_nowhere_lists_none(registry: Registry, lists: bool) -> None:
    if lists:
        registry.about[OTHER] = []
    registry.names[SUBJECT.replace(":", "-")] = "sha256:" + "0" * 64
    assert ask(registry) == {SUBJECT: (), OTHER: ()}


@pytest.mark.parametrize("status", [501, 401])
def test_a_registry_that_does_not_say(registry: Registry, status: int) -> None:
    registry.troubles = [(status, {})] * 3
    with pytest.raises(StepFailed, match=f"referrers/{SUBJECT}"):
        ask(registry)


@pytest.mark.parametrize("status", [400, 404, 406])
def test_a_registry_without_the_list(registry: Registry, status: int) -> None:
    registry.troubles = [(status, {})]
    assert ask(registry) == {SUBJECT: (), OTHER: ()}
