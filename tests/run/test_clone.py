"""The clone that a run works in."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace

import pytest

from shipway.errors import ContextError, StepFailed
from shipway.model.actions import Answer, Command
from shipway.run.clone import check_out_whole
from shipway.run.fresh_clone import open_clone
from shipway.tools import git_clone
from tests.support.repositories import commit, git
from tests.support.scene import Scene

pytestmark = pytest.mark.process


def test_a_project_without_a_remote_is_told_how_to_add_one(scene: Scene) -> None:
    git(scene.clone, "remote", "remove", "origin")
    with pytest.raises(ContextError, match="no git remote 'origin'"), open_clone(scene.session()):
        pass


def test_a_token_reaches_git_through_a_helper_that_holds_none(scene: Scene) -> None:
    ran: list[Command] = []
    session = scene.session(GITHUB_TOKEN="a-token-of-the-run")

    def remember(command: Command) -> Answer:
        ran.append(command)
        return session.executor.runner(command)

    watched = replace(session, executor=replace(session.executor, runner=remember))
    with open_clone(watched) as clone:
        settings = (clone.folder.parent / "remote.conf").read_text()
        helper = git(clone.folder, "config", "credential.https://github.com.helper")
    assert "$GITHUB_TOKEN" in helper.replace("{", "").replace(":-", "")
    assert "a-token-of-the-run" not in settings
    assert not any("a-token-of-the-run" in word for command in ran for word in command.argv)


def test_git_tidies_nothing_up_in_a_folder_that_is_about_to_go(scene: Scene) -> None:
    told = subprocess.run(
        ("git", "config", "maintenance.auto"),
        env=scene.session().environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "false\n"


def test_a_file_that_git_cannot_write_is_missed(scene: Scene) -> None:
    blob = git(scene.clone, "rev-parse", "HEAD:Dockerfile")
    (scene.clone / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(StepFailed, match="1 files of the commit: Dockerfile"):
        with open_clone(scene.session()):
            pass


def test_a_partial_clone_has_the_rest_from_its_remote(scene: Scene) -> None:
    bare = scene.folder / "origin.git"
    git(bare, "config", "uploadpack.allowFilter", "true")
    git(bare, "config", "uploadpack.allowAnySHA1InWant", "true")
    scene.somebody_pushes()
    before = git(bare, "rev-parse", "main")
    (scene.clone / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    commit(scene.clone, "feat: two")
    git(bare, "branch", "old")
    git(scene.clone, "push", "--quiet", "--force", str(bare), "main")
    shutil.rmtree(scene.clone)
    address = "https://github.com/acme/toy.git"
    git(scene.folder, "clone", "--quiet", "--filter=blob:none", bare.as_uri(), "project")
    git(scene.clone, "remote", "set-url", "origin", address)
    with open_clone(scene.session()) as clone:
        go = git_clone.check_out_detached("go to the release", clone.folder, before)
        check_out_whole(clone.executor, go)
        assert (clone.folder / "Dockerfile").read_text() == "FROM scratch\n"
