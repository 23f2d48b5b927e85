"""The release tool itself: what the rest of the tests take it to say, and the release commit that comes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipway.errors import StepFailed
from shipway.model.target import require_release
from tests.support.histories import at_random, clone_of, config_of, disagreements, heads
from tests.support.model_remotes import ModelRemotes
from tests.support.repositories import git
from tests.support.scene import Scene
from tests.support.ways import Ways

pytestmark = pytest.mark.process


def test_a_release_with_the_real_release_tool(tmp_path: Path) -> None:
    scene = Scene(tmp_path, real=True)
    result = scene.release()
    assert result.target is not None and result.released
    release = require_release(result.target)
    assert (str(release.version), result.target.tags) == ("0.1.0", ("v0.1.0", "latest"))
    assert "Initial Release" in release.notes
    bare = tmp_path / "origin.git"
    assert (
        git(bare, "rev-parse", "v0.1.0^{commit}")
        == git(bare, "rev-parse", "main")
        == result.target.commit
    )
    assert 'version = "0.1.0"' in git(bare, "show", "main:pyproject.toml")
    assert "(2023-11-14)" in git(bare, "show", "main:CHANGELOG.md")
    assert git(scene.clone, "status", "--porcelain") == "" and not git(scene.clone, "tag")


def test_a_level_that_somebody_asks_for(tmp_path: Path) -> None:
    ways = Ways(tmp_path)
    assert ways.release("major", "it is\n *ready*")[0] == "1.0.0"
    said = git(ways.bare, "show", "main:CHANGELOG.md")
    assert "Released as a major version: it is \\*ready\\*" in said and "### Authors" in said
    ways.commit("docs: words")
    assert ways.release() == ("", ())
    assert ways.release("patch", "the docs are in the image")[0] == "1.0.1"
    assert "the docs are in the image" in str(ways.scene.remotes.releases[-1]["body"])


@pytest.mark.parametrize(
    ("message", "version"),
    [
        ("fix: x [skip ci]", "0.1.1"),
        ("feat: squashed (#12)\n\n* fix: one\n\n* docs: two", "0.2.0"),
        ("feat!: other\n\nBREAKING CHANGE: do this", "0.2.0"),
        ("words without a type", ""),
        ("chore: x", ""),
    ],
)
def test_commits_of_every_kind(tmp_path: Path, message: str, version: str) -> None:
    ways = Ways(tmp_path)
    ways.release()
    ways.commit(message)
    assert ways.release()[0] == version


def test_a_repository_that_was_released_before_goes_on(tmp_path: Path) -> None:
    ways = Ways(tmp_path)
    git(ways.scene.clone, "tag", "v1.4.0")
    git(ways.scene.clone, "tag", "nightly")
    ways.push("v1.4.0", "nightly")
    ways.commit("fix: the first one of ours")
    assert ways.release() == ("1.4.1", ("v1.4.1", "latest"))


def test_without_a_release_commit_the_version_comes_from_the_tag(tmp_path: Path) -> None:
    ways = Ways(tmp_path, "\n[tool.shipway.release]\ntag-only = true\n")
    (ways.scene.clone / "pyproject.toml").write_text(
        '[project]\nname = "toy"\ndynamic = ["version"]\n[tool.shipway.release]\ntag-only = true\n'
    )
    (ways.scene.clone / "CHANGELOG.md").unlink()
    ways.commit("feat: begin")
    first = ways.scene.release(until="verify")
    assert first.target is not None and ways.release()[0] == "0.1.0"
    head = git(ways.bare, "rev-parse", "main")
    assert git(ways.bare, "rev-parse", "v0.1.0^{commit}") == head == first.target.commit
    assert git(ways.bare, "log", "-1", "--format=%s", "main") == "feat: begin"
    again = ways.scene.release()
    assert {one.outcome for one in again.stages} == {"skipped"} and again.target is not None
    notes = require_release(again.target).notes
    assert "### Authors" in notes and notes == require_release(first.target).notes
    ways.commit("feat: more")
    assert ways.release() == ("0.2.0", ("v0.2.0", "latest"))
    assert "More" in git(ways.bare, "for-each-ref", "--format=%(contents:body)", "refs/tags/v0.2.0")
    assert {one["tag_name"] for one in ways.scene.remotes.releases} == {"v0.1.0", "v0.2.0"}


def test_a_project_in_a_folder_of_its_repository_is_released_for_what_changes_there(
    tmp_path: Path,
) -> None:
    ways = Ways(tmp_path)
    top = ways.scene.clone
    for name in ("app", "lib"):
        folder = top / "packages" / name
        folder.mkdir(parents=True)
        (folder / "pyproject.toml").write_text(
            f'[project]\nname = "{name}"\nversion = "0.0.0"\n[tool.shipway]\nimage = "ghcr.io/acme/{name}"\n'
            f'[tool.shipway.release]\ntag-format = "{name}-v{{version}}"\n'
        )
        (folder / "CHANGELOG.md").write_text("# Changelog\n\n<!-- version list -->\n")
        (folder / "Dockerfile").write_text("FROM scratch\n")
    ways.commit("feat: two of them")
    ways.scene.clone = top / "packages/app"
    assert ways.release() == ("0.1.0", ("v0.1.0", "latest"))
    assert git(ways.bare, "tag") == "app-v0.1.0"
    assert 'version = "0.1.0"' in git(ways.bare, "show", "main:packages/app/pyproject.toml")
    assert 'version = "0.0.0"' in git(ways.bare, "show", "main:packages/lib/pyproject.toml")
    (top / "packages/lib/new.txt").write_text("x")
    ways.commit("feat: of the other one")
    assert ways.release() == ("", ())
    (top / "packages/app/new.txt").write_text("x")
    ways.commit("fix: of this one")
    assert ways.release()[0] == "0.1.1"
    said = git(ways.bare, "show", "main:packages/app/CHANGELOG.md")
    assert "Of this one" in said and "Of the other one" not in said
    ways.commit("chore: look at the other one")
    ways.scene.clone, ways.scene.remotes = (
        top / "packages/lib",
        ModelRemotes(),
    )  # which know one image
    assert ways.release()[0] == "0.1.0"
    assert git(ways.bare, "tag").split() == ["app-v0.1.0", "app-v0.1.1", "lib-v0.1.0"]


PRERELEASES = """
[tool.shipway.release]
branches = ["main", "next"]
[tool.semantic_release]
version_toml = ["pyproject.toml:project.version"]
[tool.semantic_release.branches.main]
match = "main"
[tool.semantic_release.branches.next]
match = "next"
prerelease = true
prerelease_token = "rc"
[tool.semantic_release.changelog]
mode = "update"
insertion_flag = "<!-- version list -->"
"""


def test_a_branch_of_pre_releases(tmp_path: Path) -> None:
    ways = Ways(tmp_path, PRERELEASES)
    ways.release()
    ways.commit("feat: try this", "next")
    first = ways.release()
    assert first[0].endswith("-rc.1") and first[1] == (f"v{first[0]}",)
    ways.commit("fix: and that", "next")
    assert ways.release()[0].endswith("-rc.2")
    assert [one["prerelease"] for one in ways.scene.remotes.releases].count(True) == 2
    with pytest.raises(StepFailed, match="pre-releases"):
        ways.commit("fix: more", "next")
        ways.release("major", "no")


def test_a_maintenance_branch_leaves_latest_where_it_is(tmp_path: Path) -> None:
    ways = Ways(tmp_path, '\n[tool.shipway.release]\nbranches = ["main", "0.1.x"]\n')
    ways.release()
    ways.commit("chore: begin", "0.1.x")
    ways.commit("feat: onwards")
    assert ways.release() == ("0.2.0", ("v0.2.0", "latest"))
    newest = ways.scene.remotes.tags["latest"]
    ways.commit("fix: of old", "0.1.x")
    assert ways.release() == ("0.1.1", ("v0.1.1",))
    assert ways.scene.remotes.tags["latest"] == newest == ways.scene.remotes.tags["v0.2.0"]


@pytest.mark.parametrize(("seed", "prerelease"), [(11, False), (12, False), (13, True)])
def test_the_commits_since_the_last_release_decide_as_the_whole_history_does(
    tmp_path: Path, seed: int, prerelease: bool
) -> None:
    """Commit by commit, over the last three hundred, with merges and tags of every kind."""
    source = at_random(seed, 700).write(tmp_path / "source")
    commits = list(heads(source, 300))
    assert len(commits) == 300
    clone = clone_of(source, tmp_path / "clone")
    assert not disagreements(
        clone, config_of(tmp_path / "config", prerelease=prerelease), iter(commits)
    )
