"""The Nox sessions: how they install, and that the guard of the tests guards."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import nox
import pytest

from shipway import sessions

LOCKED = "--require-hashes --requirement requirements/types.txt"
MYPY = [
    "mypy --platform=linux --cache-dir=.mypy_cache/linux --strict src tests",
    "mypy --platform=darwin --cache-dir=.mypy_cache/darwin --no-warn-unreachable --strict src tests",
    "mypy --platform=win32 --cache-dir=.mypy_cache/win32 --no-warn-unreachable --strict src tests",
]
"""How types are checked where a project says nothing of it."""


def session(*, backend: str = "uv", complaint: str | None = "") -> Any:  # Any: a double of nox.Session
    """A session whose offline install says ``complaint``; None is what Nox gives under ``--no-install``."""
    double = mock.Mock(spec=nox.Session, venv_backend=backend, posargs=[])
    double.run_install.return_value = complaint
    return double


def lines(call: mock.Mock) -> list[str]:
    """The arguments of every call, a line each."""
    return [" ".join(one.args) for one in call.call_args_list]


@pytest.fixture(name="project", autouse=True)
def locked_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with source and a lock of `types` and `tests`."""
    monkeypatch.chdir(tmp_path)
    for folder in ("src", "tests", "requirements"):
        (tmp_path / folder).mkdir()
    for name in ("types", "tests"):
        (tmp_path / f"requirements/{name}.txt").touch()
    return tmp_path


class TestInstallation:
    """Locked packages come from uv's cache when it has all of them."""

    def test_asks_no_index_when_the_cache_has_everything(self) -> None:
        double = session(complaint="")
        sessions.types.func(double)
        assert lines(double.run_install) == [f"uv pip install --quiet --offline {LOCKED}"]
        assert lines(double.install) == []

    @pytest.mark.parametrize("complaint", ["error: the network was disabled", None])
    def test_asks_the_index_for_what_the_cache_lacks(self, complaint: str | None) -> None:
        double = session(complaint=complaint)
        sessions.types.func(double)
        assert lines(double.install) == [f"--quiet {LOCKED}"]

    def test_a_failure_of_the_offline_attempt_does_not_end_the_session(self) -> None:
        double = session()
        sessions.types.func(double)
        assert double.run_install.call_args.kwargs == {"silent": True, "success_codes": (0, 1, 2), "external": True}

    def test_pip_has_no_offline_attempt(self) -> None:
        double = session(backend="virtualenv")
        sessions.types.func(double)
        assert lines(double.run_install) == [] and lines(double.install) == [f"--quiet {LOCKED}"]

    def test_the_project_comes_after_its_lock_and_brings_nothing_along(self) -> None:
        double = session()
        sessions.tests.func(double)
        assert [line.partition("--offline ")[2] for line in lines(double.run_install)] == [
            "--require-hashes --requirement requirements/tests.txt", "--no-deps --editable ."]

    def test_every_tool_of_every_session_has_a_name_without_a_lock(self) -> None:
        assert set(sessions.TOOLS) >= {"lint", "tests", "types", "docs", "e2e", "bench"}
        assert all(sessions.TOOLS.values())


class TestDefaults:
    """What `nox` without arguments does."""

    def test_are_the_contract_and_need_no_engine(self) -> None:
        assert nox.options.sessions == ["lint", "tests", "types", "docs"]
        assert not sessions.e2e.default and not sessions.bench.default and not sessions.faults.default

    def test_take_uv_where_it_is_there_and_reuse_environments(self) -> None:
        assert nox.options.default_venv_backend == "uv|virtualenv"
        assert nox.options.reuse_venv == "yes"

    def test_hold_for_a_project_without_settings(self) -> None:
        double = session()
        sessions.types.func(double)
        sessions.tests.func(double)
        assert lines(double.run) == [*MYPY,
                                     "pytest --cov --cov-branch --cov-report=term-missing:skip-covered "
                                     f"--cov-fail-under={sessions.FLOOR}"]


@pytest.mark.parametrize(("lock", "wanted", "spread"), [
    ("pytest-xdist==3.8.0\n", [], True), ("pytest-xdist==3.8.0\n", ["-k", "one"], False),
    ("pytest==9.0.0\n", [], False),
])
def test_all_tests_take_every_core_where_pytest_can(project: Path, lock: str, wanted: list[str], spread: bool) -> None:
    (project / "requirements/tests.txt").write_text(lock)
    double = session()
    double.posargs = wanted
    sessions.tests.func(double)
    assert ("--numprocesses=auto --dist=worksteal" in lines(double.run)[0]) is spread
    assert lines(double.run)[0].endswith(" ".join(wanted))


def test_what_imports_shipway_is_left_to_tools_that_follow_no_imports(project: Path) -> None:
    for name in sessions.FRONT:
        (project / name).touch()
    double = session()
    sessions.lint.func(double)
    sessions.types.func(double)
    assert lines(double.run) == ["flake8 src tests noxfile.py tasks.py", "pylint --score=no src tests", *MYPY]


def test_a_project_without_a_dockerfile_is_told_that_hadolint_did_nothing() -> None:
    double = session()
    sessions.lint.func(double)
    assert lines(double.log) == ["hadolint has nothing to do: there is no Dockerfile"]
    assert lines(double.run) == ["flake8 src tests", "pylint --score=no src tests"]


class TestTypes:
    """The systems that types are checked for."""

    def test_are_three_with_a_cache_each_and_the_projects_own_settings(self, project: Path) -> None:
        (project / "pyproject.toml").write_text('[tool.mypy]\nstrict = true\ncache_dir = "cache"\n')
        double = session()
        sessions.types.func(double)
        assert lines(double.run) == [
            "mypy --platform=linux --cache-dir=cache/linux",
            "mypy --platform=darwin --cache-dir=cache/darwin --no-warn-unreachable",
            "mypy --platform=win32 --cache-dir=cache/win32 --no-warn-unreachable",
        ]

    def test_are_the_one_that_the_project_names(self, project: Path) -> None:
        (project / "pyproject.toml").write_text('[tool.mypy]\nplatform = "linux"\n')
        double = session()
        sessions.types.func(double)
        assert lines(double.run) == ["mypy"]

    def test_an_empty_table_is_a_projects_own_settings(self, project: Path) -> None:
        (project / "pyproject.toml").write_text("[tool.mypy]\n")
        double = session()
        sessions.types.func(double)
        assert lines(double.run)[0] == "mypy --platform=linux --cache-dir=.mypy_cache/linux"


class TestFaults:
    """The fault matrix."""

    def test_is_skipped_with_a_reason_where_there_is_none(self) -> None:
        double = session()
        double.skip.side_effect = RuntimeError
        with pytest.raises(RuntimeError):
            sessions.faults.func(double)
        assert lines(double.skip) == ["there is no folder tests/faults/"]

    def test_is_a_program_in_the_folder(self, project: Path) -> None:
        (project / "tests/faults").mkdir()
        double = session()
        double.posargs = ["--only", "docs"]
        sessions.faults.func(double)
        assert lines(double.run) == ["python -m tests.faults --only docs"]


class TestTheGuard:
    """Of `tests/conftest.py`."""

    def test_stops_a_process_that_nobody_announced(self) -> None:
        with pytest.raises(AssertionError, match="mark it with `process`"):
            subprocess.run([sys.executable, "-c", ""], check=True)

    @pytest.mark.parametrize("verb", ["connect", "connect_ex"])
    def test_stops_a_connection_that_leaves_the_machine(self, verb: str) -> None:
        with socket.socket() as one, pytest.raises(AssertionError, match="192.0.2.1; tests stay"):
            getattr(one, verb)(("192.0.2.1", 80))

    def test_lets_a_connection_to_this_machine_through(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as one:
            assert one.connect_ex(server.getsockname()) == 0

    @pytest.mark.process
    def test_lets_an_announced_process_through(self) -> None:
        assert subprocess.run([sys.executable, "-Sc", ""], check=True).returncode == 0
