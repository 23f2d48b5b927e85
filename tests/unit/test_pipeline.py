"""Whole runs: real git, real python-semantic-release once, and a registry, cosign and docs in memory."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from shipway.errors import Conflict, ContextError, StepFailed
from shipway.model import Answer, Command, State
from shipway.rehearsal import origin
from shipway.run import answers, pipeline
from shipway.run.reconcile import Hands, Outcome
from shipway.run.workbench import Workbench, has_docs, set_up
from shipway.run.workspace import open_workspace
from shipway.stages import ORDER
from shipway.stages.version import Override
from tests.repositories import commit, git, make_clone
from tests.unit.model_remotes import ModelRemotes, digest_of, manifest

pytestmark = pytest.mark.process

NOTHING_DUE = Answer(code=0, out='{"current": "0.0.0", "next": ""}')
MODELLED = {"docker", "cosign", "mike", "python3"}


class Scene:
    """A project with an origin, and remotes in memory for everything that needs an engine."""

    def __init__(self, folder: Path, settings: str = "", *, real: bool = False) -> None:
        self.folder = folder
        self.real = real
        self.upcoming, self.last = "0.1.0", ""
        base = {"PATH": os.environ["PATH"], "HOME": str(folder)}
        self.environment = {**base, **origin.isolate("acme/toy", folder / "origin.git")}
        self.clone = make_clone(folder, settings)
        self.remotes = ModelRemotes()
        self.say: list[str] = []
        self.meanwhile: Callable[[Command], object] = lambda command: None

    def bench(self, **environment: str) -> Workbench:
        """A workbench over the clone, its hands in memory."""
        bench = set_up(self.say.append, folder=self.clone, environment={**self.environment, **environment})
        run = bench.hands.runner

        def runner(command: Command) -> Answer:
            self.meanwhile(command)
            if {"semantic_release", "shipway.run.history"}.intersection(command.argv) and not self.real:
                return self._release_tool(command)
            if command.argv[0] not in MODELLED:
                return run(command)
            if command.argv[-1] == "--help":
                return Answer(code=0, out="--tlog-upload")
            return self.remotes.run(command)

        return replace(bench, hands=Hands(runner=runner, api=self.remotes.request,
                                          wait=lambda _seconds: None))

    def _release_tool(self, command: Command) -> Answer:
        if "shipway.run.history" in command.argv:
            return Answer(code=0, out=json.dumps({"current": self.last, "next": self.upcoming}))
        changelog = Path(command.folder) / "CHANGELOG.md"
        changelog.write_text(changelog.read_text() + f"\n## v{self.upcoming} (2026-01-01)\n\n- Begin\n")
        return Answer(code=0)

    def release(self, until: str = "", override: Override = Override(), **environment: str) -> pipeline.Result:
        """One run."""
        result = pipeline.Result()
        bench = self.bench(**environment).overridden(override)
        pipeline.release(bench, result, lambda outcome: self.say.append(outcome.name), until=until)
        return result

    def somebody_pushes(self, message: str = "feat: of somebody else") -> str:
        """A commit on top of the origin's branch, from another clone."""
        with tempfile.TemporaryDirectory() as folder:
            git(self.folder, "clone", "--quiet", str(self.folder / "origin.git"), folder)
            head = commit(Path(folder), message)
            git(Path(folder), "push", "--quiet", "origin", "HEAD:main")
        return head

    def once(self, program: str, do: Callable[[], object]) -> None:
        """While the first command of ``program`` runs, this happens."""
        def meanwhile(command: Command) -> None:
            if command.argv[:len(program.split())] == tuple(program.split()):
                self.meanwhile = lambda _: None
                do()

        self.meanwhile = meanwhile


@pytest.fixture(name="scene")
def fixture_scene(tmp_path: Path) -> Scene:
    """A scene with a double of the release tool."""
    return Scene(tmp_path)


def outcomes(result: pipeline.Result) -> dict[str, str]:
    """Outcome by stage."""
    return {one.name: one.outcome for one in result.stages}


def test_a_second_run_skips_everything_and_a_third_finds_nothing_due(scene: Scene) -> None:
    first = scene.release()
    second = scene.release()
    assert set(outcomes(second).values()) == {"skipped"}
    assert second.target is not None and first.target is not None
    assert (second.digest, second.target.commit) == (first.digest, first.target.commit)
    git(scene.clone, "-c", f"url.{scene.folder / 'origin.git'}.insteadOf=https://github.com/acme/toy.git", "pull",
        "--quiet", "--ff-only")
    assert scene.release().released  # the release commit itself belongs to the release
    commit(scene.clone, "chore: nothing to see")
    scene.upcoming, scene.last = "", "0.1.0"
    assert outcomes(scene.release()) == {"version": "skipped"}


def test_no_release_due_is_a_normal_end(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene, "_release_tool", lambda _: NOTHING_DUE)
    result = scene.release()
    assert outcomes(result) == {"version": "skipped"} and not result.released
    assert result.stages[0].reason == "no release is due since 0.0.0"
    assert answers.result_document(result)["version"] is None


def test_two_runs_before_the_commit_point_make_the_same_commit(scene: Scene) -> None:
    first, second = scene.release(until="verify"), scene.release(until="verify")
    assert first.target is not None and second.target is not None
    assert first.target.commit == second.target.commit
    assert outcomes(second)["build"] == "skipped" and not first.released


def test_a_version_that_another_branch_took_is_a_conflict_before_anything_is_built(scene: Scene) -> None:
    git(scene.clone, "tag", "v0.1.0", git(scene.clone, "commit-tree", "-m", "elsewhere", "HEAD^{tree}"))
    git(scene.clone, "-c", f"url.{scene.folder / 'origin.git'}.insteadOf=https://github.com/acme/toy.git", "push",
        "--quiet", "origin", "v0.1.0")
    with pytest.raises(Conflict, match="v0.1.0 was released already") as caught:
        scene.release()
    assert "merge it" in caught.value.hint and not scene.remotes.manifests


class TestABranchThatMoves:
    """The release starts again from its new head, and nothing of the first start shows."""

    @pytest.mark.parametrize("moment", ["docker buildx build", "git push"])
    def test_while_the_release_is_made(self, scene: Scene, moment: str) -> None:
        heads: list[str] = []
        scene.once(moment, lambda: heads.append(scene.somebody_pushes()))
        result = scene.release()
        assert result.released and result.target is not None
        assert git(scene.folder / "origin.git", "rev-parse", "main", "main~1") == f"{result.target.commit}\n{heads[0]}"
        assert [one.name for one in result.stages] == list(ORDER)
        assert any(f"starting again from the new head of main, {heads[0][:12]}" in line for line in scene.say)
        assert scene.remotes.tags["v0.1.0"] == scene.remotes.tags[f"sha-{result.target.commit[:7]}"]
        assert not scene.clone.joinpath(".git/FETCH_HEAD").exists()  # the user's checkout is not touched

    def test_because_somebody_else_released(self, scene: Scene) -> None:
        other = Scene(scene.folder / "other")
        other.folder, other.clone, other.remotes = scene.folder, scene.folder / "other/clone", scene.remotes
        other.environment = scene.environment

        def release() -> None:
            scene.somebody_pushes()
            git(scene.folder, "clone", "--quiet", str(scene.folder / "origin.git"), str(other.clone))
            origin.point_at_github(other.clone, "acme/toy", "origin", scene.environment)
            assert other.release().released

        scene.once("docker buildx build", release)
        result = scene.release()
        assert result.released and set(outcomes(result).values()) == {"skipped"}
        assert git(scene.folder / "origin.git", "tag") == "v0.1.0" and len(scene.remotes.releases) == 1

    def test_again_and_again_is_left_to_somebody_else(self, scene: Scene) -> None:
        def meanwhile(command: Command) -> None:
            if command.argv[:3] == ("docker", "buildx", "build"):
                scene.somebody_pushes()

        scene.meanwhile = meanwhile
        with pytest.raises(Conflict, match="main moved to"):
            scene.release()
        assert scene.remotes.builds == 4 and not git(scene.folder / "origin.git", "tag")

    def test_before_the_release_began(self, scene: Scene) -> None:
        commit(scene.clone, "fix: only here")
        head = scene.somebody_pushes()
        with pytest.raises(ContextError, match=f"main is at {head[:12]} in the origin"):
            scene.release()
        here = git(scene.clone, "rev-parse", "HEAD")
        result = scene.release(GITHUB_ACTIONS="true", GITHUB_REF="refs/heads/main", GITHUB_SHA=here,
                               GITHUB_REPOSITORY="acme/toy")
        assert result.released and git(scene.folder / "origin.git", "rev-parse", "main~1") == head


def test_stages_that_there_are_not(scene: Scene) -> None:
    with pytest.raises(ContextError, match="no stage 'bild'"):
        scene.release(until="bild")


def test_a_failed_decision_is_reported_as_the_version_stage(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene, "_release_tool", lambda _: Answer(code=1, err="NotAReleaseBranch: main"))
    said: list[Outcome] = []
    with pytest.raises(StepFailed, match="gave no version: NotAReleaseBranch: main"):
        pipeline.release(scene.bench(), pipeline.Result(), said.append)
    assert [(one.name, one.outcome) for one in said] == [("version", "failed")]


def test_a_dry_run_of_a_release_changes_nothing_and_shows_every_stage(scene: Scene) -> None:
    rows = pipeline.foresee_release(scene.bench())
    assert [row.name for row in rows] == list(ORDER)
    assert scene.remotes.changes == 0 and git(scene.folder / "origin.git", "tag") == ""
    text = "\n".join(line for row in rows for line in row.commands)
    assert "git push --atomic origin" in text and '"${INDEX}"' in text


def test_a_dry_run_with_nothing_due(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene, "_release_tool", lambda _: NOTHING_DUE)
    assert [row.name for row in pipeline.foresee_release(scene.bench())] == ["version"]


def test_single_stages_on_a_branch(scene: Scene) -> None:
    git(scene.clone, "switch", "--quiet", "--create", "feature/one")
    bench = scene.bench()
    for name in ("build", "sign", "verify", "promote"):
        result = pipeline.Result()
        pipeline.run_stage(bench, name, result, lambda _: None)
        assert outcomes(result) == {one: "done" for one in pipeline.together(name)}
    assert {tag.rpartition("-")[0] for tag in scene.remotes.tags} == {"feature-one", "sha"}
    assert pipeline.foresee_stage(bench, "promote")[0].state == "same"
    assert [finding.state for _, finding, _ in pipeline.look_around(bench)] == [State.SAME] * len(ORDER)


def test_a_project_without_a_remote_is_told_how_to_add_one(scene: Scene) -> None:
    git(scene.clone, "remote", "remove", "origin")
    with pytest.raises(ContextError, match="no git remote 'origin'"), open_workspace(scene.bench()):
        pass


def test_what_is_not_committed_is_not_pushed(scene: Scene) -> None:
    (scene.clone / "new").write_text("")
    with pytest.raises(ContextError, match="not committed"):
        pipeline.run_stage(scene.bench(), "build", pipeline.Result(), lambda _: None)
    assert scene.remotes.changes == 0


def test_stages_of_a_release_need_one(scene: Scene) -> None:
    with pytest.raises(ContextError, match="nothing to publish"):
        pipeline.run_stage(scene.bench(), "publish", pipeline.Result(), lambda _: None)
    scene.release(until="promote")
    result = pipeline.Result()
    pipeline.run_stage(scene.bench(), "publish", result, lambda _: None)
    assert outcomes(result) == {"publish": "done"}


def test_the_docs_of_a_checked_out_tag_need_no_image(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "[tool.shipway.docs]\nenabled = true\n")
    scene.release(until="commit")
    git(scene.clone, "-c", f"url.{scene.folder / 'origin.git'}.insteadOf=https://github.com/acme/toy.git", "fetch",
        "--quiet", "--tags")
    git(scene.clone, "checkout", "--quiet", "--detach", "v0.1.0")
    rows = pipeline.foresee_stage(scene.bench(), "document")
    assert rows[0].commands[0].startswith('(cd "${CLONE}" && mike deploy')


def test_an_image_can_be_built_for_this_machine(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Command] = []
    bench = scene.bench()

    def remember(command: Command) -> Answer:
        ran.append(command)
        return Answer(code=0)

    monkeypatch.setattr(answers, "set_up", lambda _say: replace(bench, hands=replace(bench.hands, runner=remember)))
    document = answers.build(lambda _: None, dry_run=False)
    assert "--load" in ran[-1].argv and document["digest"] is None
    assert "--load" in answers.build(lambda _: None, dry_run=True)["commands"][0]


def test_documents_of_the_machine_contract(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "set_up", lambda _say: scene.bench())
    assert answers.version(lambda _: None) == {"current": None, "next": "0.1.0", "bump": "minor"}
    found = answers.tags(lambda _: None)
    assert (found["image"], found["version"], found["channel"]) == ("ghcr.io/acme/toy", None, "branch")
    assert found["tags"][0] == "main" and found["tags"][1].startswith("sha-")
    assert answers.context(lambda _: None)["repository"] == "acme/toy"
    git(scene.clone, "switch", "--quiet", "--create", "topic")
    rows = answers.status(lambda _: None)
    assert [(row["state"], row["next"]) for row in rows][:2] == [("same", ""), ("absent", "invoke build")]


def test_the_status_of_a_release_before_and_after(scene: Scene) -> None:
    before = list(pipeline.look_around(scene.bench()))
    assert [name for name, _, _ in before] == list(ORDER)
    assert {(finding.state, following) for _, finding, following in before} == {
        (State.ABSENT, "invoke release"), (State.SAME, "")}
    assert scene.remotes.changes == 0
    scene.release()
    assert {finding.state for _, finding, _ in pipeline.look_around(scene.bench())} == {State.SAME}
    scene.remotes.tags["v0.1.0"] = digest_of("of a stranger")
    scene.remotes.manifests[digest_of("of a stranger")] = manifest("of a stranger", ("linux/amd64",))
    (conflict,) = (row for row in pipeline.look_around(scene.bench()) if row[1].state is State.CONFLICT)
    assert conflict[0] == "promote" and "nothing was overwritten" in conflict[2]


@pytest.mark.parametrize(("program", "unknown"), [
    (("docker", "buildx", "imagetools"), ["build", "inspect", "sign", "verify", "promote"]),
    (("docker", "buildx", "imagetools", "inspect", "ghcr.io/acme/toy:sha"),
     ["build", "inspect", "sign", "verify", "promote"]),
    (("cosign",), ["sign", "verify", "promote"]), (("git", "ls-remote"), ["commit"]), (("git", "clone"), list(ORDER)),
])
def test_a_remote_that_cannot_be_asked_hides_no_other(scene: Scene, program: tuple[str, ...],
                                                      unknown: list[str]) -> None:
    scene.release()

    def meanwhile(command: Command) -> None:
        if " ".join(command.argv).startswith(" ".join(program)) and "--help" not in command.argv:
            raise StepFailed("no answer", hint="look")

    scene.meanwhile = meanwhile
    rows = list(pipeline.look_around(scene.bench()))
    assert [name for name, finding, _ in rows if finding.state is State.UNKNOWN] == unknown
    assert [name for name, _, _ in rows] == list(ORDER)


def test_outputs_for_later_steps_of_a_workflow(scene: Scene, tmp_path: Path) -> None:
    result = scene.release()
    answers.write_outputs({"GITHUB_OUTPUT": str(tmp_path / "output")}, result)
    lines = (tmp_path / "output").read_text().splitlines()
    assert lines[:3] == ["released=true", "version=0.1.0", "tag=v0.1.0"] and lines[3] == f"digest={result.digest}"
    answers.write_outputs({"GITHUB_OUTPUT": str(tmp_path / "none")}, pipeline.Result())
    assert (tmp_path / "none").read_text().splitlines()[:2] == ["released=false", "version="]
    answers.write_outputs({}, result)


def test_a_token_reaches_git_through_a_helper_that_holds_none(scene: Scene) -> None:
    ran: list[Command] = []
    bench = scene.bench(GITHUB_TOKEN="a-token-of-the-run")

    def remember(command: Command) -> Answer:
        ran.append(command)
        return bench.hands.runner(command)

    with open_workspace(replace(bench, hands=replace(bench.hands, runner=remember))):
        pass
    assert any("credential.helper" in word for command in ran for word in command.argv)
    assert not any("a-token-of-the-run" in word for command in ran for word in command.argv)


def test_git_tidies_nothing_up_in_a_folder_that_is_about_to_go(scene: Scene) -> None:
    with open_workspace(scene.bench()) as workspace:
        assert git(workspace.clone, "config", "--local", "maintenance.auto") == "false"
    told = subprocess.run(("git", "config", "maintenance.auto"), env=scene.environment, capture_output=True, text=True,
                          check=True)  # what a rehearsal tells all of its clones
    assert told.stdout == "false\n"


def test_docs_are_published_when_their_configuration_is_there(scene: Scene, tmp_path: Path) -> None:
    project = scene.bench().project
    assert not has_docs(project, tmp_path)
    (tmp_path / "mkdocs.yml").write_text("")
    assert has_docs(project, tmp_path)


def test_a_project_with_its_own_release_settings_keeps_them(tmp_path: Path) -> None:
    own = ('[tool.semantic_release]\nversion_toml = ["pyproject.toml:project.version"]\nallow_zero_version = true\n'
           '[tool.shipway.build]\nsecrets = ["id=pip,env=PIP_TOKEN"]\ntarget = "app"\nargs = {A = "1"}\n')
    scene = Scene(tmp_path, own)
    planned = scene.bench(SSL_CERT_FILE="/etc/ca.pem").target()
    assert planned.build.secrets == ("PIP_TOKEN",)
    assert planned.build.args == ("--build-arg=A=1", "--secret=id=pip,env=PIP_TOKEN",
                                  "--secret=id=ca-certificates,src=/etc/ca.pem", "--target=app")
    assert scene.release(until="build").target is not None
