"""The `shipway` program runs the Invoke collection, for projects without a `tasks.py`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from invoke.parser.argument import Argument
from invoke.program import Program

from shipway import __version__
from shipway.tasks import namespace

_NAMED = ("--image", "--version")
"""Names the options that may be given without their flag, of a task the first one that it has."""


def main() -> None:
    """Run the program; it exits with the documented statuses."""
    program = Program(
        name="shipway",
        namespace=namespace,
        version=__version__,
    )
    words = list(name_image(sys.argv))
    program.run(words)


def name_image(words: Sequence[str]) -> Iterator[str]:
    """Give `verify IMAGE` as `verify --image IMAGE`, `notes VERSION` as `notes --version VERSION`.

    Invoke has no argument that may be left out and needs no flag.
    """
    flags_by_task = _list_flags()
    flags: dict[str, Argument] = {}
    is_value = False
    for word in words:
        if is_value:
            is_value = False
        elif word.startswith("-"):
            is_value = word in flags and flags[word].takes_value
        elif word in flags_by_task:
            flags = flags_by_task[word]
        else:
            yield from [name for name in _NAMED if name in flags][:1]
        yield word


def _list_flags() -> dict[str, dict[str, Argument]]:
    """Give the flags of each task, by the names of the task."""
    flags: dict[str, dict[str, Argument]] = {}
    for context in namespace.to_contexts():
        for name in (context.name, *context.aliases):
            flags[str(name)] = context.flags
    return flags
