"""What is wrong with a table that somebody wrote is named at once, each problem with its place."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Collection, Iterator, Sequence
from typing import Annotated, Any, TypeGuard, get_args, get_origin

import msgspec

from shipway.errors import SettingsError
from shipway.settings.secret_marks import mask_secrets


def settings_error(place: str, problems: Sequence[str], hint: str) -> SettingsError:
    """Make the error that names every problem of a file at once."""
    count = len(problems)
    noun = "problem" if count == 1 else "problems"
    message = f"{place} has {count} {noun}:"
    for problem in problems:
        shown = mask_secrets(problem)
        message += f"\n  - {shown}"
    return SettingsError(message, hint=hint)


def parse_toml(text: str, place: str) -> dict[str, Any]:  # Any: the values of a TOML document
    """Read a TOML document; raises ``SettingsError``."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{place} is not valid TOML: {error}"
        raise SettingsError(message, hint="fix that line") from error


def is_table(kind: object) -> TypeGuard[type[msgspec.Struct]]:
    """Answer whether a type stands for a table of its own."""
    if not isinstance(kind, type):
        return False
    return issubclass(kind, msgspec.Struct)


def find_problems(table: object, kind: type, place: str) -> Iterator[str]:
    """Name unknown keys and wrong types of a table, and of the tables in it."""
    if not isinstance(table, dict):
        yield f"{place}: a table is expected, not {table!r}"
        return
    kinds = _kinds(kind)
    for key, value in table.items():
        key_place = f"{place}.{key}"
        if key not in kinds:
            suggestion = _suggest(key, kinds)
            yield f"{key_place}: unknown; {suggestion}"
            continue
        inner_kind = kinds[key]
        yield from _value_problems(value, inner_kind, key_place)


def _kinds(kind: type) -> dict[str, object]:
    """Give the type of each key of a table, annotated with what its value has to fulfil."""
    kinds: dict[str, object] = {}
    for field in msgspec.structs.fields(kind):
        kinds[field.encode_name] = field.type
    return kinds


def _value_problems(value: object, kind: object, place: str) -> Iterator[str]:
    """Name what is wrong with a value; ``kind`` is a type, a generic alias or annotated."""
    bare_kind = kind
    if get_origin(kind) is Annotated:
        bare_kind = get_args(kind)[0]
    if is_table(bare_kind):
        yield from find_problems(value, bare_kind, place)
        return
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        yield f"{place}: {error}, not {value!r}"


def _suggest(key: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(key, names, n=1)
    if near:
        nearest = near[0]
        return f"did you mean {nearest!r}?"
    all_names = ", ".join(names)
    return f"known are {all_names}"
