"""What shipway does to the world, as frozen data: commands and requests, and what came back. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"


class Effect(StrEnum):
    """What a command does to the world outside its own process."""

    READ = "read"
    """Asks and changes nothing; a dry run may run it."""
    LOCAL = "local"
    """Changes temporary files of this machine only."""
    PUBLISH = "publish"
    """Changes something that other people can see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program to run.

    ``why`` is one line for people. ``env`` is public and printed; ``secrets`` are *names* of environment variables
    that the program may see, never their values. ``expected`` are the exit codes that carry an answer: any other one
    means that the question could not be asked. ``folder`` is the working folder, the current one when empty.
    """

    name: str
    why: str
    argv: tuple[str, ...]
    effect: Effect
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """(what to do next, names of variables): it is not started where none of these is set."""
    expected: tuple[int, ...] = (0,)
    folder: str = ""
    live: bool = False
    """Its progress is worth watching: stderr is shown as it comes."""
    hints: tuple[tuple[str, str], ...] = ()
    """(regular expression, what to do next): known failures of the program, told by what it says."""
    side_by_side: bool = False
    """It may run beside the others of its plan, which all say so."""
    otherwise: tuple[str, tuple[str, ...]] | None = None
    """(regular expression, arguments): where it fails and says so, it is run once more with these."""
    again: str = ""
    """Regular expression of troubles that pass: a question is asked again at once; after anything else the stage looks
    what is there, and does what is still missing.
    """
    remark: Callable[[Answer], str] | None = None
    """What people want to know of its answer, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to GitHub's REST API. ``path`` begins with ``/repos/…`` or is a full address that the API gave.

    ``expected`` are the HTTP statuses that carry an answer, 404 among them where "not there" is one.
    """

    name: str
    why: str
    method: str
    path: str
    effect: Effect
    body: Mapping[str, Json] = field(default_factory=dict)
    content: bytes = b""
    expected: tuple[int, ...] = (200, 201, 204)


Action: TypeAlias = Command | Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: the exit code (or HTTP status), standard output (or the body) and standard error as text."""

    code: int
    out: str = ""
    err: str = ""
