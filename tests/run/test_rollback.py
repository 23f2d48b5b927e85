"""A rollback between releases."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipway.errors import ShipwayError
from shipway.run import release as pipeline
from shipway.run import rollback as rolling_back
from tests.support.repositories import commit, git
from tests.support.scene import Scene


@pytest.mark.process
def test_releases_before_and_after(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    assert scene.release().released
    scene.upcoming, scene.last = "0.2.0", "0.1.0"
    update(scene)
    commit(scene.clone, "feat: more")
    git(scene.clone, "push", "--quiet", str(tmp_path / "origin.git"), "HEAD:main")
    assert scene.release().released
    tagged = scene.remotes.tags
    assert tagged["latest"] == tagged["v0.2.0"]

    plan = rolling_back.preview_rollback(scene.session(), "0.2.0")
    assert [row.state for row in plan] == ["absent", "absent", "absent", "same"]
    assert tagged["latest"] == tagged["v0.2.0"]
    assert "git push origin" in plan[0].commands[0] and "withdrawn/v0.2.0" in plan[0].commands[0]
    result = pipeline.Result()
    rolling_back.roll_back(scene.session(), "v0.2.0", result, lambda _: None)
    assert [one.outcome for one in result.stages] == ["done", "done", "done", "skipped"]
    assert tagged["latest"] == tagged["v0.1.0"]

    public = {str(one["tag_name"]): one["make_latest"] for one in scene.remotes.releases}
    assert public == {"v0.1.0": "true", "v0.2.0": "false"}

    # A rerun of the withdrawn release leaves it where it is, the next release takes it.
    assert scene.release().released and tagged["latest"] == tagged["v0.1.0"]
    scene.upcoming, scene.last = (
        "0.1.1",
        "0.2.0",
    )  # below the withdrawn one, as a maintenance release is
    update(scene)
    commit(scene.clone, "fix: it")
    git(scene.clone, "push", "--quiet", str(tmp_path / "origin.git"), "HEAD:main")
    assert scene.release().released and tagged["latest"] == tagged["v0.1.1"]
    assert {str(one["tag_name"]): one["make_latest"] for one in scene.remotes.releases} == {
        "v0.1.0": "false",
        "v0.2.0": "false",
        "v0.1.1": "true",
    }
    with pytest.raises(ShipwayError, match="'v9.9.9' is no release"):
        rolling_back.roll_back(scene.session(), "v9.9.9", pipeline.Result(), lambda _: None)


def update(scene: Scene) -> None:
    """Have the release commit in the checkout."""
    git(
        scene.clone,
        "-c",
        f"url.{scene.folder / 'origin.git'}.insteadOf=https://github.com/acme/toy.git",
        "pull",
        "--quiet",
        "--ff-only",
    )
