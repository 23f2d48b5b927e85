"""Runs commands: argument lists, never a shell; secrets by name; output captured and redacted."""

from __future__ import annotations

import contextlib
import logging
import random
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, TYPE_CHECKING, TypeAlias

from shipway.effects import secrets
from shipway.effects.failures import failure, has_passing_trouble, read_reasons
from shipway.effects.patience import describe_trouble
from shipway.effects.questions import Answerer
from shipway.errors import ContextError, StepFailed, ToolMissing
from shipway.model.actions import Answer, Command, Effect, Fallback, Question

if TYPE_CHECKING:
    from tenacity import RetryCallState

PATIENCE = 3600.0
"""Seconds after which a command is ended: no step of a release takes an hour, and a hang must not
look like work.
"""
_LOG = logging.getLogger(__name__)
"""Where nobody set up logging, Python prints its warnings on standard error, as progress is."""
_LAST_LINES_PATIENCE = 10.0
"""Seconds in which the last lines of a program that ended must have been shown."""
_ATTEMPTS = 5
_FIRST_PAUSE = 0.5
"""Seconds before a question is asked again; each pause after it is twice as long."""
HINTS = {
    "docker": "install Docker with buildx, or run `task engine` on Debian",
    "cosign": "install cosign 2.5 or later, or run `task engine` on Debian",
    "git": "install git",
    "mike": "install it beside shipway, with what the docs need (`pip install mike`), or set "
    "`enabled = false` in [tool.shipway.docs]",
}
Runner: TypeAlias = Callable[[Command], Answer]
"""Whatever runs a command and raises ``StepFailed`` when the exit code is not an expected one."""


def read_patience(environment: Mapping[str, str]) -> float:
    """Give the seconds that a command may take: ``SHIPWAY_PATIENCE``, else an hour."""
    text = environment.get("SHIPWAY_PATIENCE", "")
    if not text:
        return PATIENCE
    try:
        return max(float(text), 1.0)
    except ValueError:
        raise ContextError(
            f"SHIPWAY_PATIENCE is {text!r}, not a number of seconds",
            hint="unset it, or say how long a command may take: SHIPWAY_PATIENCE=600",
        ) from None


class Processes:
    """Runs commands as processes of this machine.

    ``environment`` is split: public variables reach every command, a secret only the commands that
    name it. ``echo`` is given each line of progress of a live command, redacted, and a line for
    each pause; without it pauses are warnings of this module's logger. ``answer`` gives what a
    command reads on its standard input; without it, an ``Answerer`` of ``environment`` does.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        echo: Callable[[str], None] | None = None,
        patience: float = PATIENCE,
        answer: Callable[[Question[bytes]], bytes] | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.public, self.secret = secrets.split(environment)
        self._hidden = secrets.hidden_values(environment)
        self._echo = echo
        self._announce = echo or _LOG.warning
        self._patience = patience
        self._answer = answer or Answerer(environment)
        self._wait = wait

    def __call__(self, command: Command) -> Answer:
        """Run a command to its end; see ``Runner``."""
        content = None
        if command.stdin is not None:
            content = self._answer(command.stdin)
        answer = self._run(command, content)
        if _may_pass(command, answer):
            answer = self._run_again(command, content, answer)
        if answer.code in command.expected:
            return answer
        reasons = read_reasons(answer.err)
        for fallback in command.fallbacks:
            if re.search(fallback.pattern, reasons):
                return self._fall_back(command, fallback)
        shown = replace(answer, out=self.redact(answer.out))
        raise failure(command, shown)

    def _fall_back(self, command: Command, fallback: Fallback) -> Answer:
        """Run a command in another way; the other ways stay open to it."""
        words = fallback.argv[:3]
        beginning = " ".join(words)
        pause = fallback.pause
        delay = ""
        if pause:
            delay = f" in {pause:.0f} s"
        message = f"{command.name}: {fallback.reason}; run once more{delay}: {beginning} …"
        self._announce(message)
        self._wait(pause)
        rest = fallback.rest
        if rest is None:
            rest = tuple(other for other in command.fallbacks if other != fallback)
        other_way = replace(
            command,
            argv=fallback.argv,
            fallbacks=rest,
        )
        return self(other_way)

    def _run_again(self, command: Command, content: bytes | None, first: Answer) -> Answer:
        """Ask again until there is an answer, a trouble that does not pass, or no patience left."""
        from tenacity import Retrying, retry_if_result, stop_after_attempt  # slow to import

        answers = [first]

        def attempt() -> Answer:
            # The first attempt was made before it was known that there would be another.
            return answers.pop() if answers else self._run(command, content)

        def announce(state: RetryCallState) -> None:
            assert state.outcome is not None  # tenacity's own type: there was an attempt
            answer: Answer = state.outcome.result()
            trouble = (
                f"{command.name}: a trouble that may pass ({command.why})\n{answer.err.strip()}"
            )
            reason = describe_trouble(trouble)
            self._announce(f"{reason}; again in {state.upcoming_sleep:.0f} s")

        def give_up(state: RetryCallState) -> Answer:
            assert state.outcome is not None  # tenacity's own type: there was an attempt
            last: Answer = state.outcome.result()
            return last

        again = Retrying(
            sleep=self._wait,
            stop=stop_after_attempt(_ATTEMPTS),
            wait=_choose_pause,
            retry=retry_if_result(lambda answer: _may_pass(command, answer)),
            before_sleep=announce,
            retry_error_callback=give_up,
        )
        answer: Answer = again(attempt)
        return answer

    def _run(self, command: Command, content: bytes | None) -> Answer:
        with self._start(command, content) as process:
            try:
                out, err = self._collect(process, command)
            except subprocess.TimeoutExpired:
                _end(process)
                raise StepFailed(
                    f"{command.name}: {command.argv[0]} did not end within {self._patience:.0f} s",
                    hint="look at the service it talks to, then run the same command again",
                ) from None
            except BaseException:
                _end(process)
                raise
        return Answer(
            code=process.returncode,
            # What a program answers is data, and only the secrets that it was given are kept out.
            out=secrets.blank(out, self.secret.values()),
            err=self.redact(err),
        )

    def redact(self, text: str) -> str:
        """Give ``text`` as it may be shown: without this environment's secrets, and any other."""
        return secrets.redact(text, self._hidden)

    def _start(self, command: Command, content: bytes | None) -> subprocess.Popen[str]:
        self._require_variables(command)
        environment = self._environment_of(command)
        program = shutil.which(command.argv[0], path=environment.get("PATH"))
        if program is None:
            tool = command.argv[0]
            raise ToolMissing(
                f"{command.name}: {tool} is not installed", hint=HINTS.get(tool, f"install {tool}")
            )
        try:
            with self._input_of(content) as stdin:
                return subprocess.Popen(
                    (program, *command.argv[1:]),
                    env=environment,
                    cwd=command.folder or None,
                    stdin=stdin,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    encoding="utf-8",
                    errors="replace",
                )
        except OSError as error:
            raise ContextError(
                f"{command.name}: cannot start {command.argv[0]}: {error.strerror}",
                hint="check the folder and the program's permissions",
            ) from error

    def _require_variables(self, command: Command) -> None:
        requirement = command.requires
        if requirement is None:
            return
        for name in requirement.variables:
            if self.public.get(name) or self.secret.get(name):
                return
        names = ", ".join(requirement.variables)
        raise ContextError(
            f"{command.name}: {command.argv[0]} would wait for somebody: none of {names} is set",
            hint=requirement.advice,
        )

    def _environment_of(self, command: Command) -> dict[str, str]:
        environment = {**self.public, **command.env}
        for name in command.secrets:
            if name in self.secret:
                environment[name] = self.secret[name]
        return environment

    @contextmanager
    def _input_of(self, content: bytes | None) -> Iterator[IO[bytes] | int]:
        """Give a program's standard input: a file, so that nobody has to write beside reading."""
        if content is None:
            yield subprocess.DEVNULL
            return
        with tempfile.TemporaryFile(dir=self.public.get("TMPDIR")) as file:
            file.write(content)
            file.seek(0)
            yield file

    def _collect(self, process: subprocess.Popen[str], command: Command) -> tuple[str, str]:
        if not command.live:
            return process.communicate(timeout=self._patience)
        lines: list[str] = []
        watcher = threading.Thread(
            target=self._watch,
            args=(process.stderr, lines, command.label),
            daemon=True,
        )
        watcher.start()
        process.stderr = None  # it is the watcher's, who closes it, too
        out, _ = process.communicate(timeout=self._patience)
        # What a program leaves running may hold its standard error, and write there for ever.
        watcher.join(_LAST_LINES_PATIENCE)
        return out, "".join(lines)

    def _watch(self, stream: IO[str], lines: list[str], label: str) -> None:
        with stream:
            for line in stream:
                lines.append(line)
                text = self.redact(line.rstrip("\n"))
                if self._echo and text.strip():
                    self._echo(f"{label} {text}" if label else text)


def _may_pass(command: Command, answer: Answer) -> bool:
    """Tell whether a question is asked again; what changes something is not, before a look."""
    if command.effect is not Effect.READ or answer.code == 0:
        return False
    return has_passing_trouble(command, answer.err)


def _choose_pause(state: RetryCallState) -> float:
    """Give the seconds before the next attempt.

    They are spread out, so that jobs which were turned away together do not come back together.
    """
    repetitions = state.attempt_number - 1
    doubled: float = _FIRST_PAUSE * 2**repetitions
    return doubled * random.uniform(1, 2)


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=5)
    process.kill()
    process.wait()
