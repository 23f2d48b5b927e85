"""The `shipway` program: the Invoke collection for projects without a `tasks.py`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from invoke.parser.argument import Argument
from invoke.program import Program

from shipway import __version__
from shipway.tasks import namespace

_IMAGE = "--image"


def main() -> None:
    """Run the program; it exits with the documented statuses."""
    Program(name="shipway", namespace=namespace, version=__version__).run([*name_image(sys.argv)])


def name_image(words: Sequence[str]) -> Iterator[str]:
    """`verify IMAGE` as `verify --image IMAGE`: Invoke knows no argument without a flag that may be left out."""
    contexts = {
        str(name): one for one in namespace.to_contexts() for name in (one.name, *one.aliases)
    }
    flags: dict[str, Argument] = {}
    value = False
    for word in words:
        if value:
            value = False
        elif word.startswith("-"):
            value = word in flags and flags[word].takes_value
        elif word in contexts:
            flags = contexts[word].flags
        elif _IMAGE in flags:
            yield _IMAGE
        yield word
