"""What the tests of the tasks' bodies share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from shipway.model.target import Target
from tests.support.scene import Scene


@pytest.fixture(name="scene")
def fixture_scene(tmp_path: Path) -> Scene:
    """A scene with a double of the release tool."""
    return Scene(tmp_path)


@pytest.fixture(name="branch_target")
def fixture_branch_target(target: Target) -> Target:
    """Give the target of a branch of the same project."""
    return replace(target, release=None, channel="branch", tags=("topic",), docs_version=None)
