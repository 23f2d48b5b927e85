"""A changelog tells what made the version: exactly those commits, whatever way they came in."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from shipway.effects import history
from shipway.tools.semantic_release import stamp_version
from tests.support.histories import (
    History,
    at_random,
    clone_of,
    config_of,
    counted_commits,
    forget,
    heads,
    told_commits,
)
from tests.support.repositories import git

pytestmark = pytest.mark.process


def begin() -> History:
    """A history with one commit, and the release v1.0.0 of a second one."""
    made = History(random.Random(0))
    made.begin()
    made.tag("v1.0.0", made.commit("main", "feat: first"))
    return made


def take_main_in(made: History) -> None:
    """A branch from below a release takes that release in, and is merged."""
    made.commit("topic", "feat: of the topic", made.heads["main"])
    made.tag("v1.0.1", made.commit("main", "fix: released first"))
    made.commit("topic", "Merge main", made.heads["topic"], made.heads["main"])
    made.commit("main", "Merge topic", made.heads["main"], made.heads["topic"])


def merge_old_branches(made: History) -> None:
    """Branches from below two releases are merged, one into the other first."""
    old = made.heads["main"]
    made.commit("left", "feat: left", old)
    made.commit("right", "fix: right", old)
    made.tag("v1.0.1", made.commit("main", "fix: one"))
    made.commit("left", "Merge right", made.heads["left"], made.heads["right"])
    made.tag("v1.0.2", made.commit("main", "fix: two"), annotated=False)
    made.commit("main", "Merge left", made.heads["main"], made.heads["left"])
    made.commit("main", "fix: three")


def tag_a_side_branch(made: History) -> None:
    """A patch of an old release, tagged on its branch, is merged after a newer release."""
    made.commit("old", "fix: of old", made.heads["main"])
    made.tag("v1.0.1", made.heads["old"])
    made.tag("v1.1.0", made.commit("main", "feat: newer"))
    made.commit("old", "fix: not released", made.heads["old"])
    made.commit("main", "Merge old", made.heads["main"], made.heads["old"])


def end_candidates(made: History) -> None:
    """Candidates were released of the same branch."""
    made.tag("v1.1.0-rc.1", made.commit("main", "feat: try"))
    made.tag("v1.1.0-rc.2", made.commit("main", "fix: try again"))
    made.commit("main", "fix: the last word")


def release_beside_candidates(made: History) -> None:
    """A full release came in after the candidates began."""
    made.commit("stable", "fix: urgent", made.heads["main"])
    made.tag("v1.0.1", made.heads["stable"])
    made.tag("v1.1.0-rc.1", made.commit("main", "feat: try"))
    made.commit("main", "Merge stable", made.heads["main"], made.heads["stable"])
    made.commit("main", "fix: more")


def tag_a_commit_twice(made: History) -> None:
    """Several releases of one commit."""
    made.tag("v1.1.0", made.heads["main"])
    made.tag("v1.1.0-rc.1", made.heads["main"])
    made.commit("topic", "feat: more", 2)
    made.commit("main", "Merge topic", made.heads["main"], made.heads["topic"])


def take_another_project_in(made: History) -> None:
    """A branch that has no commit in common with the others."""
    made.commit("other", "feat: from elsewhere")
    made.commit("other", "fix: from elsewhere")
    made.tag("v1.0.1", made.commit("main", "fix: one"))
    made.commit("main", "Merge other", made.heads["main"], made.heads["other"])


def squash_and_revert(made: History) -> None:
    """A squash of several changes, one of which is taken back."""
    made.commit("main", "Merge it (#7)\n\n* feat: of a squash\n\n* fix: of a squash, too\n")
    made.commit("main", 'Revert "feat: first"\n\nThis reverts commit ' + "a" * 40 + ".\n")


SHAPES = (
    take_main_in,
    merge_old_branches,
    tag_a_side_branch,
    end_candidates,
    release_beside_candidates,
    tag_a_commit_twice,
    take_another_project_in,
    squash_and_revert,
)


@pytest.mark.parametrize(
    ("prerelease", "mode"), [(False, "update"), (True, "update"), (False, "init")]
)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_commits_of_the_version_are_told(
    tmp_path: Path, shape: Callable[[History], None], prerelease: bool, mode: str
) -> None:
    made = begin()
    shape(made)
    clone = clone_of(made.write(tmp_path / "source"), tmp_path / "clone")
    config = config_of(tmp_path / "config", prerelease=prerelease, mode=mode)
    decision = history.decide(clone, config, environment=os.environ)
    assert decision.upcoming
    told = told_commits(clone, config)
    assert told and told == counted_commits(clone, config, decision.current)


@pytest.mark.parametrize("seed", range(21, 25))
def test_the_same_of_generated_histories(tmp_path: Path, seed: int) -> None:
    source = at_random(seed, 60).write(tmp_path / "source")
    clone = clone_of(source, tmp_path / "clone")
    mode = "init" if seed % 3 == 0 else "update"
    config = config_of(tmp_path / "config", prerelease=seed % 2 == 0, mode=mode)
    for head in heads(source, 8):
        git(clone, "checkout", "--quiet", "--force", "-B", "main", head)
        forget(clone)
        decision = history.decide(clone, config, environment=os.environ)
        assert told_commits(clone, config) == counted_commits(clone, config, decision.current)


@pytest.mark.parametrize(
    ("shape", "mode"),
    [
        (take_main_in, "update"),
        (take_main_in, "init"),
        (end_candidates, "update"),
        (squash_and_revert, "update"),
    ],
)
def test_they_stand_in_the_section(
    tmp_path: Path, shape: Callable[[History], None], mode: str
) -> None:
    made = begin()
    shape(made)
    clone = clone_of(made.write(tmp_path / "source"), tmp_path / "clone")
    config = config_of(tmp_path / "config", mode=mode)
    decision = history.decide(clone, config, environment=os.environ)
    command = stamp_version(clone, str(config), sys.executable)
    environment = {**os.environ, **command.env}
    subprocess.run(command.argv, cwd=clone, env=environment, check=True, capture_output=True)
    changelog = (clone / "CHANGELOG.md").read_text(encoding="utf-8")
    section = changelog.partition(f"## v{decision.upcoming} ")[2].partition("\n## ")[0]
    for commit, _ in counted_commits(clone, config, decision.current):
        assert f"[`{commit[:7]}`]" in section
