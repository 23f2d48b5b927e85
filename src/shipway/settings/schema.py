"""The settings described: as a JSON schema for editors, as a table for the docs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from shipway.settings import Settings


def schema() -> dict[str, Any]:
    """The JSON schema of the table `[tool.shipway]`."""
    (reference,), components = msgspec.json.schema_components([Settings])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "[tool.shipway]",
        **reference,
        "$defs": {name: {**one, "additionalProperties": False} for name, one in components.items()},
    } | {"$ref": "#/$defs/Settings"}


def table() -> list[tuple[str, str, str, str]]:
    """Key, type, default and description of every setting, for the docs."""
    return list(_rows(Settings, ""))


def _rows(kind: type, prefix: str) -> Iterator[tuple[str, str, str, str]]:
    hints = get_type_hints(kind, include_extras=True)
    for field in msgspec.structs.fields(kind):
        inner, meta = get_args(hints[field.name])[:2]
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            yield from _rows(inner, f"{prefix}{field.encode_name}.")
            continue
        default = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
        yield f"{prefix}{field.encode_name}", _kind(inner), _toml(default), meta.description or ""


def _kind(inner: Any) -> str:  # Any: a type or a generic alias
    if get_origin(inner) is Literal:
        return "one of " + ", ".join(f"`{value}`" for value in get_args(inner))
    if get_origin(inner) is tuple and issubclass(get_args(inner)[0], msgspec.Struct):
        return "array of tables"
    words = {
        int: "number",
        str: "string",
        bool: "boolean",
        tuple: "array of strings",
        dict: "table of strings",
    }
    return words.get(get_origin(inner) or inner, "boolean")


def _toml(value: object) -> str:
    if value is None:
        return "not set"
    return msgspec.json.encode(value).decode()
