"""What python-semantic-release decides when it sees the commits since the last release, and when it sees everything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shipway.effects import history
from tests.support.histories import History, at_random, clone_of, config_of, disagreements, heads
from tests.support.repositories import commit, git

pytestmark = pytest.mark.process


@pytest.mark.parametrize("prerelease", [False, True])
def test_both_say_the_same_commit_by_commit(tmp_path: Path, prerelease: bool) -> None:
    """A few commits; the end-to-end lane takes three hundred of each of three histories."""
    source = at_random(1, 40).write(tmp_path / "source")
    clone = clone_of(source, tmp_path / "clone")
    assert not disagreements(
        clone, config_of(tmp_path / "config", prerelease=prerelease), heads(source, 6)
    )


def test_a_side_branch_that_began_before_the_release(tmp_path: Path) -> None:
    made = History(chance=at_random(0, 2).chance)
    made.begin()
    old = made.commit("main", "feat: before")
    released = made.commit("main", "fix: released")
    made.tag("v1.2.0", released)
    made.commit("topic", "fix: beside", old)
    made.commit("main", "Merge branch 'topic'", released, made.heads["topic"])
    clone = clone_of(made.write(tmp_path / "source"), tmp_path / "clone")
    config = config_of(tmp_path / "config")
    assert history.decide(clone, config) == ("1.2.0", "1.2.1")
    # What is shown ends at the release: the release, where the side branch began, and what came since.
    assert git(clone, "rev-list", "--count", "HEAD") == "4" and git(clone, "tag") == "v1.2.0"


def test_a_changelog_of_all_releases_sees_all_of_them(tmp_path: Path) -> None:
    made = History(chance=at_random(0, 2).chance)
    made.begin()
    made.tag("v0.1.0", made.commit("main", "feat: one"))
    made.tag("v0.2.0", made.commit("main", "feat: two"), annotated=False)
    made.commit("main", "fix: three")
    clone = clone_of(made.write(tmp_path / "source"), tmp_path / "clone")
    config = config_of(tmp_path / "config")
    assert history.decide(clone, config) == ("0.2.0", "0.2.1") and git(clone, "tag") == "v0.2.0"
    config.write_text(config.read_text().replace('mode = "update"', 'mode = "init"'))
    assert history.decide(clone, config) == ("0.2.0", "0.2.1")
    assert (
        git(clone, "tag").split() == ["v0.1.0", "v0.2.0"]
        and git(clone, "rev-list", "--count", "HEAD") == "4"
    )


def test_nothing_due_and_no_release_branch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = History(chance=at_random(0, 2).chance)
    made.begin()
    clone = clone_of(made.write(tmp_path / "source"), tmp_path / "clone")
    config = config_of(tmp_path / "config")
    monkeypatch.setattr("sys.argv", ["history", str(clone), str(config)])
    assert history.main() == 0 and json.loads(capsys.readouterr().out) == {
        "current": "",
        "next": "",
    }
    commit(clone, "feat: first")
    assert history.main() == 0 and json.loads(capsys.readouterr().out) == {
        "current": "",
        "next": "0.1.0",
    }
    git(clone, "checkout", "--quiet", "-b", "topic")
    assert history.main() == 1 and "NotAReleaseBranch" in capsys.readouterr().err
