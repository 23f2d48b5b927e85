"""The predicate that cosign signs."""

from __future__ import annotations

import json
import sys

import pytest

from shipway.effects import attest as program
from shipway.stages import attest
from tests.support.registry import Registry


@pytest.mark.process
def test_the_predicate_goes_to_the_command(
    registry: Registry, capfd: pytest.CaptureFixture[str]
) -> None:
    statement = {
        "predicateType": attest.TYPES["spdxjson"],
        "predicate": {"packages": [{"name": "toy"}]},
    }
    layer = registry.put(statement)
    digest = registry.put(
        {
            "layers": [
                {
                    "digest": layer,
                    "annotations": {"in-toto.io/predicate-type": attest.TYPES["spdxjson"]},
                }
            ]
        }
    )
    words = [f"{registry.name}@{digest}", attest.TYPES["spdxjson"]]
    copy = [sys.executable, "-c", "import sys; print(sys.stdin.read()); sys.exit(3)"]
    assert program.main([*words, *copy]) == 3
    assert json.loads(capfd.readouterr().out) == statement["predicate"]
    assert program.main([words[0], attest.TYPES["slsaprovenance1"], *copy]) == 5
    assert "holds no statement of type https://slsa.dev" in capfd.readouterr().err
