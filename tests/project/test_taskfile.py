"""What `task ci` counts as done: the real Task and Taskfile.yml, over stand-ins for Python and Nox."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("the stand-ins are shell scripts", allow_module_level=True)

TASKFILE = Path(__file__).parents[2] / "Taskfile.yml"
TASK = Path(sysconfig.get_path("scripts")) / "task"
SESSIONS = {"tests", "lint", "types", "docs"}
PATIENCE = 20.0
"""Seconds after which a stand-in that is waited for counts as hung."""

# Each step goes to the log; the step named by PAUSE_AT lasts until there is a file `go`, until it is
# killed, or until a minute is over.
STEP = """#!/bin/sh
trap 'exit 130' INT
step() {
  echo "$1" >> log
  if [ "$1" = "$PAUSE_AT" ]; then
    touch paused
    left=3000
    while [ ! -e go ] && [ $left -gt 0 ]; do left=$((left - 1)); sleep 0.02; done
  fi
}
"""
PYTHON = (
    STEP
    + """
case "$*" in
  -c*) [ -z "$OLD" ] ;;
  *"-m venv"*) rm -rf .venv; mkdir -p .venv/bin; step venv; cp stand-ins/python .venv/bin ;;
  *"-m pip"*) env | grep ^PIP_ > pip-settings; step pip; cp stand-ins/uv .venv/bin ;;
esac
"""
)
UV = (
    STEP
    + """
case "$*" in
  *dev.txt*) step "uv locked"; cp stand-ins/nox .venv/bin ;;
  *) step "uv editable" ;;
esac
"""
)
NOX = (
    STEP
    + """
shift
env | grep COLOR= > colors
for session in "$@"; do
  step "start $session"
  if [ "$session" = "$FAIL" ]; then echo "failed $session" >> log; exit 1; fi
  step "passed $session"
done
"""
)
POINTS = [
    "venv",
    "pip",
    "uv locked",
    "uv editable",
    "start tests",
    "passed tests",
    "start lint",
    "passed types",
    "start docs",
    "passed docs",
]
OTHER_WAYS = [
    (signal.SIGINT, "group"),
    (signal.SIGINT, "task"),
    (signal.SIGTERM, "group"),
    (signal.SIGTERM, "task"),
    (signal.SIGKILL, "task"),
]
# The hardest way at each point, each other way at one of them: Task alone takes a tenth of a second to start.
KILLS = [(point, signal.SIGKILL, "group") for point in POINTS]
KILLS += [(point, *way) for point, way in zip(POINTS[1::2], OTHER_WAYS, strict=True)]

pytestmark = pytest.mark.process


class Run:
    """A `task ci` that has been started, in a process group of its own."""

    def __init__(self, project: Project, arguments: list[str], environment: dict[str, str]) -> None:
        self.project = project
        self.log_start = len(project.steps())
        self.output_file = project.folder / f"output-{time.monotonic_ns()}"
        # Every process of the run inherits the reading end: it is closed when the last one is gone.
        reading, self.writing = os.pipe()
        with self.output_file.open("wb") as output:
            self.process = subprocess.Popen(
                [TASK, "ci", *arguments],
                cwd=project.folder,
                env=environment,
                stdin=reading,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        os.close(reading)

    def output(self) -> str:
        return self.output_file.read_text(encoding="utf-8")

    def steps(self) -> list[str]:
        return self.project.steps()[self.log_start :]

    def passed(self) -> set[str]:
        """The sessions that passed in this run."""
        return {step.removeprefix("passed ") for step in self.steps() if step.startswith("passed ")}

    def send(self, number: int, receiver: str) -> None:
        if receiver == "group":
            os.killpg(self.process.pid, number)
        else:
            os.kill(self.process.pid, number)

    def finish(self) -> int:
        """Wait for every process of the run; answer Task's status."""
        status = self.process.wait(PATIENCE)
        poll = select.poll()
        poll.register(self.writing, 0)
        assert poll.poll(PATIENCE * 1000), "a process of the run is still there"
        os.close(self.writing)
        return status


class Project:
    """A small project with the Taskfile of this repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, script in (("python", PYTHON), ("uv", UV), ("nox", NOX)):
            self.write(f"stand-ins/{name}", script).chmod(0o755)
        for name in (
            "pyproject.toml",
            "requirements/dev.txt",
            "requirements/uv.txt",
            "tests/golden.txt",
        ):
            self.write(name, "")
        self.write("src/pack/code.py", "answer = 42\n")
        shutil.copy(TASKFILE, folder)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def steps(self) -> list[str]:
        log = self.folder / "log"
        return log.read_text(encoding="utf-8").splitlines() if log.exists() else []

    def start(self, *arguments: str, pause_at: str = "", **environment: str) -> Run:
        """Start `task ci`; return at once, or when it has come to the step ``pause_at``."""
        for name in ("go", "paused"):
            (self.folder / name).unlink(missing_ok=True)
        run = Run(
            self,
            list(arguments),
            {
                "PATH": os.defpath,
                "HOME": str(self.folder),
                "PYTHON": str(self.folder / "stand-ins/python"),
                "PAUSE_AT": pause_at,
                **environment,
            },
        )
        if pause_at:
            wait_for((self.folder / "paused").exists)
        return run

    def resume(self) -> None:
        (self.folder / "go").touch()

    def check(self, *arguments: str, **environment: str) -> tuple[int, Run]:
        """Run `task ci` to its end; answer its status and what it did."""
        run = self.start(*arguments, **environment)
        return run.finish(), run


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.005)


@pytest.fixture(name="project")
def scratch_project(tmp_path: Path) -> Iterator[Project]:
    # A signal that this process ignores would be ignored by all that it starts.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield Project(tmp_path)
    signal.signal(signal.SIGINT, handler)


def assert_nothing_is_left(project: Project) -> None:
    """One more `task ci` checks nothing and says since when everything has passed."""
    status, run = project.check()
    assert status == 0
    assert run.steps() == []
    lines = sorted(run.output().splitlines())
    assert [line.split(" passed at 2")[0] for line in lines] == ["[lint types docs]", "[tests]"]
    assert all(line.endswith(", nothing has changed since") for line in lines)


@pytest.mark.parametrize(
    ("point", "number", "receiver"), KILLS, ids=lambda value: getattr(value, "name", value)
)
def test_what_did_not_pass_before_a_kill_is_checked_after_it(
    project: Project, point: str, number: signal.Signals, receiver: str
) -> None:
    killed = project.start(pause_at=point)
    killed.send(number, receiver)
    project.resume()
    status = killed.finish()
    passed = killed.passed()
    assert status != 0 or passed == SESSIONS

    status, after = project.check()
    assert status == 0, after.output()
    assert passed | after.passed() == SESSIONS
    assert "uv editable" in killed.steps() + after.steps()
    assert_nothing_is_left(project)


def test_the_half_that_passed_before_a_kill_is_not_checked_again(project: Project) -> None:
    killed = project.start(pause_at="start lint")
    wait_for(lambda: "[tests] passed at" in killed.output())
    killed.send(signal.SIGKILL, "group")
    killed.finish()
    status, after = project.check()
    assert status == 0
    assert after.passed() == SESSIONS - {"tests"}
    assert "[tests] passed at" in after.output()


def test_a_kill_right_after_the_end_changes_nothing(project: Project) -> None:
    status, run = project.check()
    assert status == 0
    assert run.passed() == SESSIONS
    assert_nothing_is_left(project)


def test_a_failure_is_checked_again(project: Project) -> None:
    status, run = project.check(FAIL="types")
    assert status != 0
    assert run.passed() == {"tests", "lint"}
    status, run = project.check(FAIL="types")
    assert status != 0
    assert "failed types" in run.steps()
    status, run = project.check()
    assert status == 0
    assert run.passed() == {"lint", "types", "docs"}


class TestChangesDuringTheChecks:
    """Files that are written while the checks run: nobody knows which of the two was checked."""

    @pytest.mark.parametrize("restored", [False, True])
    def test_an_edit_does_not_count_as_checked(self, project: Project, restored: bool) -> None:
        run = project.start(pause_at="start tests")
        project.write("src/pack/code.py", "answer = 43\n")
        if restored:
            project.write("src/pack/code.py", "answer = 42\n")
        project.resume()
        assert run.finish() != 0
        assert (
            "[tests] src/pack/code.py was written while it was checked: run it again"
            in run.output()
        )
        status, after = project.check()
        assert status == 0
        assert "tests" in after.passed()
        assert_nothing_is_left(project)

    def test_an_older_file_in_the_same_place_does_not_count_as_checked(
        self, project: Project
    ) -> None:
        older = project.write("older.txt", "answer = 41\n")
        os.utime(older, (1_700_000_000, 1_700_000_000))
        run = project.start(pause_at="start tests")
        older.rename(project.folder / "src/pack/code.py")
        project.resume()
        assert run.finish() != 0
        assert "[tests] files changed while they were checked: run it again" in run.output()
        status, after = project.check()
        assert status == 0
        assert "tests" in after.passed()

    def test_what_python_compiles_meanwhile_is_no_change(self, project: Project) -> None:
        run = project.start(pause_at="start tests")
        project.write("tests/__pycache__/test_code.cpython-311-pytest-9.2.0.pyc", "compiled")
        project.resume()
        assert run.finish() == 0
        assert_nothing_is_left(project)


class TestChangesBetweenTheChecks:
    """All that lets what has passed count no more."""

    @pytest.mark.parametrize("name", ["src/pack/code.py", "tests/new.txt"])
    def test_an_edit(self, project: Project, name: str) -> None:
        project.check()
        project.write(name, "changed")
        status, run = project.check()
        assert status == 0
        assert run.passed() == SESSIONS

    def test_a_file_in_another_folder(self, project: Project) -> None:
        project.check()
        (project.folder / "src/other").mkdir()
        (project.folder / "src/pack/code.py").rename(project.folder / "src/other/code.py")
        assert project.check()[1].passed() == SESSIONS

    def test_an_older_file_in_the_same_place(self, project: Project) -> None:
        project.check()
        code = project.write("src/pack/code.py", "answer = 41\n")
        os.utime(code, (1_700_000_000, 1_700_000_000))
        assert project.check()[1].passed() == SESSIONS

    def test_an_edit_beside_a_link_to_nothing(self, project: Project) -> None:
        # Emacs leaves one beside a file that is not saved; Task then reads no file of that pattern.
        (project.folder / "src/pack/.#code.py").symlink_to("name@example:1")
        project.check()
        project.write("src/pack/code.py", "answer = 43\n")
        assert project.check()[1].passed() == SESSIONS

    def test_another_folder_for_what_task_remembers(self, project: Project) -> None:
        project.check()
        assert (
            project.check(TASK_TEMP_DIR=str(project.folder / "elsewhere"))[1].passed() == SESSIONS
        )

    def test_a_failure_of_the_same_files(self, project: Project) -> None:
        project.check()
        status, _ = project.check(TASK_TEMP_DIR=str(project.folder / "elsewhere"), FAIL="tests")
        assert status != 0
        assert "tests" in project.check()[1].passed()


class TestTwoAtOnce:
    """Two runs of `task ci` in the same folder."""

    def test_the_first_one_does_not_vouch_for_what_the_second_one_checks(
        self, project: Project
    ) -> None:
        project.check()
        project.write("src/pack/code.py", "answer = 43\n")
        first = project.start(pause_at="start tests")
        project.write("src/pack/code.py", "answer = 44\n")
        second = project.start(FAIL="tests")
        assert second.finish() != 0
        project.resume()
        assert first.finish() != 0
        assert "tests" in project.check()[1].passed()

    def test_a_killed_second_one_is_not_vouched_for_by_an_unfinished_first_one(
        self, project: Project
    ) -> None:
        first = project.start(pause_at="start tests")
        second = project.start(pause_at="passed tests")
        second.send(signal.SIGKILL, "group")
        second.finish()
        assert "tests" in project.check()[1].passed()
        project.resume()
        assert first.finish() == 0
        assert_nothing_is_left(project)


class TestTheEnvironment:
    """`.venv`, which `task ci` makes first."""

    @pytest.mark.parametrize("cause", ["the folder moves", "its Python goes"])
    def test_is_made_again_when(self, project: Project, cause: str) -> None:
        project.check()
        if cause == "the folder moves":
            project.folder = project.folder.rename(project.folder.with_name("moved"))
        else:
            (project.folder / ".venv/bin/python").unlink()
        status, run = project.check()
        assert status == 0
        assert run.steps() == ["venv", "pip", "uv locked", "uv editable"]
        assert_nothing_is_left(project)

    def test_is_made_whatever_pip_is_told_elsewhere(self, project: Project) -> None:
        project.check(PIP_USER="1", PIP_TARGET="/elsewhere", PIP_PREFIX="/elsewhere")
        settings = (project.folder / "pip-settings").read_text(encoding="utf-8").split()
        assert sorted(settings) == ["PIP_PREFIX=", "PIP_TARGET=", "PIP_USER=0"]

    def test_wants_a_python_that_is_new_enough(self, project: Project) -> None:
        status, run = project.check(OLD="1")
        assert status != 0
        assert run.steps() == []
        assert (
            "Python 3.11 or later is needed; for example: PYTHON=python3.12 task ci" in run.output()
        )


@pytest.mark.parametrize(
    ("settings", "left"),
    [
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, ["NO_COLOR=1"]),
        ({"NO_COLOR": "", "FORCE_COLOR": "1"}, ["FORCE_COLOR=1"]),
        ({"FORCE_COLOR": "1"}, ["FORCE_COLOR=1"]),
    ],
)
def test_nox_never_gets_both_settings_of_color(
    project: Project, settings: dict[str, str], left: list[str]
) -> None:
    status, _ = project.check(**settings)
    assert status == 0
    assert (project.folder / "colors").read_text(encoding="utf-8").split() == left
