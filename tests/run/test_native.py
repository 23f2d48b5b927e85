"""Platforms that are built apart and merged: targets, digest files, the two tasks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from shipway.errors import ContextError, SettingsError
from shipway.run import release, session
from shipway.run.native import merge_digest_files, select_platforms, write_digest_file
from shipway.run.stage import stages_for
from shipway.stages import build, commit, document
from shipway.tasks import namespace
from tests.support.faces import run_task
from tests.support.scene import Scene
from tests.support.targets import change_settings

pytestmark = pytest.mark.process

REGISTRY = '[tool.shipway.cache]\ntype = "registry"\n'


@pytest.fixture(name="scene")
def fixture_scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A project with a cache in the registry; the tasks work on it."""
    scene = Scene(tmp_path, REGISTRY)
    monkeypatch.setattr(session, "open_session", lambda _progress: scene.session())
    return scene


def test_a_platform_apart_has_a_staging_tag_and_a_cache_of_its_own(scene: Scene) -> None:
    session = scene.session()
    whole = session.target()
    part = select_platforms(session, whole, "linux/arm64")
    assert (
        part.platforms == ("linux/arm64",)
        and part.staging == f"{whole.staging}-linux-arm64"
        and not part.tags
    )
    assert part.build.cache.reads == ("type=registry,ref=ghcr.io/acme/toy:cache-linux-arm64",)
    assert select_platforms(session, whole, "") is whole
    assert select_platforms(session, whole, "linux/arm64/v8, Linux/aarch64") == part
    with pytest.raises(SettingsError, match="--platform: 'linux/x64' is not like 'linux/amd64'"):
        select_platforms(session, whole, "linux/x64")
    with pytest.raises(ContextError, match="linux/mips is no platform of this image"):
        select_platforms(session, whole, "linux/mips")
    with pytest.raises(ContextError, match="one has to be named"):
        select_platforms(session, change_settings(whole, "build", strategy="native"), "")


@pytest.mark.parametrize("due", [False, True])
def test_two_builds_and_a_merge_are_one_image(
    scene: Scene, tmp_path: Path, due: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ("--due",) if due else ()
    for number, platform in enumerate(("linux/arm64", "linux/amd64")):
        assert (
            run_task(
                "build",
                "--push",
                "--platform",
                platform,
                "--digest-file",
                f"{tmp_path}/digests/{number}.json",
                *flags,
            )
            == 0
        )
    capsys.readouterr()
    assert run_task("merge", "--digest-file", f"{tmp_path}/digests", "--json", *flags) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["platforms"] == ["linux/amd64", "linux/arm64"]
    assert [stage["name"] for stage in found["stages"]][-2:] == ["build", "inspect"]
    assert scene.remotes.builds == 2
    assert (
        run_task(
            "merge",
            "--digest-file",
            f"{tmp_path}/digests/0.json",
            "--digest-file",
            f"{tmp_path}/digests/1.json",
            "--json",
            *flags,
        )
        == 0
    )
    again = json.loads(capsys.readouterr().out)
    assert again["digest"] == found["digest"] and again["stages"][-2]["outcome"] == "skipped"
    if due:
        result = scene.release()
        assert result.digest == found["digest"] and scene.remotes.builds == 2 and result.released


def test_nothing_due_is_nothing_to_build(
    scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.upcoming = ""
    assert (
        run_task(
            "build",
            "--push",
            "--platform",
            "linux/amd64",
            "--digest-file",
            f"{tmp_path}/d.json",
            "--due",
            "--json",
        )
        == 0
    )
    assert (
        json.loads(capsys.readouterr().out)["digest"] is None and not (tmp_path / "d.json").exists()
    )
    assert run_task("build", "--push", "--due", "--dry-run") == 0
    assert capsys.readouterr().out == "\n" and scene.remotes.builds == 0


def test_a_merge_refuses_what_does_not_belong_together(scene: Scene, tmp_path: Path) -> None:
    target = scene.session().target()
    arm, amd = (replace(target, platforms=(name,)) for name in ("linux/arm64", "linux/amd64"))
    file, other = tmp_path / "one.json", tmp_path / "other.json"

    def refused() -> str:
        with pytest.raises(ContextError) as caught:
            merge_digest_files(target, [str(file), str(other)])
        return caught.value.message

    write_digest_file(file, arm, "sha256:1")
    assert "other.json cannot be read" in refused()
    other.write_text("{}")
    assert "other.json is no digest file" in refused()
    write_digest_file(other, replace(amd, platforms=()), "sha256:2")
    assert "other.json is no digest file" in refused()
    write_digest_file(other, replace(amd, commit="d" * 40), "sha256:2")
    assert f"is of commit {'d' * 40}, not of {target.commit}" in refused()
    write_digest_file(other, replace(amd, image="ghcr.io/acme/other"), "sha256:2")
    assert "is of image ghcr.io/acme/other" in refused()
    write_digest_file(other, arm, "sha256:2")
    assert (
        "the digest files have linux/arm64, linux/arm64, and the image has linux/amd64, linux/arm64"
        in refused()
    )
    older = replace(amd, platforms=("linux/x86_64",))
    write_digest_file(other, older, "sha256:2")
    assert merge_digest_files(target, [str(file), str(other)]).parts == ("sha256:2", "sha256:1")
    write_digest_file(other, amd, "sha256:2")
    assert merge_digest_files(target, [str(file), str(other)]).parts == ("sha256:2", "sha256:1")
    with pytest.raises(ContextError, match="have no platform"):
        merge_digest_files(target, [])


def test_the_tasks_are_there() -> None:
    assert {"build", "merge"} <= set(namespace.task_names)
    names = [stage.name for stage in stages_for("build")]
    assert names == ["build", "inspect"]


def test_all_stages_that_follow_one_run_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (replace(commit.STAGE, name=name) for name in ("first", "second"))
    leader = replace(document.STAGE, followed_by=("first", "second"))
    pipeline = (build.STAGE, commit.STAGE, leader, first, second)
    monkeypatch.setattr(release, "PIPELINE", pipeline)
    assert stages_for("document") == (commit.STAGE, leader, first, second)
