"""Explains why a command failed, in the program's own last words, and what to do next."""

from __future__ import annotations

import re
import shlex

from shipway.errors import ContextError, ShipwayError, StepFailed, ToolMissing
from shipway.model.actions import Answer, Command

_LAST_LINES = 12
_WIDEST = 300
_FAILED_STEP = re.compile(r"^------\n >? ?(.*?)^------$", re.MULTILINE | re.DOTALL)
"""How buildx shows the step that failed: its name, then the last lines that it printed."""
_STEP_ERROR = re.compile(r"^(#\d+) ERROR: ", re.MULTILINE)
"""How buildx says which of its steps failed, in its plain progress."""
_NO_ENGINE = re.compile(
    r"Cannot connect to the Docker daemon|error during connect|failed to connect to the docker API",
    re.IGNORECASE,
)
_NO_BUILDX = re.compile(
    r"unknown flag: --(progress|format|tag)|'buildx' is not a docker command|"
    r"unknown command: docker buildx"
)
_MISTRUSTED = re.compile(r"detected dubious ownership in repository at '(.*)'")
_RUN_AGAIN = (
    "fix the cause named above and run the same command again; it goes on where this one stopped"
)


def failure(command: Command, answer: Answer) -> ShipwayError:
    """Give the error of a command that ended with an unexpected exit code.

    It shows the last lines that the program printed.
    """
    program = command.argv[0]
    printed = answer.err.strip()
    # What git prints on standard output is data, and may hold a login.
    if not printed and program != "git":
        printed = answer.out.strip()
    quoted_lines = [f"\n  | {line}" for line in _telling_lines(printed)]
    quote = "".join(quoted_lines)
    mistrusted = _MISTRUSTED.search(printed)
    if mistrusted:
        folder = shlex.quote(mistrusted[1])
        return ContextError(
            f"{command.name}: git would not look: the repository is somebody else's "
            f"({command.why}){quote}",
            hint="if you trust it, run (as the user that runs shipway) "
            f"`git config --global --add safe.directory {folder}`",
        )
    if program == "docker" and _NO_ENGINE.search(printed):
        return ToolMissing(
            f"{command.name}: the Docker Engine does not answer ({command.why}){quote}",
            hint="start Docker, or run `task engine` on Debian",
        )
    if program == "docker" and _NO_BUILDX.search(printed):
        return ToolMissing(
            f"{command.name}: Docker is here without buildx ({command.why})",
            hint="install docker-buildx; with DOCKER_HOST set, shipway uses the Docker on PATH "
            "as it is",
        )
    beginning = " ".join(command.argv[:3])
    return StepFailed(
        f"{command.name}: `{beginning} …` ended with exit code {answer.code} "
        f"({command.why}){quote}",
        hint=_find_advice(command, printed),
        passes=has_passing_trouble(command, printed),
    )


def _find_advice(command: Command, printed: str) -> str:
    for hint in command.hints:
        if re.search(hint.pattern, printed):
            return hint.advice
    return _RUN_AGAIN


def _telling_lines(printed: str) -> list[str]:
    """Give the lines that say why: the last ones.

    Of a build they are those of the step that failed, not its Dockerfile's.
    """
    lines = printed.splitlines()
    steps = _FAILED_STEP.findall(printed)
    if not steps:
        return lines[-_LAST_LINES:]
    # A step is called by its whole command.
    name, *output = steps[-1].splitlines()
    telling = [
        name,
        *output[-_LAST_LINES:],
        lines[-1],
    ]
    return [_shorten(line) for line in telling]


def read_reasons(printed: str) -> str:
    """Give what may say why a program failed: of a build, no line of a step that did not fail.

    buildx writes the number of its step before each line: ``#7 0.182 curl: (6) …``.
    """
    failed_steps = set(_STEP_ERROR.findall(printed))
    reasons: list[str] = []
    for line in printed.splitlines():
        number, _, _ = line.partition(" ")
        if number in failed_steps or not number.startswith("#"):
            reasons.append(line)
    return "\n".join(reasons)


def _shorten(line: str) -> str:
    if len(line) <= _WIDEST:
        return line
    third = _WIDEST // 3
    beginning = line[: 2 * third]
    end = line[-third:]
    return f"{beginning} … {end}"


def has_passing_trouble(command: Command, text: str) -> bool:
    """Tell whether ``text`` names a trouble that may be over in a moment."""
    if not command.passing:
        return False
    return re.search(command.passing, text) is not None
