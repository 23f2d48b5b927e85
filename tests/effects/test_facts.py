"""What a folder, the project's file and GitHub's event show."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from shipway.effects.facts import gather, load_project, read_event
from shipway.effects.processes import Processes
from shipway.errors import ContextError, SettingsError, StepFailed
from shipway.model.actions import Answer, Command
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

    def test_what_only_this_checkout_ignores_is_a_change(self, tmp_path: Path) -> None:
        make_repository(tmp_path)
        (tmp_path / ".gitignore").write_text("ignored\n")
        commit(tmp_path, "chore: ignore")
        (tmp_path / ".git/info").mkdir(exist_ok=True)
        (tmp_path / ".git/info/exclude").write_text("hidden\n")
        (tmp_path / "inner").mkdir()
        for name in ("ignored", "hidden", "inner/hidden"):
            (tmp_path / name).write_text("")
        git_facts = gather(PATH, tmp_path / "inner", remote="x", runner=Processes(PATH)).git
        assert git_facts is not None and git_facts.changes == ("hidden", "inner/")

    def test_a_remote_is_where_git_fetches_from(self, tmp_path: Path) -> None:
        make_repository(tmp_path)
        git(tmp_path, "remote", "add", "origin", "https://github.com/acme/toy.git")
        git(tmp_path, "remote", "set-url", "--add", "origin", "https://mirror.example/toy.git")
        git_facts = gather(PATH, tmp_path, remote="origin", runner=Processes(PATH)).git
        assert git_facts is not None
        assert git_facts.remote_url == "https://github.com/acme/toy.git"

    def test_a_commit_that_was_replaced_here_has_its_own_time(self, tmp_path: Path) -> None:
        make_repository(tmp_path)
        content = git(tmp_path, "cat-file", "commit", "HEAD").replace("1700000000", "1")
        other = git(
            tmp_path, "hash-object", "-t", "commit", "-w", "--stdin", content=content + "\n"
        )
        git(tmp_path, "replace", "HEAD", other)
        git_facts = gather(PATH, tmp_path, remote="x", runner=Processes(PATH)).git
        assert git_facts is not None and git_facts.epoch == 1_700_000_000


def break_head(folder: Path) -> None:
    """Leave a HEAD that is none."""
    (folder / ".git/HEAD").write_text("garbage\n")


def lose_head(folder: Path) -> None:
    """Leave no HEAD."""
    (folder / ".git/HEAD").unlink()


def break_branch(folder: Path) -> None:
    """Leave a branch without a hash, as a machine does that loses its power."""
    (folder / ".git/refs/heads/main").write_text("")


def lose_commit(folder: Path) -> None:
    """Leave a branch at a commit that is not there."""
    (folder / ".git/refs/heads/main").write_text("1" * 40 + "\n")


def break_detached_head(folder: Path) -> None:
    """Leave a detached HEAD at a commit that is not there."""
    (folder / ".git/HEAD").write_text("1" * 40 + "\n")


def break_settings(folder: Path) -> None:
    """Leave settings that cannot be read."""
    (folder / ".git/config").write_text("[core\n")


def break_index(folder: Path) -> None:
    """Leave an index that is none."""
    (folder / ".git/index").write_bytes(b"garbage" * 8)


def lose_main_repository(folder: Path) -> None:
    """Leave what a linked worktree is when its repository went."""
    (folder / ".git").rename(folder / "gone")
    (folder / ".git").write_text("gitdir: /nowhere/.git/worktrees/x\n")


def be_a_later_format(folder: Path) -> None:
    """Say that the repository is of a format that no git knows."""
    git(folder, "config", "core.repositoryFormatVersion", "99")


@pytest.mark.process
class TestRefusals:
    """A repository that git would not look at is never "no repository", and never one without a commit."""

    @pytest.mark.parametrize(
        "harm",
        [
            break_head,
            lose_head,
            break_branch,
            lose_commit,
            break_detached_head,
            break_settings,
            break_index,
            lose_main_repository,
            be_a_later_format,
        ],
    )
    def test_a_broken_repository(self, tmp_path: Path, harm: Callable[[Path], None]) -> None:
        make_repository(tmp_path)
        harm(tmp_path)
        (tmp_path / "inner").mkdir()
        with pytest.raises((ContextError, StepFailed)) as caught:
            gather(PATH, tmp_path / "inner", remote="origin", runner=Processes(PATH))
        assert "fatal:" in caught.value.message or "error:" in caught.value.message

    def test_a_repository_of_somebody_else(self, tmp_path: Path) -> None:
        make_repository(tmp_path)
        environment = {**PATH, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
        with pytest.raises(ContextError, match="somebody else's") as caught:
            gather(environment, tmp_path, remote="origin", runner=Processes(environment))
        assert f"safe.directory {tmp_path}" in caught.value.hint

    @pytest.mark.parametrize(
        ("subcommand", "out"),
        [
            ("rev-parse", ""),
            ("rev-list", "Good signature\n1700000000 " + "a" * 40),
            ("rev-list", "soon " + "a" * 40),
            ("rev-list", "1700000000 HEAD"),
            ("status", "M"),
        ],
    )
    def test_an_answer_that_is_none(self, tmp_path: Path, subcommand: str, out: str) -> None:
        make_repository(tmp_path)
        run = Processes(PATH)

        def runner(command: Command) -> Answer:
            return Answer(code=0, out=out) if command.argv[1] == subcommand else run(command)

        with pytest.raises(StepFailed, match="git was asked"):
            gather(PATH, tmp_path, remote="origin", runner=runner)

    @pytest.mark.parametrize("subcommand", ["status", "ls-files"])
    def test_a_folder_that_nobody_may_look_into(self, tmp_path: Path, subcommand: str) -> None:
        make_repository(tmp_path)
        run = Processes(PATH)
        warning = "warning: could not open directory 'private/': Permission denied\n"

        def runner(command: Command) -> Answer:
            answer = run(command)
            return replace(answer, err=warning) if command.argv[1] == subcommand else answer

        with pytest.raises(ContextError, match="private/"):
            gather(PATH, tmp_path, remote="origin", runner=runner)


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
