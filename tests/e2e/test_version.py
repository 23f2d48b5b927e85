"""The release tool itself: what the rest of the tests take it to say, and the release commit that comes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.histories import at_random, heads
from tests.repositories import git
from tests.unit.test_history import clone_of, config_of, disagreements
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


@pytest.mark.parametrize(("seed", "prerelease"), [(11, False), (12, False), (13, True)])
def test_the_commits_since_the_last_release_decide_as_the_whole_history_does(tmp_path: Path, seed: int,
                                                                             prerelease: bool) -> None:
    """Commit by commit, over the last three hundred, with merges and tags of every kind."""
    source = at_random(seed, 700).write(tmp_path / "source")
    commits = list(heads(source, 300))
    assert len(commits) == 300
    clone = clone_of(source, tmp_path / "clone")
    assert not disagreements(clone, config_of(tmp_path / "config", prerelease=prerelease), iter(commits))
