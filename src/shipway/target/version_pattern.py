"""This module reads and writes the version in the text of a file. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from shipway.settings.problems import parse_toml

PROJECT_FILE = "pyproject.toml"
LITERAL = r"(?::[ \t]*[\w.]+[ \t]*)?=[ \t]*(?P<quote>['\"])v?(?P<version>[^'\"\n]+)(?P=quote)"
"""Matches what stands behind the name of a constant of Python's."""
INI_VALUE = r"[ \t]*[=:][ \t]*\"?(?P<version>[^\s\"]+)"
WHOLE_FILE = r"\A\s*(?P<version>\S+)\s*\Z"


@dataclass(frozen=True, slots=True)
class VersionPlace:
    """Says in which file, and how, a version is written."""

    name: str
    """Names it for people: ``project.version``, ``__version__``."""
    paths: tuple[str, ...]
    """Lists where the file may be, relative to the project; the first one that is there counts."""
    pattern: str
    """Matches the statement; its group ``version`` is what it says."""
    table: tuple[str, ...] = ()
    """Names the table of a TOML file, and the key in it; empty for other files."""

    def read(self, text: str) -> str | None:
        """Read the version in the file's text, ``None`` where there is none in plain sight."""
        if self.table:
            return self._read_table(text)
        match = re.search(self.pattern, text)
        return match["version"] if match else None

    def _read_table(self, text: str) -> str | None:
        value: object = parse_toml(text, self.paths[0])
        for key in self.table:
            if not isinstance(value, dict):
                return None
            value = value.get(key)
        return value if isinstance(value, str) else None

    def write(self, text: str, version: str) -> str:
        """Give the text with another version; it stays as it is where there is none."""
        match = re.search(self.pattern, text)
        if match is None:
            return text
        start, end = match.span("version")
        before = text[:start]
        after = text[end:]
        return f"{before}{version}{after}"


def table_place(path: str, table: str, key: str) -> VersionPlace:
    """Give the place of a key in a table of a TOML file."""
    return VersionPlace(
        name=f"{table}.{key}",
        paths=(path,),
        pattern=table_pattern(table, key),
        table=(*table.split("."), key),
    )


def table_pattern(table: str, key: str) -> str:
    """Match a key in a table of a TOML file, whatever stands before it there."""
    header = re.escape(table)
    name = re.escape(key)
    other_lines = r"(?:(?![ \t]*\[)[^\n]*\n)*?"
    value = r"(?P<quote>['\"])(?P<version>[^'\"\n]+)(?P=quote)"
    statement = rf"[ \t]*[\"']?{name}[\"']?[ \t]*=[ \t]*{value}"
    return rf"(?m)^\[{header}\][^\n]*\n{other_lines}{statement}"


def section_pattern(section: str, key: str) -> str:
    """Match a key in a section of an INI file; what goes on after a word is no version."""
    header = re.escape(section)
    other_lines = r"(?:(?!\[)[^\n]*\n)*?"
    return rf"(?m)^\[{header}\][^\n]*\n{other_lines}{key}{INI_VALUE}[ \t]*\r?$"


def inner_table(document: Mapping[str, object], *keys: str) -> Mapping[str, object]:
    """Give the table below these keys, an empty one where something else stands, or nothing."""
    table = document
    for key in keys:
        inner = table.get(key)
        if not isinstance(inner, dict):
            return {}
        table = inner
    return table
