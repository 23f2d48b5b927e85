"""How a registry refuses, in its own words."""

from __future__ import annotations

import json

import pytest

from shipway.effects.registry import DeletionUnsupported, connect
from shipway.effects.registry_refusals import find_other_way, is_unsupported, quote_refusal
from shipway.errors import StepFailed
from tests.support.registry import Registry as StandIn


def refusal(*faults: tuple[str, str]) -> str:
    """Write an answer as the distribution specification has it."""
    errors = [{"code": code, "message": message, "detail": {"a": 1}} for code, message in faults]
    return json.dumps({"errors": errors})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (refusal(("DENIED", "no"), ("TAG_IMMUTABLE", "")), "DENIED: no; TAG_IMMUTABLE"),
        (refusal(("", "only words\n\x1b[1A")), r"only words\n\x1b[1A"),
        ('{"errors": []}', '{"errors": []}'),
        ('{"errors": null}', '{"errors": null}'),
        ("plain words\n", "plain words"),
        ("<html><body>Sign in</body></html>", ""),
        ("", ""),
        ("x" * 1000, "x" * 300),
    ],
)
def test_its_words_are_quoted_and_fit_to_be_shown(text: str, words: str) -> None:
    assert quote_refusal(text) == words


@pytest.mark.parametrize(
    ("status", "text", "unsupported"),
    [
        (405, "", True),
        (400, refusal(("UNSUPPORTED", "")), True),
        (403, refusal(("unsupported", "disabled")), True),
        (400, refusal(("MANIFEST_INVALID", "")), False),
        (403, "UNSUPPORTED", False),
        (429, "", False),
    ],
)
def test_it_may_refuse_every_deletion(status: int, text: str, unsupported: bool) -> None:
    assert is_unsupported(status, text) is unsupported


@pytest.mark.parametrize(
    ("host", "way"),
    [
        ("registry-1.docker.io", "Docker Hub"),
        ("docker.io", "Docker Hub"),
        ("1234.dkr.ecr.eu-west-1.amazonaws.com", "aws ecr batch-delete-image"),
        ("public.ecr.aws", "aws ecr-public"),
        ("registry.example", "REGISTRY_STORAGE_DELETE_ENABLED"),
        ("notdocker.io", "REGISTRY_STORAGE_DELETE_ENABLED"),
    ],
)
def test_each_registry_has_its_own_way(host: str, way: str) -> None:
    assert way in find_other_way(host)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_endless_answer_is_read_to_a_bound(registry: StandIn, method: str) -> None:
    words = refusal(("UNSUPPORTED", "no")).encode()
    registry.undeletable = {"": (400, words + b" " * 100_000)}
    registry.troubles = [(400, {})]
    with connect(registry.name, {}) as connection, pytest.raises(StepFailed) as caught:
        if method == "GET":
            connection.manifest("v1")
        else:
            connection.delete("sha256:" + "0" * 64)
    assert isinstance(caught.value, DeletionUnsupported) is (method == "DELETE")
    assert len(caught.value.message) < 500
