"""This module finds the version of projects whose build backend reads files of another kind. Pure.

Sources: the documentation of meson-python (the version of `project()` in `meson.build`), of
scikit-build-core (dynamic metadata, the provider of regular expressions), and of setuptools
(`setup.cfg`, `setup.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from shipway.target.version_pattern import (
    LITERAL,
    VersionPlace,
    inner_table,
    section_pattern,
)

MESON_PATTERN = r"\bproject\([^()]*?\bversion\s*:\s*'(?P<version>[^'\n]+)'"
SETUP_PATTERN = rf"(?m)^[ \t]*version[ \t]*{LITERAL}"
SETUP_PLACES = (
    VersionPlace("metadata.version", ("setup.cfg",), section_pattern("metadata", "version")),
    VersionPlace("version", ("setup.py",), SETUP_PATTERN),
)
"""Say where setuptools reads the version where `pyproject.toml` says nothing of it."""
_ANY_CASE = "(?i)"
_SCIKIT_REGEX = "scikit_build_core.metadata.regex"
_SCIKIT_DEFAULT = r"(?i)^(?:__version__|VERSION)(?: ?\: ?str)? *= *(['\"])v?(?P<value>.+?)\1"


def backend_places(document: Mapping[str, object]) -> Iterator[VersionPlace]:
    """Find the file that meson-python or scikit-build-core reads a dynamic version from."""
    backend = _backend(document)
    if backend == "mesonpy":
        yield VersionPlace(
            name="project.version",
            paths=("meson.build",),
            pattern=MESON_PATTERN,
        )
    if backend == "scikit_build_core":
        settings = inner_table(
            document,
            "tool",
            "scikit-build",
            "metadata",
            "version",
        )
        yield from _scikit_place(settings)


def takes_setup(document: Mapping[str, object]) -> bool:
    """Tell whether setuptools builds the project, which is what builds one that names nothing."""
    backend = _backend(document)
    return backend in ("", "setuptools")


def _backend(document: Mapping[str, object]) -> str:
    """Name the package of the build backend, empty where the project names none."""
    build_system = inner_table(document, "build-system")
    backend = build_system.get("build-backend", "")
    package, *_ = re.split("[.:]", str(backend))
    return package


def _scikit_place(settings: Mapping[str, object]) -> Iterator[VersionPlace]:
    path = settings.get("input")
    if not isinstance(path, str):
        return
    if settings.get("provider") != _SCIKIT_REGEX:
        return
    expression = settings.get("regex", _SCIKIT_DEFAULT)
    pattern = _search_lines(str(expression))
    if _names_version(pattern):
        yield VersionPlace(
            name="regex",
            paths=(path,),
            pattern=pattern,
        )


def _search_lines(expression: str) -> str:
    """Write an expression for single lines, whose version is called `value`, as one of ours."""
    flags = "(?m)"
    if expression.startswith(_ANY_CASE):
        flags = "(?mi)"
        expression = expression.removeprefix(_ANY_CASE)
    renamed = expression.replace("(?P<value>", "(?P<version>")
    return f"{flags}{renamed}"


def _names_version(pattern: str) -> bool:
    try:
        expression = re.compile(pattern)
    except re.error:
        return False
    return "version" in expression.groupindex
