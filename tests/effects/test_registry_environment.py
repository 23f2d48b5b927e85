"""The environment that a registry is asked with is the one given, never this process's own."""

from __future__ import annotations

import os

import pytest

from shipway.effects.image_layers import replace_environment
from shipway.effects.read_image import resolve_index
from tests.support.registry import Registry


def test_proxies_of_the_process_are_not_used(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shipway.effects.connections.ATTEMPTS", 0)
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    assert resolve_index(registry.name, "none", {}) is None


def test_a_process_that_reads_layers_keeps_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(os.environ)
    monkeypatch.setattr(os, "environ", {**before, "MY_TOKEN": "x"})
    replace_environment({"HOME": "/home"})
    assert os.environ == {"HOME": "/home"}
