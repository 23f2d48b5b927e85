"""What the tests of the tasks' bodies share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.scene import Scene


@pytest.fixture(name="scene")
def fixture_scene(tmp_path: Path) -> Scene:
    """A scene with a double of the release tool."""
    return Scene(tmp_path)
