"""Every error that shipway raises on purpose says what failed, and what to do next.

Its class decides the exit status of the program. The statuses are a contract (see
``docs/reference/exit-statuses.md``): 0 done, also when there was nothing to do; 1 a check found
faults; 2 settings; 3 context; 4 a tool is missing; 5 a step failed; 6 conflict with what is already
published; 7 verification failed.
"""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar


class ShipwayError(Exception):
    """Tells people what went wrong; all other errors derive from it.

    ``message`` says what failed and why, ``hint`` what to do next. ``status`` is the exit status
    of the program.
    """

    status: ClassVar[int] = 5

    def __init__(self, message: str, *, hint: str, document: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.document = document or {}  # Any above: the values of a JSON document
        """Says what was reached before the failure, for a task that prints JSON."""

    def __reduce__(self) -> tuple[object, ...]:
        # So that it comes through from another process, hint and all.
        make = partial(type(self), hint=self.hint)
        arguments = (self.message,)
        return make, arguments, self.__dict__

    def __str__(self) -> str:
        return f"{self.message}\n  next: {self.hint}"


class CheckFailed(ShipwayError):
    """Says that a check found faults.

    It is a check of this place, a rehearsal, a second build, licenses or vulnerabilities.
    """

    status = 1


class SettingsError(ShipwayError):
    """Says that ``[tool.shipway]`` or ``pyproject.toml`` is wrong; it lists every problem."""

    status = 2


class ContextError(ShipwayError):
    """Says that the place where shipway was started does not allow the task.

    It has no git or no remote, is a shallow clone, or its tree is dirty.
    """

    status = 3


class ToolMissing(ShipwayError):
    """Says that a program is not installed or too old, or that its service does not answer."""

    status = 4


class StepFailed(ShipwayError):
    """Says that a command or a request failed, or that a question could not be asked.

    It never means "not there". ``passes`` says that the trouble may be over in a moment, ``pause``
    how many seconds to wait before, where somebody said so.
    """

    status = 5

    def __init__(
        self,
        message: str,
        *,
        hint: str,
        passes: bool = False,
        pause: float = 0.0,
        document: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message, hint=hint, document=document)
        self.passes = passes
        self.pause = pause


class Conflict(ShipwayError):
    """Says that what is published differs from what should be; shipway never overwrites it."""

    status = 6


class VerificationFailed(ShipwayError):
    """Says that a consumer cannot trust an image, a signature or an attestation."""

    status = 7
