"""This module finds where a project states its version, and writes another one there. Pure.

Sources: the "pyproject.toml" specification (`project.version`, `dynamic`), and the documentation of
each build backend for where a dynamic version comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from shipway.target.backend_places import backend_places
from shipway.target.version_pattern import (
    LITERAL,
    PROJECT_FILE,
    WHOLE_FILE,
    VersionPlace,
    inner_table,
    table_place,
)

_FROM_TAG = frozenset(
    (
        "dunamai",
        "flit-scm",
        "hatch-vcs",
        "poetry-dynamic-versioning",
        "setuptools-git-versioning",
        "setuptools-scm",
        "uv-dynamic-versioning",
        "vcs-versioning",
        "versioneer",
        "versioningit",
    )
)
"""Names the packages that let a backend take the version from git's tag."""
_EITHER_NAME = rf"(?im)^(?:__version__|version)[ \t]*{LITERAL}"
_SOURCE_FOLDERS = ("", "src", "lib")


class Origin(StrEnum):
    """Says where the version of what is built comes from."""

    FILE = "file"
    """It stands in a file, where it can be stamped."""
    TAG = "tag"
    """A build backend takes it from git's tag."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class VersionStatement:
    """Says where a project's version comes from, and in which places it stands."""

    origin: Origin
    places: tuple[VersionPlace, ...] = ()


def find_statement(document: Mapping[str, object]) -> VersionStatement:
    """Find where a project states its version, from its ``pyproject.toml``."""
    takes_tag = _takes_tag(document)
    places: list[VersionPlace] = []
    project = inner_table(document, "project")
    if isinstance(project.get("version"), str):
        place = table_place(PROJECT_FILE, "project", "version")
        places.append(place)
    poetry = inner_table(document, "tool", "poetry")
    if isinstance(poetry.get("version"), str) and not takes_tag:
        place = table_place(PROJECT_FILE, "tool.poetry", "version")
        places.append(place)
    if not places:
        places += _dynamic_places(document)
    if not places and takes_tag:
        return VersionStatement(Origin.TAG)
    if not places:
        places += _own_places(document)
    origin = Origin.FILE if places else Origin.UNKNOWN
    return VersionStatement(origin, tuple(places))


def _dynamic_places(document: Mapping[str, object]) -> Iterator[VersionPlace]:
    """Find the file that the build backend reads the version from."""
    yield from _hatch_places(document)
    pdm = inner_table(document, "tool", "pdm", "version")
    if pdm.get("source") == "file":
        path = pdm.get("path")
        yield from _file_place(path, _EITHER_NAME)
    if _takes_tag(document):
        return
    yield from backend_places(document)
    yield from _setuptools_places(document)
    build_system = inner_table(document, "build-system")
    backend = build_system.get("build-backend")
    package = str(backend).partition(".")[0]
    if package in ("flit_core", "flit"):
        yield _flit_place(document)


def _hatch_places(document: Mapping[str, object]) -> Iterator[VersionPlace]:
    hatch = inner_table(document, "tool", "hatch", "version")
    source = hatch.get("source", "regex")
    if source not in ("regex", "code"):
        return
    expression = _EITHER_NAME
    pattern = hatch.get("pattern")
    if isinstance(pattern, str) and _is_version_pattern(pattern):
        expression = f"(?m){pattern}"
    path = hatch.get("path")
    yield from _file_place(path, expression)


def _is_version_pattern(pattern: str) -> bool:
    try:
        return "version" in re.compile(pattern).groupindex
    except re.error:
        return False


def _file_place(path: object, pattern: str) -> Iterator[VersionPlace]:
    if isinstance(path, str):
        yield VersionPlace(
            name="__version__",
            paths=(path,),
            pattern=pattern,
        )


def _setuptools_places(document: Mapping[str, object]) -> Iterator[VersionPlace]:
    dynamic = inner_table(document, "tool", "setuptools", "dynamic", "version")
    attribute = dynamic.get("attr")
    if isinstance(attribute, str) and "." in attribute:
        module, _, name = attribute.rpartition(".")
        folders = _setuptools_folders(document)
        paths = tuple(_module_files(module, folders))
        escaped_name = re.escape(name)
        pattern = rf"(?m)^{escaped_name}[ \t]*{LITERAL}"
        yield VersionPlace(
            name=name,
            paths=paths,
            pattern=pattern,
        )
    files = dynamic.get("file")
    paths_of_text = files if isinstance(files, list) else [files]
    for path in paths_of_text:
        yield from _file_place(path, WHOLE_FILE)


def _setuptools_folders(document: Mapping[str, object]) -> tuple[str, ...]:
    """Name the folders that setuptools may find packages in, those that are set first."""
    folders: list[str] = []
    settings = inner_table(document, "tool", "setuptools")
    package_folders = inner_table(settings, "package-dir")
    root = package_folders.get("")
    search = inner_table(settings, "packages", "find")
    where = _list(search, "where")
    for folder in (root, *where):
        if isinstance(folder, str):
            folders.append(folder)
    return (*folders, *_SOURCE_FOLDERS)


def _list(table: Mapping[str, object], key: str) -> list[object]:
    """Give the list below a key, an empty one where something else stands, or nothing."""
    values = table.get(key)
    return values if isinstance(values, list) else []


def _module_files(module: str, folders: tuple[str, ...]) -> Iterator[str]:
    """Name the files that may be a module's: of a package its ``__init__.py``."""
    module_path = module.replace(".", "/")
    for folder in folders:
        path = module_path
        if folder:
            path = f"{folder}/{module_path}"
        yield f"{path}/__init__.py"
        yield f"{path}.py"


def _flit_place(document: Mapping[str, object]) -> VersionPlace:
    project = inner_table(document, "project")
    flit_module = inner_table(document, "tool", "flit", "module")
    project_name = project.get("name")
    name = flit_module.get("name", project_name)
    module = str(name).replace("-", "_")
    files = _module_files(module, ("", "src"))
    pattern = rf"(?m)^__version__[ \t]*{LITERAL}"
    return VersionPlace(
        name="__version__",
        paths=tuple(files),
        pattern=pattern,
    )


def _takes_tag(document: Mapping[str, object]) -> bool:
    """Tell whether the build backend takes the version from git's tag."""
    pdm = inner_table(document, "tool", "pdm", "version")
    if pdm.get("source") == "scm":
        return True
    tools = inner_table(document, "tool")
    names: set[str] = set(map(canonicalize_name, tools))
    build_system = inner_table(document, "build-system")
    for requirement in _list(build_system, "requires"):
        name = _requirement_name(str(requirement))
        names.add(name)
    return not names.isdisjoint(_FROM_TAG)


def _requirement_name(text: str) -> str:
    try:
        return canonicalize_name(Requirement(text).name)
    except InvalidRequirement:
        return ""


def _own_places(document: Mapping[str, object]) -> Iterator[VersionPlace]:
    """Give the places that python-semantic-release stamps by the project's own settings."""
    settings = inner_table(document, "tool", "semantic_release")
    for variable in _list(settings, "version_variables"):
        path, _, rest = str(variable).partition(":")
        name = rest.partition(":")[0]
        if not name:
            continue
        escaped_name = re.escape(name)
        statement = rf"{escaped_name}['\"]?[ \t]*[:=]+[ \t]*(?P<quote>['\"]?)v?"
        pattern = rf"(?m)(?<![\w.-]){statement}(?P<version>[\w.+-]+)(?P=quote)"
        yield VersionPlace(
            name=name,
            paths=(path,),
            pattern=pattern,
        )
