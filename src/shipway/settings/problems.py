"""What is wrong with a table that somebody wrote is named at once, each problem with its place."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from typing import get_type_hints

import msgspec

from shipway.errors import SettingsError


def settings_error(place: str, problems: Sequence[str], hint: str) -> SettingsError:
    """Make the error that names every problem of a file at once."""
    plural = "s" if len(problems) > 1 else ""
    lines = [f"{place} has {len(problems)} problem{plural}:"]
    lines += [f"  - {problem}" for problem in problems]
    return SettingsError("\n".join(lines), hint=hint)


def find_problems(table: object, kind: type, place: str) -> Iterator[str]:
    """Name unknown keys and wrong types of a table, and of the tables in it."""
    if not isinstance(table, dict):
        yield f"{place}: a table is expected, not {table!r}"
        return
    fields = {field.encode_name: field.name for field in msgspec.structs.fields(kind)}
    types = get_type_hints(kind)
    for key, value in table.items():
        if key in fields:
            yield from _value_problems(value, types[fields[key]], f"{place}.{key}")
        else:
            yield f"{place}.{key}: unknown; {_suggest(key, fields)}"


def _value_problems(value: object, kind: object, place: str) -> Iterator[str]:
    """Name what is wrong with a value; ``kind`` is a type or a generic alias."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield from find_problems(value, kind, place)
        return
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        yield f"{place}: {error}, not {value!r}"


def _suggest(key: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(key, names, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known are {', '.join(names)}"
