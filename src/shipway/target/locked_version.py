"""This module sets a project's own version in the lock file of uv. Pure.

uv records the project itself beside what it depends on, and refuses a lock (`--locked`) that says
another version of it than `pyproject.toml`. Poetry and PDM do not record it.
"""

from __future__ import annotations

import re

from packaging.utils import canonicalize_name

LOCK_FILE = "uv.lock"
_PACKAGE = re.compile(r"(?m)^\[\[package\]\][ \t]*\r?$")
_NAME = re.compile(r'(?m)^name = "(?P<name>[^"\n]+)"')
_VERSION = re.compile(r'(?m)^version = "(?P<version>[^"\n]*)"')
_SOURCE = re.compile(r'(?m)^source = \{ (?:editable|virtual|directory) = "(?P<path>[^"\n]*)" \}')


def set_locked_version(lock: str, name: str, path: str, version: str) -> str:
    """Give the lock with another version of the project ``name`` in the folder ``path``.

    Nothing else changes. It stays as it is where the project is not in it, or has no version there
    since that is dynamic.
    """
    headers = _PACKAGE.finditer(lock)
    starts = [header.start() for header in headers]
    ends = [*starts[1:], len(lock)]
    for start, end in zip(starts, ends, strict=True):
        entry = lock[start:end]
        if not _is_project(entry, name, path):
            continue
        changed = _VERSION.sub(
            f'version = "{version}"',
            entry,
            count=1,
        )
        before = lock[:start]
        after = lock[end:]
        return f"{before}{changed}{after}"
    return lock


def _is_project(entry: str, name: str, path: str) -> bool:
    locked_name = _NAME.search(entry)
    source = _SOURCE.search(entry)
    if locked_name is None or source is None:
        return False
    if source["path"] != path:
        return False
    entry_name = canonicalize_name(locked_name["name"])
    return entry_name == canonicalize_name(name)
