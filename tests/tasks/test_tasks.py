"""The tasks: what people type, what comes out, and with which exit status."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from shipway import tasks
from shipway.effects.engine_record import Record, Service, start_time
from shipway.errors import (
    CheckFailed,
    Conflict,
    ContextError,
    SettingsError,
    ShipwayError,
    StepFailed,
    ToolMissing,
    VerificationFailed,
)
from shipway.image.index import Index
from shipway.model.world import World
from shipway.rehearsal import engine, rehearse
from shipway.run import documents, release, session, stage
from shipway.run import prune as pruning
from shipway.run.preview import PlannedStage
from shipway.run.result import Outcome, Result
from tests.support.faces import run_task
from tests.support.targets import make_target

ROWS = [
    PlannedStage(
        name="build", state="absent", evidence="no image", commands=("docker buildx build .",)
    )
]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (CheckFailed, 1),
        (SettingsError, 2),
        (ContextError, 3),
        (ToolMissing, 4),
        (StepFailed, 5),
        (Conflict, 6),
        (VerificationFailed, 7),
    ],
)
def test_each_error_has_its_own_exit_status_and_says_what_to_do(
    error: type[ShipwayError],
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_: object) -> dict[str, object]:
        raise error("it broke", hint="mend it")

    monkeypatch.setattr(documents, "tags_document", fail)
    assert run_task("tags") == status
    assert capsys.readouterr().err == "shipway: it broke\n  next: mend it\n"
    assert run_task("tags", "--json") == status
    assert json.loads(capsys.readouterr().out) == {
        "error": {"status": status, "message": "it broke", "hint": "mend it"}
    }


def test_no_error_shows_a_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> dict[str, object]:
        raise StepFailed("no answer of https://ann:s3cret@git.example", hint="ask again")

    monkeypatch.setattr(documents, "tags_document", fail)
    for flags in ((), ("--json",)):
        assert run_task("tags", *flags) == 5
        printed = capsys.readouterr()
        assert "https://***@git.example" in printed.out + printed.err
        assert "s3cret" not in printed.out + printed.err


def test_an_interrupt_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: object) -> dict[str, object]:
        raise KeyboardInterrupt

    monkeypatch.setattr(documents, "tags_document", interrupt)
    assert run_task("tags") == 130 and "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["context", "tags", "version"])
def test_computed_answers_for_people_and_for_programs(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        documents, f"{name}_document", lambda _: {"image": "x", "tags": ["a", "b"], "next": None}
    )
    assert run_task(name) == 0
    assert capsys.readouterr().out == "image: x\ntags: a, b\nnext: -\n"
    assert run_task(name, "--json", "--dry-run") == 0
    assert json.loads(capsys.readouterr().out) == {"image": "x", "tags": ["a", "b"], "next": None}


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run_task("schema") == 0 and json.loads(capsys.readouterr().out)["title"] == "[tool.shipway]"
    )


@pytest.mark.parametrize(
    "words",
    [
        ("build", "--push"),
        ("inspect",),
        ("sign",),
        ("verify",),
        ("promote",),
        ("publish",),
        ("document",),
    ],
)
def test_a_stage_can_be_run_and_foreseen(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[str] = []

    def run_stage(
        _: object, name: str, __: object, report_outcome: Callable[[Outcome], None], **_rest: object
    ) -> None:
        ran.append(name)
        report_outcome(Outcome(name=name, outcome="done", reason="as it should"))

    monkeypatch.setattr(session, "open_session", lambda _: None)
    monkeypatch.setattr(stage, "run_stage", run_stage)
    monkeypatch.setattr(stage, "preview_stage", lambda _, name, **__: [replace(ROWS[0], name=name)])
    assert run_task(*words, "--json") == 0 and ran == [words[0]]
    printed = capsys.readouterr()
    assert json.loads(printed.out)["digest"] is None and "as it should" in printed.err
    assert run_task(*words, "--dry-run") == 0
    assert capsys.readouterr().out == f"# {words[0]}: absent, no image\ndocker buildx build .\n"
    assert run_task(*words, "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["dry_run"] is True


def test_a_build_for_this_machine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(documents, "local_build_document", lambda _, dry_run: {"dry": dry_run})
    assert run_task("build", "--dry-run") == 0 and capsys.readouterr().out == "dry: True\n"


def test_a_release_that_fails_still_reports_what_it_reached(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object, result: Result, __: object, *, until: str) -> None:
        result.stages.append(Outcome(name="version", outcome="failed", reason=until))
        raise StepFailed("it broke", hint="mend it")

    double = mock.Mock(environment={"GITHUB_OUTPUT": str(tmp_path / "output")})
    monkeypatch.setattr(session, "open_session", lambda _, override: double)
    monkeypatch.setattr(release, "run_release", fail)
    assert run_task("release", "--until", "sign", "--json") == 5
    printed = json.loads(capsys.readouterr().out)
    assert printed["stages"][0] == {
        "name": "version",
        "outcome": "failed",
        "reason": "sign",
        "seconds": 0.0,
    }
    assert printed["error"]["message"] == "it broke"
    assert (tmp_path / "output").read_text().startswith("released=false\n")


def test_a_release_prints_its_digest_for_people(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(session, "open_session", lambda _, override: mock.Mock(environment={}))

    def succeed(_: object, result: Result, __: object, *, until: str) -> None:
        assert not until
        result.target = make_target()
        result.world = World(index=Index(digest="sha256:d", entries=()))

    monkeypatch.setattr(release, "run_release", succeed)
    assert run_task("release") == 0
    assert capsys.readouterr().out == "registry.example/acme/toy@sha256:d\n"


def test_a_release_can_be_foreseen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(session, "open_session", lambda _, override: None)
    monkeypatch.setattr(release, "preview_release", lambda _, until: ROWS)
    assert (
        run_task("release", "--dry-run") == 0 and "docker buildx build ." in capsys.readouterr().out
    )


def test_status_for_people_and_for_programs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"name": "build", "state": "same", "evidence": "there", "next": ""}]
    monkeypatch.setattr(documents, "status_rows", lambda _: rows)
    assert run_task("status") == 0 and capsys.readouterr().out == "build     same     there\n"
    assert (
        run_task("status", "--json") == 0
        and json.loads(capsys.readouterr().out)["stages"][0]["state"] == "same"
    )
    rows.append({"name": "sign", "state": "unknown", "evidence": "no answer", "next": "look"})
    assert (
        run_task("status") == 5
        and "sign      unknown  no answer  → look\n" in capsys.readouterr().out
    )
    assert run_task("status", "--json") == 5
    found = json.loads(capsys.readouterr().out)
    assert found["stages"] == rows and found["error"]["message"] == "could not ask: sign"


def test_what_may_go_is_shown_and_deleted_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def prune(_: object, *, delete: bool) -> dict[str, object]:
        return {
            "image": "x",
            "deleted": delete,
            "images": [{"digest": "d", "tags": ["pr-1"], "reason": "old"}],
            "broken": [],
        }

    monkeypatch.setattr(pruning, "prune_images", prune)
    assert (
        run_task("prune") == 0
        and capsys.readouterr().out == "d pr-1: old\n1 manifests of x may go\n"
    )
    assert run_task("prune", "--delete") == 0 and capsys.readouterr().out.endswith("were deleted\n")
    assert run_task("prune", "--delete", "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["deleted"] is False


def test_the_rehearsal_is_given_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, bool]] = []
    monkeypatch.setattr(rehearse, "run_rehearsal", lambda *_, **options: given.append(options))
    assert run_task("rehearse", "--keep") == 0
    assert run_task("rehearse", "--working-tree") == 0
    assert given == [
        {"keep": True, "working_tree": False},
        {"keep": False, "working_tree": True},
    ]


def test_a_rehearsal_can_be_foreseen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rehearse, "preview_rehearsal", lambda _, keep, working_tree: [])
    assert run_task("rehearse", "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"dry_run": True, "stages": []}


def test_the_engine_is_started_stopped_and_foreseen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(engine, "ensure_engine", lambda _, suite: f"from {suite}")
    monkeypatch.setattr(engine, "preview_engine", lambda suite: f"would come from {suite}")
    monkeypatch.setattr(engine, "stop_engine", lambda _, purge: ["dockerd"] if purge else [])
    assert (
        run_task("engine", "--suite", "sid") == 0
        and capsys.readouterr().out == "engine: from sid\n"
    )
    assert (
        run_task("engine", "--dry-run") == 0 and "would come from trixie" in capsys.readouterr().out
    )
    assert run_task("engine.stop", "--purge") == 0 and capsys.readouterr().out == "ended: dockerd\n"
    assert run_task("engine.stop") == 0 and capsys.readouterr().out == "ended: -\n"
    assert run_task("engine.stop", "--dry-run") == 0 and "would end: -" in capsys.readouterr().out


def test_stopping_an_engine_can_be_foreseen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    this_process = Service("dockerd", os.getpid(), start_time(os.getpid()) or 0)
    gone = Service("mirror", 2**22 + 1, 1)
    record = Record(suite="trixie", path=(), env={}, processes=(this_process, gone))
    record.write(tmp_path / "shipway/engine/engine.json")
    assert run_task("engine.stop", "--dry-run") == 0
    assert capsys.readouterr().out == "ended: -\nwould end: dockerd\n"


def test_every_option_has_a_line_of_help() -> None:
    for task in tasks.namespace.task_names:
        assert tasks.namespace[task].help is not None and tasks.namespace[task].__doc__


def test_the_status_of_a_branch_that_is_not_released_is_always_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {"name": "version", "state": "same", "evidence": "no release branch", "next": "switch"},
        {"name": "build", "state": "unknown", "evidence": "no such host", "next": ""},
    ]
    monkeypatch.setattr(documents, "status_rows", lambda _: rows)
    assert run_task("status") == 3
    assert capsys.readouterr().out.splitlines()[1] == "build     unknown  no such host"
    assert run_task("status", "--json") == 3
    assert json.loads(capsys.readouterr().out)["stages"] == rows
