"""Running commands."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from shipway.effects.processes import PATIENCE, Processes, read_patience
from shipway.errors import ContextError, StepFailed, ToolMissing
from shipway.model.actions import Command, Effect
from tests.support.stand_ins import install

PATH = {"PATH": os.environ["PATH"]}


def python(
    code: str,
    *,
    live: bool = False,
    expected: tuple[int, ...] = (0,),
    secrets: tuple[str, ...] = (),
    folder: str = "",
) -> Command:
    """A command that runs a line of Python."""
    return Command(
        name="step",
        why="a test",
        argv=(sys.executable, "-I", "-c", code),
        effect=Effect.LOCAL,
        live=live,
        expected=expected,
        secrets=secrets,
        folder=folder,
    )


@pytest.mark.process
class TestProcesses:
    """Running commands."""

    def test_a_secret_reaches_only_the_command_that_names_it_and_never_its_output(self) -> None:
        run = Processes({**PATH, "MY_TOKEN": "hunter2hunter2"})
        show = "import os; print(os.environ.get('MY_TOKEN'))"
        assert run(python(show)).out == "None\n"
        assert run(python(show, secrets=("MY_TOKEN", "NOT_SET_TOKEN"))).out == "***\n"

    def test_a_failure_shows_the_last_lines_redacted_and_what_to_do(self) -> None:
        run = Processes({**PATH, "MY_TOKEN": "hunter2hunter2"})
        with pytest.raises(StepFailed) as caught:
            run(python("import sys; print('hunter2hunter2', file=sys.stderr); sys.exit(3)"))
        assert "exit code 3" in caught.value.message and "| ***" in caught.value.message
        assert "hunter2" not in str(caught.value)

    def test_a_silent_failure_is_told_all_the_same(self) -> None:
        with pytest.raises(StepFailed, match="exit code 3"):
            Processes(PATH)(python("raise SystemExit(3)"))

    def test_an_expected_exit_code_is_an_answer(self) -> None:
        assert Processes(PATH)(python("raise SystemExit(3)", expected=(0, 3))).code == 3

    def test_progress_is_shown_as_it_comes_without_empty_lines(self) -> None:
        lines: list[str] = []
        run = Processes({**PATH, "MY_TOKEN": "hunter2hunter2"}, echo=lines.append)
        answer = run(
            python(
                "import sys; print('one\\n\\nhunter2hunter2', file=sys.stderr); print('out')",
                live=True,
            )
        )
        assert lines == ["one", "***"] and answer.out == "out\n"

    @pytest.mark.parametrize("live", [False, True])
    def test_a_command_that_hangs_is_ended(self, live: bool) -> None:
        with pytest.raises(StepFailed):
            Processes(PATH, patience=0.05)(python("import time; time.sleep(60)", live=live))

    def test_a_trouble_that_passes_is_waited_for(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waited: list[float] = []
        monkeypatch.setattr("shipway.effects.processes.time", SimpleNamespace(sleep=waited.append))
        asked = tmp_path / "asked"
        flaky = (
            f"import pathlib, sys; p = pathlib.Path({str(asked)!r}); n = p.stat().st_size if p.exists() else 0; "
            "p.write_text('x' * (n + 1)); n < 2 and sys.exit('503 Service Unavailable')"
        )
        command = replace(python(flaky), again="503", effect=Effect.READ)
        said: list[str] = []
        assert Processes(PATH, echo=said.append)(command).code == 0
        assert (
            len(waited) == 2
            and 0.5 <= waited[0] <= 1.0 <= waited[1] <= 2.0
            and "may pass" in said[0]
        )
        asked.unlink()
        with pytest.raises(StepFailed, match="503"):
            Processes(PATH)(replace(command, again="504"))
        assert len(waited) == 2
        always = replace(python("import sys; sys.exit('503')"), again="503", effect=Effect.READ)
        with pytest.raises(StepFailed) as caught:
            Processes(PATH)(always)
        assert len(waited) == 6 and caught.value.passes
        with pytest.raises(
            StepFailed
        ):  # what changes something is not done again before somebody has looked
            Processes(PATH)(replace(always, effect=Effect.PUBLISH))
        assert len(waited) == 6

    def test_a_command_is_run_once_more_in_its_other_way(self) -> None:
        said: list[str] = []
        broken = replace(
            python("import sys; sys.exit('the cache broke')"),
            otherwise=("cache broke", (sys.executable, "-I", "-c", "print('without')")),
        )
        assert (
            Processes(PATH, echo=said.append)(broken).out == "without\n"
            and "run once more" in said[0]
        )
        with pytest.raises(StepFailed):
            Processes(PATH)(replace(broken, otherwise=("another", ())))

    def test_a_missing_program_is_named_with_what_to_install(self) -> None:
        with pytest.raises(ToolMissing, match="cosign is not installed") as caught:
            Processes({"PATH": ""})(
                Command(name="sign", why="", argv=("cosign",), effect=Effect.READ)
            )
        assert "task engine" in caught.value.hint and caught.value.status == 4

    def test_an_engine_that_does_not_answer_is_a_missing_tool(self, tmp_path: Path) -> None:
        install(
            tmp_path,
            "docker",
            "raise SystemExit('Cannot connect to the Docker daemon at unix:///x')",
        )
        with pytest.raises(ToolMissing, match="does not answer") as caught:
            Processes({"PATH": str(tmp_path)})(
                Command(name="build", why="x", argv=("docker",), effect=Effect.READ)
            )
        assert caught.value.status == 4

    def test_a_docker_without_buildx_is_a_missing_tool(self, tmp_path: Path) -> None:
        install(tmp_path, "docker", "raise SystemExit('unknown flag: --progress')")
        with pytest.raises(ToolMissing, match="without buildx"):
            Processes({"PATH": str(tmp_path)})(
                Command(name="build", why="x", argv=("docker",), effect=Effect.READ)
            )

    def test_a_folder_that_is_not_there(self) -> None:
        with pytest.raises(ContextError, match="cannot start"):
            Processes(PATH)(python("", folder="/nowhere/at/all"))

    def test_an_interrupt_ends_the_command(self, monkeypatch: pytest.MonkeyPatch) -> None:
        run = Processes(PATH)

        def interrupted(*_: object, **__: object) -> tuple[str, str]:
            raise KeyboardInterrupt

        monkeypatch.setattr(run, "_collect", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(python("import time; time.sleep(60)"))


def test_patience_is_a_number_of_seconds() -> None:
    assert read_patience({}) == PATIENCE and read_patience({"SHIPWAY_PATIENCE": "90"}) == 90
    with pytest.raises(ContextError, match="'soon', not a number"):
        read_patience({"SHIPWAY_PATIENCE": "soon"})
