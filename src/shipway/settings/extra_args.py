"""What a build is given on its command line is read here: everybody can read it in the image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from shipway.settings.secret_marks import is_secret, is_secret_value
from shipway.settings.tables import BuildSettings

_BUILD_ARGUMENT = "--build-arg"
_NAMING_FLAGS = (_BUILD_ARGUMENT, "--label", "--annotation")
"""Names the flags of `docker buildx build` that are given `NAME=VALUE`."""


class PublicValue(NamedTuple):
    """A build argument, a label, an annotation, or what another flag is given."""

    flag: str
    name: str
    value: str | None
    """Is ``None`` where the variable of that name holds it."""

    def is_secret(self, environment: Mapping[str, str]) -> bool:
        """Answer whether it is a secret; only a build argument can be one by its name alone."""
        value = self.value
        if value is None:
            value = environment.get(self.name, "")
        if self.flag == _BUILD_ARGUMENT:
            return is_secret(self.name, value)
        return is_secret_value(self.name, value)


def list_public_values(build: BuildSettings) -> Iterator[PublicValue]:
    """Give the build arguments of the settings, and each value in their ``extra-args``."""
    for name, value in build.args.items():
        yield PublicValue(_BUILD_ARGUMENT, name, value)
    for flag, text in _split_arguments(build.extra_args):
        if flag in _NAMING_FLAGS:
            yield _read_assignment(flag, text)
        else:
            yield PublicValue(flag, flag, text)


def _read_assignment(flag: str, text: str) -> PublicValue:
    name, separator, value = text.partition("=")
    if not separator:
        return PublicValue(flag, name, None)
    return PublicValue(flag, name, value)


def _split_arguments(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give each flag with its value, which stands behind a `=` or in the argument after it."""
    for argument, next_argument in pairwise([*arguments, ""]):
        if not argument.startswith("-"):
            continue
        flag, separator, value = argument.partition("=")
        if not separator:
            value = next_argument
        yield flag, value
