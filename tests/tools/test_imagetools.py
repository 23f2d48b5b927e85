"""What a registry answers to buildx."""

from __future__ import annotations

import pytest

from shipway.errors import StepFailed
from shipway.model.actions import Answer
from shipway.tools import imagetools


class TestRegistry:
    """ "Could not ask" is never "not there"."""

    @pytest.mark.parametrize(
        "error", ["ERROR: r.example/a:b: not found", "manifest unknown", "NAME_UNKNOWN: no repo"]
    )
    def test_not_there(self, error: str) -> None:
        assert imagetools.read_index(Answer(code=1, err=error), "r.example/a:b") is None

    @pytest.mark.parametrize(
        ("error", "hint"),
        [
            ("unexpected status: 401 Unauthorized", "docker login r.example"),
            ("denied: no access", "docker login"),
            ("503 Service Unavailable", "registry answers"),
            ("sha256:14013: i/o timeout", "registry answers"),
            ("", "registry answers"),
            ("dial tcp: lookup r.example: no such host", "registry answers"),
        ],
    )
    def test_could_not_ask(self, error: str, hint: str) -> None:
        with pytest.raises(StepFailed) as caught:
            imagetools.read_index(Answer(code=1, err=error), "r.example/a:b")
        assert hint in caught.value.hint and "r.example/a:b" in caught.value.message

    def test_an_answer_that_is_no_manifest(self) -> None:
        with pytest.raises(StepFailed, match="cannot be read"):
            imagetools.read_index(Answer(code=0, out="{}"), "r.example/a:b")
