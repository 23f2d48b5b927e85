"""Running commands."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from shipway.effects.processes import PATIENCE, Processes, read_patience
from shipway.errors import ContextError, StepFailed, ToolMissing
from shipway.model.actions import Command, Effect, Fallback, Hint, Requirement
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

    def test_the_progress_of_one_of_several_says_whose_it_is(self) -> None:
        lines: list[str] = []
        command = python("import sys; print('#5 one\\n\\n', file=sys.stderr)", live=True)
        answer = Processes(PATH, echo=lines.append)(replace(command, label="linux/arm64"))
        assert lines == ["linux/arm64 #5 one"] and answer.err.startswith("#5 one")

    @pytest.mark.parametrize("live", [False, True])
    def test_a_command_that_hangs_is_ended(self, live: bool) -> None:
        with pytest.raises(StepFailed, match="did not end within 0 s"):
            Processes(PATH, patience=0.05)(python("import time; time.sleep(60)", live=live))

    def test_nobody_waits_for_the_children_of_a_command_that_hangs(self) -> None:
        child = "import time; time.sleep(20)"
        code = f"import subprocess, sys; subprocess.run([sys.executable, '-I', '-c', {child!r}])"
        begin = time.monotonic()
        with pytest.raises(StepFailed, match="did not end within"):
            Processes(PATH, patience=0.5)(python(code, live=True))
        assert time.monotonic() - begin < 10

    def test_nobody_waits_for_a_child_that_stays_when_the_command_ended(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("shipway.effects.processes._LAST_LINES_PATIENCE", 0.5)
        child = "import time; time.sleep(20)"
        code = (
            "import subprocess, sys; print('begun', file=sys.stderr, flush=True); "
            f"subprocess.Popen([sys.executable, '-I', '-c', {child!r}], stdout=subprocess.DEVNULL)"
        )
        begin = time.monotonic()
        assert Processes(PATH)(python(code, live=True)).err == "begun\n"
        assert time.monotonic() - begin < 10

    def test_a_trouble_that_passes_is_waited_for(self, tmp_path: Path) -> None:
        waited: list[float] = []
        lines: list[str] = []
        run = Processes(PATH, echo=lines.append, wait=waited.append)
        attempts = tmp_path / "attempts"
        flaky = (
            f"import pathlib, sys; p = pathlib.Path({str(attempts)!r}); "
            "n = p.stat().st_size if p.exists() else 0; "
            "p.write_text('x' * (n + 1)); n < 2 and sys.exit('503 Service Unavailable')"
        )
        command = replace(python(flaky), passing="503", effect=Effect.READ)
        assert run(command).code == 0
        assert len(waited) == 2 and 0.5 <= waited[0] <= 1.0 <= waited[1] <= 2.0
        assert len(lines) == 2 and "may pass" in lines[0]
        assert f"503 Service Unavailable; again in {waited[0]:.0f} s" in lines[0]
        attempts.unlink()
        with pytest.raises(StepFailed, match="503"):
            run(replace(command, passing="504"))
        assert len(waited) == 2

    def test_a_pause_is_told_where_nobody_takes_its_line(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        waited: list[float] = []
        run = Processes(PATH, wait=waited.append)
        code = "import sys; sys.exit('100 %s: 503')"
        with pytest.raises(StepFailed):
            run(replace(python(code), passing="503", effect=Effect.READ))
        assert len(caplog.messages) == len(waited) == 4
        assert f"100 %s: 503; again in {waited[0]:.0f} s" in caplog.messages[0]

    def test_a_question_is_asked_five_times_at_most(self) -> None:
        waited: list[float] = []
        run = Processes(PATH, wait=waited.append)
        always = replace(python("import sys; sys.exit('503')"), passing="503", effect=Effect.READ)
        with pytest.raises(StepFailed, match="503") as caught:
            run(always)
        assert len(waited) == 4 and 4.0 <= waited[3] <= 8.0 and caught.value.passes
        # What changes something is not done again before somebody has looked.
        with pytest.raises(StepFailed):
            run(replace(always, effect=Effect.PUBLISH))
        assert len(waited) == 4

    def test_a_command_is_run_once_more_in_its_other_way(self) -> None:
        lines: list[str] = []
        run = Processes(PATH, echo=lines.append)
        other_way = (sys.executable, "-I", "-c", "print('without')")
        broken = replace(
            python("import sys; sys.exit('the cache broke')"),
            fallbacks=(Fallback("cache broke", "a cache broke", other_way),),
        )
        assert run(broken).out == "without\n"
        assert "a cache broke; run once more" in lines[0]
        fallback = Fallback("cache broke", "no network", other_way, pause=15.0)
        Processes(PATH, echo=lines.append, wait=lambda _seconds: None)(
            replace(broken, fallbacks=(fallback,))
        )
        assert "no network; run once more in 15 s" in lines[1]
        with pytest.raises(StepFailed):
            run(replace(broken, fallbacks=(Fallback("another", "another trouble", ()),)))

    def test_a_program_that_would_wait_for_a_person_is_not_started(self) -> None:
        needy = replace(
            python("print('started')"), requires=Requirement(("MY_PASSWORD", "MY_PIN"), "set one")
        )
        with pytest.raises(ContextError, match="none of MY_PASSWORD, MY_PIN is set") as caught:
            Processes(PATH)(needy)
        assert caught.value.hint == "set one"
        assert Processes({**PATH, "MY_PIN": "1"})(needy).code == 0

    def test_what_a_program_printed_chooses_the_hint(self) -> None:
        broken = replace(
            python("import sys; sys.exit('no space left')"),
            hints=(Hint("denied", "log in"), Hint("no space", "free some")),
        )
        with pytest.raises(StepFailed) as caught:
            Processes(PATH)(broken)
        assert caught.value.hint == "free some"

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
