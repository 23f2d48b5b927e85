"""A rollback between releases."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipway.errors import ShipwayError
from shipway.run.result import Result
from shipway.run.rollback import preview_rollback, roll_back
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

    plan = preview_rollback(scene.session(), "0.2.0")
    assert [row.state for row in plan] == ["absent", "absent", "absent", "same"]
    assert tagged["latest"] == tagged["v0.2.0"]
    (push,) = plan[0].commands
    assert "git push --atomic origin" in push and "withdrawn/v0.2.0" in push
    result = Result()
    roll_back(scene.session(), "v0.2.0", result, lambda _: None)
    assert [outcome.outcome for outcome in result.stages] == ["done", "done", "done", "skipped"]
    assert tagged["latest"] == tagged["v0.1.0"]

    assert latest_marks(scene) == {"v0.1.0": "true", "v0.2.0": "false"}

    # A rerun of the withdrawn release leaves it where it is, the next release takes it.
    assert scene.release().released and tagged["latest"] == tagged["v0.1.0"]
    # Below the withdrawn one, as a maintenance release is.
    scene.upcoming, scene.last = "0.1.1", "0.2.0"
    update(scene)
    project = scene.clone / "pyproject.toml"
    project.write_text(project.read_text().replace("0.2.0", "0.1.0"))
    commit(scene.clone, "fix: it")
    git(scene.clone, "push", "--quiet", str(tmp_path / "origin.git"), "HEAD:main")
    assert scene.release().released and tagged["latest"] == tagged["v0.1.1"]
    assert latest_marks(scene) == {
        "v0.1.0": "false",
        "v0.2.0": "false",
        "v0.1.1": "true",
    }
    with pytest.raises(ShipwayError, match="'v9.9.9' is no release"):
        roll_back(scene.session(), "v9.9.9", Result(), lambda _: None)


def latest_marks(scene: Scene) -> dict[str, object]:
    """Say of each public release whether it is the latest one."""
    return {str(page["tag_name"]): page["make_latest"] for page in scene.remotes.releases}


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
