"""What is wrong with a table that somebody wrote: every problem at once, each with its place."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import get_type_hints

import msgspec

from shipway.errors import SettingsError


def refusal(place: str, problems: Sequence[str], hint: str) -> SettingsError:
    """The error that names every problem of a file at once."""
    return SettingsError(
        f"{place} has {len(problems)} problem{'s' if len(problems) > 1 else ''}:\n"
        + "\n".join(f"  - {problem}" for problem in problems),
        hint=hint,
    )


def find_problems(found: object, kind: type, place: str) -> Iterator[str]:
    """Unknown keys and wrong types of a table, and of the tables in it."""
    if not isinstance(found, dict):
        yield f"{place}: a table is expected, not {found!r}"
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for key, value in found.items():
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=1)
            yield f"{place}.{key}: unknown" + (
                f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(fields)}"
            )
            continue
        inner = get_type_hints(kind)[fields[key].name]
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            yield from find_problems(value, inner, f"{place}.{key}")
            continue
        try:
            msgspec.convert(value, inner)
        except msgspec.ValidationError as error:
            yield f"{place}.{key}: {error}, not {value!r}"
