"""The release tool itself: what the rest of the tests take it to say, and the release commit that comes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repositories import git
from tests.unit.test_pipeline import Scene

pytestmark = pytest.mark.process


def test_a_release_with_the_real_release_tool(tmp_path: Path) -> None:
    scene = Scene(tmp_path, real=True)
    result = scene.release()
    assert result.target is not None and result.released
    assert (result.target.version, result.target.tags) == ("0.1.0", ("v0.1.0", "latest"))
    assert "Initial Release" in result.target.notes
    bare = tmp_path / "origin.git"
    assert git(bare, "rev-parse", "v0.1.0^{commit}") == git(bare, "rev-parse", "main") == result.target.commit
    assert 'version = "0.1.0"' in git(bare, "show", "main:pyproject.toml")
    assert "(2023-11-14)" in git(bare, "show", "main:CHANGELOG.md")
    assert git(scene.clone, "status", "--porcelain") == "" and not git(scene.clone, "tag")
