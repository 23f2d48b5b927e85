"""What a folder, the project's file and GitHub's event show."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shipway.effects.facts import gather, load_project, read_event
from shipway.effects.processes import Processes
from shipway.errors import ContextError, SettingsError
from tests.support.repositories import commit, git, make_repository

PATH = {"PATH": os.environ["PATH"]}


@pytest.mark.process
class TestFacts:
    """What a folder shows."""

    def test_no_repository(self, tmp_path: Path) -> None:
        assert (
            gather(
                PATH,
                tmp_path,
                remote="origin",
                runner=Processes({**PATH, "GIT_CEILING_DIRECTORIES": "/"}),
            ).git
            is None
        )

    def test_a_repository_without_commits(self, tmp_path: Path) -> None:
        git(tmp_path, "init", "--quiet")
        facts = gather(PATH, tmp_path, remote="origin", runner=Processes(PATH))
        assert facts.git is not None and facts.git.commit == ""

    def test_a_branch_with_a_tag_a_remote_and_a_change(self, tmp_path: Path) -> None:
        make_repository(tmp_path)
        git(tmp_path, "tag", "v1.0.0")
        git(tmp_path, "remote", "add", "origin", "https://github.com/acme/toy.git")
        found = gather(PATH, tmp_path, remote="origin", runner=Processes(PATH)).git
        assert found is not None
        assert (found.branch, found.head_tags, found.changes, found.shallow) == (
            "main",
            ("v1.0.0",),
            (),
            False,
        )
        assert found.remote_url.endswith("acme/toy.git") and found.epoch == 1_700_000_000
        (tmp_path / "new file").write_text("")
        (tmp_path / "Dockerfile").write_text("")
        found = gather(PATH, tmp_path, remote="x", runner=Processes(PATH)).git
        assert found is not None and found.changes == ("Dockerfile", "new file")

    def test_a_detached_head_in_a_shallow_clone(self, tmp_path: Path) -> None:
        source = make_repository(tmp_path / "source")
        commit(source, "feat: two")
        git(tmp_path, "clone", "--quiet", "--depth=1", source.as_uri(), "shallow")
        git(tmp_path / "shallow", "checkout", "--quiet", "--detach")
        found = gather(PATH, tmp_path / "shallow", remote="origin", runner=Processes(PATH)).git
        assert found is not None and found.shallow and found.branch == ""


class TestFiles:
    """The project's file and GitHub's event."""

    def test_no_pyproject(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match="no pyproject.toml"):
            load_project(tmp_path)

    def test_a_pyproject_that_is_no_text(self, tmp_path: Path) -> None:
        (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe")
        with pytest.raises(SettingsError, match="cannot be read"):
            load_project(tmp_path)

    def test_the_event_is_read_in_actions_only(self, tmp_path: Path) -> None:
        event = tmp_path / "event.json"
        event.write_text('{"number": 1}')
        assert read_event({"GITHUB_EVENT_PATH": str(event), "GITHUB_ACTIONS": "true"}) == {
            "number": 1
        }
        assert read_event({"GITHUB_EVENT_PATH": str(event)}) == {}
        event.write_text("[]")
        assert read_event({"GITHUB_EVENT_PATH": str(event), "GITHUB_ACTIONS": "true"}) == {}

    def test_a_broken_event_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "event.json").write_text("{")
        with pytest.raises(ContextError, match="GITHUB_EVENT_PATH"):
            read_event(
                {"GITHUB_EVENT_PATH": str(tmp_path / "event.json"), "GITHUB_ACTIONS": "true"}
            )
