"""Runs commands: argument lists only, never a shell; secrets by name; output captured and redacted."""

from __future__ import annotations

import contextlib
import random
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import IO, TypeAlias

from shipway.effects import secrets
from shipway.errors import ContextError, ShipwayError, StepFailed, ToolMissing
from shipway.model.actions import Answer, Command, Effect

_LAST_LINES = 12
_WIDEST = 300
_FAILED_STEP = re.compile(r"^------\n >? ?(.*?)^------$", re.MULTILINE | re.DOTALL)
"""How buildx shows the step that failed: its name, then the last lines that it printed."""
PATIENCE = 3600.0
"""Seconds after which a command is ended: no step of a release takes an hour, and a hang must not look like work."""

_PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds, doubled at most, before a command is run again."""

_NO_ENGINE = re.compile(
    r"Cannot connect to the Docker daemon|error during connect|failed to connect to the docker API",
    re.IGNORECASE,
)
_NO_BUILDX = re.compile(
    r"unknown flag: --(progress|format|tag)|'buildx' is not a docker command|"
    r"unknown command: docker buildx"
)
HINTS = {
    "docker": "install Docker with buildx, or run `task engine` on Debian",
    "cosign": "install cosign 2.5 or later, or run `task engine` on Debian",
    "git": "install git",
}


Runner: TypeAlias = Callable[[Command], Answer]
"""Whatever runs a command and raises ``StepFailed`` when the exit code is not an expected one."""


def read_patience(environment: Mapping[str, str]) -> float:
    """Seconds that a command may take: ``SHIPWAY_PATIENCE``, else an hour."""
    given = environment.get("SHIPWAY_PATIENCE", "")
    if not given:
        return PATIENCE
    try:
        return max(float(given), 1.0)
    except ValueError:
        raise ContextError(
            f"SHIPWAY_PATIENCE is {given!r}, not a number of seconds",
            hint="unset it, or say how long a command may take: SHIPWAY_PATIENCE=600",
        ) from None


class Processes:
    """Runs commands as processes of this machine.

    ``environment`` is split: public variables reach every command, a secret only the commands that name it.
    ``echo`` is given each line of progress of a live command, redacted.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        echo: Callable[[str], None] = lambda _line: None,
        patience: float = PATIENCE,
    ) -> None:
        self.public, self.secret = secrets.split(environment)
        self._echo = echo
        self._patience = patience

    def __call__(self, command: Command) -> Answer:
        """Run a command to its end; see ``Runner``."""
        for pause in (*_PAUSES, 0.0):
            answer = self._run(command)
            asks = command.effect is Effect.READ
            if not (
                pause
                and asks
                and command.again
                and answer.code
                and re.search(command.again, answer.err)
            ):
                break
            # Spread out, so that jobs which were turned away together do not come back together.
            seconds = pause * random.uniform(1, 2)
            self._echo(
                f"{command.name}: a trouble that may pass ({command.why}); again in {seconds:.0f} s"
            )
            time.sleep(seconds)
        if answer.code in command.expected:
            return answer
        if command.otherwise and re.search(command.otherwise[0], answer.err):
            self._echo(
                f"{command.name}: it failed, and is run once more: {' '.join(command.otherwise[1][:3])} …"
            )
            return self(replace(command, argv=command.otherwise[1], otherwise=None))
        raise failure(command, answer)

    def _run(self, command: Command) -> Answer:
        with self._start(command) as process:
            try:
                out, err = self._collect(process, live=command.live)
            except subprocess.TimeoutExpired:
                _end(process)
                raise StepFailed(
                    f"{command.name}: {command.argv[0]} did not end within {self._patience:.0f} s",
                    hint="look at the service it talks to, then run the same command again",
                ) from None
            except BaseException:
                _end(process)
                raise
        return Answer(code=process.returncode, out=self.redact(out), err=self.redact(err))

    def redact(self, text: str) -> str:
        """``text`` without the values of this environment's secrets."""
        return secrets.redact(text, self.secret.values())

    def _start(self, command: Command) -> subprocess.Popen[str]:
        hint, *needs = command.needs or ("",)
        if needs and not any(self.public.get(name) or self.secret.get(name) for name in needs):
            raise ContextError(
                f"{command.name}: {command.argv[0]} would wait for somebody: none of "
                f"{', '.join(needs)} is set",
                hint=hint,
            )
        environment = {**self.public, **command.env}
        environment |= {name: self.secret[name] for name in command.secrets if name in self.secret}
        program = shutil.which(command.argv[0], path=environment.get("PATH"))
        if program is None:
            tool = command.argv[0]
            raise ToolMissing(
                f"{command.name}: {tool} is not installed", hint=HINTS.get(tool, f"install {tool}")
            )
        try:
            return subprocess.Popen(
                (program, *command.argv[1:]),
                env=environment,
                cwd=command.folder or None,
                stdin=subprocess.DEVNULL,
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

    def _collect(self, process: subprocess.Popen[str], *, live: bool) -> tuple[str, str]:
        if not live:
            return process.communicate(timeout=self._patience)
        assert process.stdout is not None and process.stderr is not None
        lines: list[str] = []
        watcher = threading.Thread(target=self._watch, args=(process.stderr, lines), daemon=True)
        watcher.start()
        timer = threading.Timer(self._patience, process.kill)
        timer.start()
        try:
            out = process.stdout.read()
            watcher.join()
            process.wait()
        finally:
            timer.cancel()
        return out, "".join(lines)

    def _watch(self, stream: IO[str], lines: list[str]) -> None:
        for line in stream:
            lines.append(line)
            if line.strip():
                self._echo(self.redact(line.rstrip("\n")))


def failure(command: Command, answer: Answer) -> ShipwayError:
    """The error of a command that ended with an unexpected exit code; it shows the last lines that it printed."""
    said = answer.err.strip() or answer.out.strip()
    text = "".join(f"\n  | {line}" for line in _telling(said))
    if command.argv[0] == "docker" and _NO_ENGINE.search(said):
        return ToolMissing(
            f"{command.name}: the Docker Engine does not answer ({command.why}){text}",
            hint="start Docker, or run `task engine` on Debian",
        )
    if command.argv[0] == "docker" and _NO_BUILDX.search(said):
        return ToolMissing(
            f"{command.name}: Docker is here without buildx ({command.why})",
            hint="install docker-buildx; with DOCKER_HOST set, shipway uses the Docker on PATH as it is",
        )
    again = "mend the cause named above and run the same command again; it goes on where this one stopped"
    return StepFailed(
        f"{command.name}: `{' '.join(command.argv[:3])} …` ended with exit code {answer.code} ({command.why}){text}",
        hint=next((hint for pattern, hint in command.hints if re.search(pattern, said)), again),
        passes=bool(command.again and re.search(command.again, said)),
    )


def _telling(said: str) -> list[str]:
    """The lines that say why: the last ones. Of a build, those of the step that failed, not its Dockerfile's."""
    lines, steps = said.splitlines(), _FAILED_STEP.findall(said)
    if not steps:
        return lines[-_LAST_LINES:]
    name, *printed = steps[-1].splitlines()
    # A step is called by its whole command.
    return [
        line if len(line) <= _WIDEST else f"{line[: _WIDEST * 2 // 3]} … {line[-_WIDEST // 3 :]}"
        for line in (name, *printed[-_LAST_LINES:], lines[-1])
    ]


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=5)
    process.kill()
    process.wait()
