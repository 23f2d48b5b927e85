"""What `doctor` says of good places and of bad ones."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from shipway.model.actions import Answer, Command
from shipway.run import doctor
from shipway.run.session import Session
from tests.support.faces import run_task
from tests.support.repositories import commit, git
from tests.support.scene import Scene

pytestmark = pytest.mark.process

ANSWERS = {
    ("docker", "version"): "28.5.2",
    ("docker", "buildx", "version"): "buildx 0.29",
    (
        "docker",
        "buildx",
        "inspect",
    ): "Name: default\nDriver:        docker\nPlatforms: linux/amd64, linux/arm64*\n",
    ("cosign", "sign"): "--signing-config",
}


def bench_of(scene: Scene, **missing: str) -> Session:
    """A session whose engine and cosign answer from a table."""
    session = scene.session()
    real = session.executor.runner

    def runner(command: Command) -> Answer:
        if command.argv[:3] == ("docker", "buildx", "inspect") and len(command.argv) > 3:
            return scene.remotes.run(command)
        if command.argv[0] in ("docker", "cosign"):
            return Answer(
                code=0,
                out=next(
                    said for words, said in ANSWERS.items() if command.argv[: len(words)] == words
                ),
            )
        return real(command)

    return replace(
        session,
        environment={**session.environment, **missing},
        executor=replace(session.executor, runner=runner),
    )


@pytest.fixture(name="scene")
def fixture_scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A project with an origin; `doctor` looks at it."""
    scene = Scene(tmp_path)
    monkeypatch.setattr(doctor, "open_session", lambda _say: bench_of(scene))
    return scene


def checked(
    capsys: pytest.CaptureFixture[str], code: int, *words: str
) -> dict[str, tuple[bool, str]]:
    """What was said, by check."""
    capsys.readouterr()
    assert run_task("doctor", *words, "--json") == code
    return {
        one["name"]: (one["holds"], one["seen"])
        for one in json.loads(capsys.readouterr().out)["checks"]
    }


def test_a_good_place(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    found = checked(capsys, 0, "--release")
    assert found["builder"] == (True, "docker driver; linux/amd64, linux/arm64")
    assert found["cosign"][1].startswith("3") and found["cache"][1] == "none"
    assert found["image"][1] == "ghcr.io/acme/toy"
    assert found["remote branch"] == (True, "main is the same") and found["last release"] == (
        True,
        "none yet",
    )
    assert found["next version"] == (True, "nothing → 0.1.0") and found["push"] == (True, "allowed")
    assert not git(scene.folder / "origin.git", "tag")
    assert list(checked(capsys, 0)) == [
        "git",
        "image",
        "dockerfile",
        "docs",
        "engine",
        "buildx",
        "builder",
        "cosign",
        "signing",
        "cache",
    ]


def test_a_job_that_cannot_sign_is_told_what_it_lacks(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    assert found_signing(capsys, 0) == (
        True,
        "keyless, and none of ACTIONS_ID_TOKEN_REQUEST_URL, SIGSTORE_ID_TOKEN "
        "is set: not from here",
    )
    scene.environment |= {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": "acme/toy",
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_SHA": git(scene.clone, "rev-parse", "HEAD"),
    }
    holds, seen = found_signing(capsys, 1)
    assert not holds and "id-token: write" in seen
    scene.environment["ACTIONS_ID_TOKEN_REQUEST_URL"] = "http://localhost:1"
    assert found_signing(capsys, 0)[1].startswith(
        "keyless, as https://github.com/acme/toy/.github/workflows/"
    )


def found_signing(capsys: pytest.CaptureFixture[str], code: int) -> tuple[bool, str]:
    """The line of the signature."""
    return checked(capsys, code)["signing"]


def test_a_dockerfile_that_is_not_there(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(capsys, 0)["dockerfile"] == (True, "Dockerfile")
    (scene.clone / "Dockerfile").unlink()
    commit(scene.clone, "fix: who needs it")
    holds, seen = checked(capsys, 1)["dockerfile"]
    assert not holds and "there is no Dockerfile here (next: write one, or say where" in seen


def test_mike_is_asked_for_where_docs_are_due(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checked(capsys, 0)["docs"] == (True, "none to publish")
    (scene.clone / "mkdocs.yml").write_text("site_name: toy\n")
    assert checked(capsys, 0)["docs"] == (True, "mike 2.2.0")
    monkeypatch.setattr("tests.support.scene.MODELLED", {"docker", "cosign"})
    which = shutil.which

    def lacks_mike(program: str, path: str | None = None) -> str | None:
        return None if program == "mike" else which(program, path=path)

    monkeypatch.setattr(shutil, "which", lacks_mike)
    holds, seen = checked(capsys, 1)["docs"]
    assert not holds and "mike is not installed (next: install it beside shipway" in seen


def test_docs_are_tried_as_before_the_commit_point(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checked(capsys, 0, "--release")["trials"] == (True, "v0.1.0 can be made")
    (scene.clone / "mkdocs.yml").write_text("site_name: toy\n")
    commit(scene.clone, "feat: docs")
    assert checked(capsys, 0, "--release")["trials"] == (True, "v0.1.0, document can be made")
    scene.remotes.broken_docs = "Aborted with 2 warnings in strict mode!"
    holds, seen = checked(capsys, 1, "--release")["trials"]
    assert not holds and "mkdocs build --strict" in seen
    assert not git(scene.folder / "origin.git", "tag")


def test_files_that_the_commit_means_and_the_checkout_lacks(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    found = checked(capsys, 0, "--release")
    assert found["files"] == (True, "0 submodules, 0 files of Git LFS")
    git(scene.clone, "update-index", "--add", "--cacheinfo", f"160000,{'a' * 40},lib")
    git(scene.clone, "commit", "--quiet", "--message", "feat: a commit of nobody")
    holds, seen = checked(capsys, 1, "--release")["files"]
    assert not holds and "the submodule lib (next: run `git submodule update --init" in seen


def test_each_wedge_is_found(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    origin = scene.folder / "origin.git"
    elsewhere = commit(scene.clone, "feat: half a release")
    git(scene.clone, "tag", "v0.1.0")
    git(scene.clone, "push", "--quiet", str(origin), "refs/tags/v0.1.0")
    git(scene.clone, "reset", "--quiet", "--hard", "HEAD~1")
    found = checked(capsys, 1, "--release")
    assert "v0.1.0 is on no branch of the remote" in found["last release"][1] and found["push"][0]
    git(scene.clone, "push", "--quiet", str(origin), f"{elsewhere}:refs/heads/main")
    found = checked(capsys, 1, "--release")
    assert "v0.1.0 is of a project that says 0.0.0" in found["last release"][1]
    assert (
        "main has 1 commits in the remote that are not here" in found["remote branch"][1]
        and not found["push"][0]
    )
    (scene.clone / "new").write_text("")
    assert "not committed" in checked(capsys, 1, "--release")["checkout"][1]
    origin.rename(scene.folder / "gone.git")
    assert not checked(capsys, 1, "--release")["remote"][0]


def test_commits_that_the_remote_does_not_have_are_told(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(scene.clone, "fix: here alone")
    assert "1 commits here" in checked(capsys, 0, "--release")["remote branch"][1]


def test_a_cache_and_a_builder_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = Scene(
        tmp_path,
        '[tool.shipway]\ncache = {type = "gha"}\nbuilder = {driver = "docker-container"}\n',
    )
    session = bench_of(scene)
    monkeypatch.setattr(
        doctor,
        "open_session",
        lambda _say: replace(session, context=replace(session.context, ci=True)),
    )
    found = checked(capsys, 1)
    assert "ACTIONS_RUNTIME_TOKEN" in found["cache"][1]
    assert "will be made: docker buildx create --name shipway-" in found["builder"][1]
    assert found["builder"][1].endswith(" --driver docker-container")


def test_a_builder_of_several_nodes_is_shown_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = '{"linux/amd64" = "tcp://amd:1", "linux/arm64" = "tcp://arm:1"}'
    settings = f'[tool.shipway]\nbuilder = {{driver = "remote", nodes = {nodes}}}\n'
    scene = Scene(tmp_path, settings)
    monkeypatch.setattr(doctor, "open_session", lambda _say: bench_of(scene))
    _, observation = checked(capsys, 0)["builder"]
    first, second = observation.split(" && ")
    assert first.endswith("--platform=linux/amd64 tcp://amd:1")
    name = scene.session().target().build.builder
    assert second.endswith(f"--append --node={name}1 --platform=linux/arm64 tcp://arm:1")
    scene.remotes.builders[name] = {f"{name}0": "linux/amd64"}
    assert checked(capsys, 0)["builder"][1] == observation
    scene.remotes.builders[name][f"{name}1"] = "linux/arm64"
    _, observation = checked(capsys, 0)["builder"]
    assert observation == "docker driver, 2 nodes; linux/amd64, linux/arm64"


def test_a_version_that_would_go_back_is_found(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    git(scene.clone, "tag", "4.3.0")
    git(scene.clone, "push", "--quiet", str(scene.folder / "origin.git"), "refs/tags/4.3.0")
    holds, seen = checked(capsys, 1, "--release")["next version"]
    assert not holds and "tags of the remote is 4.3.0" in seen
    assert 'tag-format = "{version}"' in seen


@pytest.mark.parametrize("before", [None, '[project]\nname = "toy"\ndynamic = ["version"]\n'])
def test_a_last_release_may_have_its_version_elsewhere(
    scene: Scene, capsys: pytest.CaptureFixture[str], before: str | None
) -> None:
    project = scene.clone / "pyproject.toml"
    now = project.read_text()
    if before is None:
        project.unlink()
    else:
        project.write_text(before)
    commit(scene.clone, "feat: as it was")
    git(scene.clone, "tag", "v0.0.1")
    project.write_text(now)
    commit(scene.clone, "fix: as it is")
    bare = str(scene.folder / "origin.git")
    git(scene.clone, "push", "--quiet", bare, "HEAD:main", "refs/tags/v0.0.1")
    holds, seen = checked(capsys, 0, "--release")["last release"]
    assert holds and seen.endswith("(its version is not in pyproject.toml)")
