"""The settings describe themselves: as a JSON schema for editors, as table rows for the docs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, get_args, get_origin

import msgspec

from shipway.settings.problems import is_table
from shipway.settings.tables import Settings

_TYPE_NAMES = {
    int: "number",
    str: "string",
    bool: "boolean",
    tuple: "array of strings",
    dict: "table of strings",
}


class SettingRow(NamedTuple):
    """A row of the docs' table describes one setting."""

    key: str
    """The name below `[tool.shipway]`, such as `build.platforms`."""
    type_name: str
    default: str
    """The default as TOML writes it."""
    description: str


def render_schema() -> dict[str, Any]:  # Any: the values of a JSON document
    """Give the JSON schema of the table `[tool.shipway]`."""
    _, components = msgspec.json.schema_components([Settings])
    definitions = {}
    for name, component in components.items():
        definitions[name] = {**component, "additionalProperties": False}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "[tool.shipway]",
        "$ref": "#/$defs/Settings",
        "$defs": definitions,
    }


def list_settings() -> list[SettingRow]:
    """List every setting with its type, default and description, in the order of the tables."""
    rows = _rows(Settings, prefix="")
    return list(rows)


def _rows(kind: type, prefix: str) -> Iterator[SettingRow]:
    for field in msgspec.structs.fields(kind):
        key = f"{prefix}{field.encode_name}"
        inner, meta = get_args(field.type)
        if is_table(inner):
            yield from _rows(inner, f"{key}.")
            continue
        default = field.default
        if default is msgspec.NODEFAULT:
            default = field.default_factory()
        yield SettingRow(
            key=key,
            type_name=_type_name(inner),
            default=_toml(default),
            description=meta.description or "",
        )


def _type_name(kind: Any) -> str:  # Any: a type or a generic alias
    """Say in words what a value of that type is in TOML."""
    origin = get_origin(kind)
    arguments = get_args(kind)
    if origin is Literal:
        values = "`, `".join(arguments)
        return f"one of `{values}`"
    if origin is tuple and is_table(arguments[0]):
        return "array of tables"
    bare_kind = origin or kind
    # What is left is a union: `bool | None`.
    return _TYPE_NAMES.get(bare_kind, "boolean")


def _toml(value: object) -> str:
    if value is None:
        return "not set"
    content = msgspec.json.encode(value)
    return content.decode()
