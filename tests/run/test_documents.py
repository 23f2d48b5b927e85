"""The documents of the machine contract."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from shipway.model.actions import Answer, Command
from shipway.run import documents
from shipway.run.result import Result
from tests.support.repositories import git
from tests.support.scene import Scene

pytestmark = pytest.mark.process


def test_an_image_can_be_built_for_this_machine(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[Command] = []
    session = scene.session()

    def remember(command: Command) -> Answer:
        ran.append(command)
        return Answer(code=0)

    monkeypatch.setattr(
        documents,
        "open_session",
        lambda _progress: replace(session, executor=replace(session.executor, runner=remember)),
    )
    document = documents.local_build_document(lambda _: None, dry_run=False)
    assert "--load" in ran[-1].argv and document["digest"] is None
    assert "--load" in documents.local_build_document(lambda _: None, dry_run=True)["commands"][0]


def test_a_local_build_makes_its_builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(tmp_path, '[tool.shipway]\nbuilder = {driver = "docker-container"}\n')
    monkeypatch.setattr(documents, "open_session", lambda _progress: scene.session())
    name = scene.session().target().build.builder

    def plan() -> list[str]:
        commands: list[str] = documents.local_build_document(lambda _: None, dry_run=True)[
            "commands"
        ]
        return commands

    creation, build = plan()
    assert creation.startswith(f"docker buildx create --name {name}")
    assert f"--builder={name}" in build
    scene.remotes.builders[name] = {"one": "linux/amd64"}
    assert plan() == [build]


def test_documents_of_the_machine_contract(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "open_session", lambda _progress: scene.session())
    assert documents.version_document(lambda _: None) == {
        "current": None,
        "next": "0.1.0",
        "bump": "minor",
    }
    tags = documents.tags_document(lambda _: None)
    assert (tags["image"], tags["version"], tags["channel"]) == ("ghcr.io/acme/toy", None, "branch")
    assert tags["tags"][0] == "main" and tags["tags"][1].startswith("sha-")
    assert documents.context_document(lambda _: None)["repository"] == "acme/toy"
    git(scene.clone, "switch", "--quiet", "--create", "topic")
    rows = documents.status_rows(lambda _: None)
    assert [row["state"] for row in rows][:2] == ["same", "absent"]
    assert rows[0]["evidence"] == "'topic' is not a release branch (main)"
    assert rows[1]["next"] == "shipway build"


def test_outputs_for_later_steps_of_a_workflow(scene: Scene, tmp_path: Path) -> None:
    result = scene.release()
    documents.write_outputs({"GITHUB_OUTPUT": str(tmp_path / "output")}, result)
    lines = (tmp_path / "output").read_text().splitlines()
    assert (
        lines[:3] == ["released=true", "version=0.1.0", "tag=v0.1.0"]
        and lines[3] == f"digest={result.digest}"
    )
    documents.write_outputs({"GITHUB_OUTPUT": str(tmp_path / "none")}, Result())
    assert (tmp_path / "none").read_text().splitlines()[:2] == ["released=false", "version="]
    documents.write_outputs({}, result)
