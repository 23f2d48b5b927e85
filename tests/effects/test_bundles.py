"""Which Sigstore bundles a registry has of a digest; from a registry on loopback."""

from __future__ import annotations

import json

import pytest

from shipway.effects import bundles
from shipway.tools.cosign import SIGNATURE
from tests.support.registry import Registry

SUBJECT = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64


def ask(registry: Registry, capsys: pytest.CaptureFixture[str]) -> object:
    """What it prints."""
    bundles.main(registry.name, SUBJECT, OTHER)
    return json.loads(capsys.readouterr().out)


def test_nothing_is_there(registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(registry, capsys) == {SUBJECT: [], OTHER: []}


@pytest.mark.parametrize("lists", [True, False])
def test_bundles_are_told_by_their_predicate(
    registry: Registry, capsys: pytest.CaptureFixture[str], lists: bool
) -> None:
    found = [
        registry.put({"annotations": {bundles.PREDICATE: kind}})
        for kind in (SIGNATURE, "https://spdx.dev/Doc")
    ]
    found.append(registry.put({"annotations": None, "artifactType": "something/else"}))
    if lists:
        registry.about[SUBJECT] = found
    else:
        registry.blobs[SUBJECT.replace(":", "-")] = json.dumps(
            {"manifests": [{"digest": one} for one in found]}
        ).encode()
    assert ask(registry, capsys) == {SUBJECT: [SIGNATURE, "https://spdx.dev/Doc"], OTHER: []}


@pytest.mark.parametrize("status", [500, 401])
def test_a_registry_that_does_not_say(
    registry: Registry, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    registry.troubles = [(status, {})] * 3
    with pytest.raises(SystemExit, match=f"referrers/{SUBJECT}"):
        ask(registry, capsys)


@pytest.mark.parametrize("status", [400, 404, 406])
def test_a_registry_without_the_list(
    registry: Registry, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    registry.troubles = [(status, {})]
    assert ask(registry, capsys) == {SUBJECT: [], OTHER: []}
