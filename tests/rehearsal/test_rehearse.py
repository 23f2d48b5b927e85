"""The rehearsal itself, with its real origin and releases endpoint, and everything that needs an engine in memory."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from shipway.effects.executor import Executor
from shipway.errors import ContextError, ToolMissing
from shipway.model.actions import Answer, Command, NextVersion, Question, ReadSettings, Reply
from shipway.model.release import Decision
from shipway.model.version import Version, parse_version
from shipway.rehearsal import keys, origin, rehearse
from shipway.rehearsal.registry import start_registry, wait_for_address, wait_for_registry
from shipway.rehearsal.remotes import scrub
from shipway.rehearsal.waiting import wait_until
from shipway.run.release import run_release
from shipway.run.result import Outcome, Result
from shipway.run.session import Session, open_session
from shipway.tasks.rehearsal import show_rehearsal, show_rehearsal_plan
from tests.support.faces import run_task
from tests.support.model_remotes import ModelRemotes
from tests.support.repositories import commit, git, make_repository, read_files
from tests.support.stand_ins import COSIGN, SERVER, install

pytestmark = pytest.mark.process


@pytest.fixture(name="project")
def fixture_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without a remote, on a machine with stand-ins for cosign and the registry's program."""
    tools = tmp_path / "tools"
    install(tools, "cosign", COSIGN.replace("OFFERS", "'--tlog-upload'"))
    install(tools, "docker-registry", SERVER)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GITHUB_TOKEN", "a-real-token-of-the-user")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere")
    project = make_repository(tmp_path / "project")
    monkeypatch.chdir(project)
    return project


def modelled(remotes: ModelRemotes, due: Callable[[Path], str]) -> Callable[..., Session]:
    """``set_up`` with an engine, cosign and the release tool in memory; ``due`` gives the next version."""

    def make(progress: Callable[[str], None], *, folder: Path, **rest: object) -> Session:
        session = open_session(progress, folder=folder, **rest)  # type: ignore[arg-type]
        assert "a-real-token-of-the-user" not in session.environment.values()
        run = session.executor.runner

        def runner(command: Command) -> Answer:
            if "semantic_release" in command.argv:
                changelog = Path(command.folder) / "CHANGELOG.md"
                changelog.write_text(
                    changelog.read_text() + "\n## v0.1.0 (2026-01-01)\n\n- Begin\n"
                )
                return Answer(code=0)
            if command.argv[0] in ("docker", "cosign") and "--help" not in command.argv:
                return remotes.run(command)
            return run(command)

        def answers(question: Question[Reply]) -> Reply:
            asked: object = question
            if isinstance(asked, ReadSettings):
                return session.executor.answers(question)
            if isinstance(asked, NextVersion):
                decision = Decision(Version(0, 0, 0), parse_version(due(folder)))
                return cast(Reply, decision)
            return remotes.answer(question)

        executor = Executor(runner=runner, answers=answers, api=session.executor.api)
        return replace(session, executor=executor)

    return make


def play(
    monkeypatch: pytest.MonkeyPatch,
    *,
    due: Callable[[Path], str] = lambda _: "0.1.0",
    dry_run: bool = False,
    working_tree: bool = False,
) -> tuple[ModelRemotes, list[str]]:
    """One rehearsal; gives the remotes and what was said."""
    remotes, said = ModelRemotes(), list[str]()
    monkeypatch.setattr(rehearse, "open_session", modelled(remotes, due))

    def report_outcome(outcome: Outcome) -> None:
        said.append(outcome.name)

    if dry_run:
        show_rehearsal_plan(rehearse.preview_rehearsal(said.append, keep=False), as_json=False)
        return remotes, said

    def present(rehearsal: rehearse.Rehearsal) -> None:
        show_rehearsal(rehearsal, keep=False)

    rehearse.run_rehearsal(
        said.append, report_outcome, present, keep=False, working_tree=working_tree
    )
    return remotes, said


def test_two_runs_the_second_a_quiet_one_on_remotes_that_are_kept(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = git(project, "rev-parse", "HEAD")
    monkeypatch.setattr(rehearse, "open_session", modelled(ModelRemotes(), lambda _: "0.1.0"))
    assert run_task("rehearse", "--keep", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["released"], found["version"], found["made_up_commit"]) == (True, "0.1.0", False)
    assert {stage["outcome"] for stage in found["second"]} == {"skipped"}
    assert "releases/tag/v0.1.0" in found["release"]
    assert git(Path(found["remotes"]["origin"]), "tag") == "v0.1.0"
    shutil.rmtree(found["remotes"]["folder"])
    assert git(project, "rev-parse", "HEAD") == before and not git(project, "tag")


def test_a_project_with_nothing_to_release_rehearses_with_a_commit_of_its_own(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def due(folder: Path) -> str:
        return "0.1.0" if rehearse.OWN_COMMIT in git(folder, "log", "-1", "--format=%s") else ""

    _, said = play(monkeypatch, due=due)
    folder = Path(said[0].rpartition(" ")[2])
    assert folder.name.startswith("shipway-rehearsal-") and not folder.exists()
    assert any("a commit of its own" in line for line in said)
    printed = capsys.readouterr().out
    assert "second run" in printed and "v0.1.0, latest" in printed
    assert rehearse.OWN_COMMIT not in git(project, "log", "--format=%s")


def test_what_is_replaced_is_listed_once_before_anything_runs(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    golden: Callable[[str, str], None],
) -> None:
    with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(
            '[tool.shipway]\nimage = "registry.example/acme/toy"\ncache = {type = "gha"}\n'
            'builder = {driver = "kubernetes", options = {namespace = "ci"}}\n'
        )
    commit(project, "feat: settings")
    git(project, "checkout", "--quiet", "-b", "topic")
    (project / "new").write_text("")
    _, progress = play(monkeypatch, working_tree=True)
    listed = [line for line in progress if line.startswith("not as in a release: ")]
    assert progress.index(listed[-1]) < progress.index("first run")
    golden("rehearsal-start", "\n".join(listed))


@pytest.mark.usefixtures("project")
def test_the_table_shows_both_runs(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    golden: Callable[[str, str], None],
) -> None:
    release = run_release

    def release_in_no_time(
        session: Session, result: Result, report_outcome: Callable[[Outcome], None]
    ) -> None:
        release(session, result, report_outcome)
        result.stages = [replace(outcome, seconds=0.0) for outcome in result.stages]

    monkeypatch.setattr("shipway.rehearsal.rehearse.run_release", release_in_no_time)
    play(monkeypatch)
    table = capsys.readouterr().out
    # What differs each time is as long each time, so that the columns stay as wide as they are.
    for varying in (r"(?<=127\.0\.0\.1:)\d+", r"(?<=sha256:)[0-9a-f]+"):
        table = re.sub(varying, lambda match: "0" * len(match[0]), table)
    golden("rehearsal", table)


class TestTheBranch:
    """What is rehearsed is released from the project's own branch, or it is said or refused."""

    def test_a_project_that_has_no_release_branch_is_refused_as_by_a_release(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        git(project, "branch", "--quiet", "--move", "master")
        with pytest.raises(
            ContextError, match=r"'master' is not a release branch \(main\)"
        ) as told:
            play(monkeypatch)
        assert "branches" in told.value.hint
        git(project, "checkout", "--quiet", "--detach")
        with pytest.raises(ContextError, match="the head is detached"):
            play(monkeypatch)

    def test_a_topic_is_rehearsed_as_the_release_branch_and_that_is_said(
        self, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        git(project, "checkout", "--quiet", "-b", "topic")
        commit(project, "feat: of the topic")
        branches: list[str] = []

        def due(folder: Path) -> str:
            branches.append(git(folder, "log", "-1", "--format=%D %s"))
            return "0.1.0"

        _, progress = play(monkeypatch, due=due)
        assert branches[0].startswith("HEAD -> main") and branches[0].endswith("of the topic")
        sentence = "branch: 'topic' is rehearsed as main: only main can be released"
        assert f"not as in a release: {sentence}" in progress
        assert sentence in capsys.readouterr().out

    def test_another_release_branch_is_itself(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write('[tool.shipway.release]\nbranches = ["main", "1.x"]\n')
        commit(project, "feat: another branch")
        git(project, "checkout", "--quiet", "-b", "1.x")
        branches: list[str] = []

        def due(folder: Path) -> str:
            branches.append(git(folder, "branch", "--show-current"))
            return "0.1.0"

        _, progress = play(monkeypatch, due=due)
        assert branches == ["1.x"] and not any("branch: " in line for line in progress)

    def test_a_run_of_ci_rehearses_what_is_checked_out(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, text in {
            "GITHUB_ACTIONS": "true",
            "GITHUB_SHA": "e" * 40,
            "GITHUB_REF": "refs/pull/1/merge",
        }.items():
            monkeypatch.setenv(name, text)
        git(project, "checkout", "--quiet", "--detach")
        _, progress = play(monkeypatch)
        assert any("'a detached head' is rehearsed as main" in line for line in progress)


class TestTheWorkingTree:
    """What is not committed is taken along, or nothing is rehearsed."""

    def change(self, project: Path) -> None:
        """A file that is changed, one that is new, one that is gone, and one that is ignored."""
        (project / ".gitignore").write_text("ignored\n")
        (project / "gone").write_text("")
        commit(project, "feat: files")
        (project / "Dockerfile").write_text("FROM scratch AS changed\n")
        (project / "new").mkdir()
        (project / "new/file").write_text("new")
        (project / "new/ignored").write_text("")
        (project / "gone").unlink()

    def test_a_rehearsal_stops_and_names_the_files(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.change(project)
        with pytest.raises(ContextError, match="not committed.*Dockerfile, gone, new/") as caught:
            play(monkeypatch)
        assert caught.value.status == 3 and "--working-tree" in caught.value.hint

    def test_it_takes_them_along(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.change(project)
        before = read_files(project / ".git")
        seen: list[tuple[str, ...]] = []

        def due(folder: Path) -> str:
            files = git(folder, "ls-files").splitlines()
            seen.append((*files, (folder / "Dockerfile").read_text("utf-8").strip()))
            assert not git(folder, "status", "--porcelain")
            return "0.1.0"

        _, progress = play(monkeypatch, due=due, working_tree=True)
        assert seen[0] == (
            ".gitignore",
            "CHANGELOG.md",
            "Dockerfile",
            "new/file",
            "pyproject.toml",
            "FROM scratch AS changed",
        )
        assert any("3 changes that are not committed are taken along" in line for line in progress)
        assert read_files(project / ".git") == before

    def test_what_is_changed_inside_a_submodule_is_named(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        library = make_repository(project.parent / "library")
        allowed = ("-c", "protocol.file.allow=always")
        git(project, *allowed, "submodule", "--quiet", "add", str(library), "vendor/lib")
        play(monkeypatch, working_tree=True)  # also where the submodule itself is new
        (project / "vendor/lib/pyproject.toml").write_text("")
        with pytest.raises(ContextError, match="inside of submodules .*: vendor/lib"):
            play(monkeypatch, working_tree=True)


def test_what_is_rehearsed_has_its_submodules(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = make_repository(project.parent / "library")
    allowed = ("-c", "protocol.file.allow=always")
    git(project, *allowed, "submodule", "--quiet", "add", str(library), "vendor/lib")
    commit(project, "feat: a submodule")
    seen: list[bool] = []

    def due(folder: Path) -> str:
        seen.append((folder / "vendor/lib/pyproject.toml").exists())
        return "0.1.0"

    play(monkeypatch, due=due)
    assert seen and all(seen)
    git(project, "submodule", "--quiet", "deinit", "--force", "vendor/lib")
    with pytest.raises(ContextError, match="lacks .*the submodule vendor/lib"):
        play(monkeypatch, due=due)


def test_a_dry_run_prints_the_plan_of_the_release(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    remotes, _ = play(monkeypatch, dry_run=True)
    printed = capsys.readouterr().out
    assert "git push --atomic" in printed and remotes.changes == 0 and project.exists()
    assert all(
        line.startswith("#") for line in printed.splitlines()
    )  # nothing of it can be pasted by accident
    show_rehearsal_plan([], as_json=True)
    assert json.loads(capsys.readouterr().out) == {"dry_run": True, "stages": []}


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_a_rehearsal_elsewhere_than_on_linux_is_refused(
    monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(ContextError, match="needs Linux") as caught:
        play(monkeypatch)
    assert "WSL" in caught.value.hint


def test_a_folder_without_git_cannot_be_rehearsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1"\n')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ContextError, match="not in a git repository"):
        play(monkeypatch)


def test_a_second_run_that_changes_something_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    second = Result(stages=[Outcome(name="sign", outcome="done", reason="no signature")])
    noisy = rehearse.Rehearsal(
        first=Result(),
        second=second,
        remotes=None,  # type: ignore[arg-type]
        made_up=False,
    )
    monkeypatch.setattr(rehearse, "_stand_ins", lambda *_, **__: contextlib.nullcontext((None, {})))
    monkeypatch.setattr(rehearse, "session_for", lambda *_: None)
    monkeypatch.setattr(rehearse, "play", lambda *_: noisy)
    assert run_task("rehearse", "--json") == 1
    document = json.loads(capsys.readouterr().out)
    assert "not a quiet one: sign" in document["error"]["message"]
    assert document["second"][0]["reason"] == "no signature"


def test_no_real_remote_can_be_reached(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        **origin.isolate("acme/toy", tmp_path / "bare"),
    }
    for address in ("https://github.com/other/project.git", "ssh://git@github.com/acme/toy.git"):
        done = subprocess.run(
            ["git", "ls-remote", "--quiet", address], env=environment, check=False
        )
        assert done.returncode == 128


def test_the_origin_is_a_copy_and_a_shallow_clone_has_none(tmp_path: Path) -> None:
    source = make_repository(tmp_path / "source")
    commit(source, "fix: two")
    git(tmp_path, "clone", "--quiet", "--depth=1", source.as_uri(), "shallow")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    with pytest.raises(ContextError, match="shallow clone"):
        origin.make_origin(tmp_path / "shallow", tmp_path / "out", "main", "origin", environment)


def test_a_project_in_a_folder_of_its_repository(tmp_path: Path) -> None:
    source = make_repository(tmp_path / "source")
    app = source / "packages/app"
    app.mkdir(parents=True)
    (app / "pyproject.toml").write_text('[project]\nname = "app"\nversion = "0"\n')
    commit(source, "feat: an app")
    (tmp_path / "out").mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    found = origin.make_origin(app, tmp_path / "out", "main", "origin", environment)
    assert found == tmp_path / "out/project/packages/app"
    origin.add_commit(found, "feat: rehearse", "origin", environment)
    assert git(tmp_path / "out/origin.git", "show", "--name-only", "--format=%s", "main").split(
        "\n"
    )[-1] == ("packages/app/pyproject.toml")
    assert origin.repository_of(source, "Toy", "origin", environment) == "rehearsal/toy"
    git(source, "remote", "add", "origin", "git@github.com:Acme/Toy.git")
    assert origin.repository_of(source, "toy", "origin", environment) == "Acme/Toy"


@pytest.mark.parametrize(
    ("offers", "modern"), [("--signing-config", True), ("--tlog-upload", False)]
)
def test_keys_for_both_generations_of_cosign(tmp_path: Path, offers: str, modern: bool) -> None:
    install(tmp_path / "tools", "cosign", COSIGN.replace("OFFERS", repr(offers)))
    password, config = keys.make_keys(
        tmp_path / "keys", {"PATH": f"{tmp_path / 'tools'}:{os.environ['PATH']}"}
    )
    assert (tmp_path / "keys/cosign.pub").exists() and len(password) >= 24
    assert bool(config) is modern and (not config or Path(config).exists())


def test_without_its_program_the_registry_is_a_container(tmp_path: Path) -> None:
    install(tmp_path / "tools", "docker", "import sys; sys.exit(' '.join(sys.argv[1:]))")
    address = start_registry(tmp_path / "registry", {"PATH": str(tmp_path / "tools")})
    log = tmp_path / "registry/log"
    assert wait_until(lambda: log.read_text() != "", patience=10)
    with pytest.raises(ToolMissing, match="(?s)the registry does not answer.*registry:2"):
        wait_for_registry(address, tmp_path / "registry", patience=0.05)
    assert f"run --rm --publish {address}:5000 registry:2" in log.read_text()


def test_a_service_without_a_log_is_named_all_the_same(tmp_path: Path) -> None:
    with pytest.raises(ToolMissing, match="the thing does not answer"):
        wait_for_address("http://127.0.0.1:1/", "the thing", tmp_path / "none", patience=0.05)


def test_the_environment_of_a_rehearsal_holds_no_login(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "config.json").write_text(
        '{"auths": {"ghcr.io": {"auth": "c2VjcmV0"}}, "cliPluginsExtraDirs": ["/p"]}'
    )
    folder = tmp_path / "rehearsal"
    found = scrub(
        {"PATH": "/bin", "GITHUB_TOKEN": "x", "HOME": "/home/me", "DOCKER_CONFIG": str(theirs)},
        folder,
    )
    assert "GITHUB_TOKEN" not in found and found["HOME"] == str(folder / "home")
    assert json.loads((folder / "docker/config.json").read_text()) == {
        "cliPluginsExtraDirs": [str(theirs / "cli-plugins"), "/p"]
    }
    assert read_files(folder / "docker/buildx") == {}
    (theirs / "config.json").unlink()
    scrub({"DOCKER_CONFIG": str(theirs)}, folder)
    assert json.loads((folder / "docker/config.json").read_text())["cliPluginsExtraDirs"] == [
        str(theirs / "cli-plugins")
    ]
