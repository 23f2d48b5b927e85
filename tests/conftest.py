"""A guard: tests start no process unless they say so."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_stray_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test that starts a process without the mark ``process`` or ``engine``."""
    if not any(request.node.get_closest_marker(mark) for mark in ("process", "engine")):
        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("this test started a process; mark it with `process` if it has to")

        monkeypatch.setattr(subprocess.Popen, "__init__", refuse)
    yield
