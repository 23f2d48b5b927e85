"""This module names the files in which projects repeat their version, for tools of other kinds.

No build backend reads them, so nobody says which of them are a project's: a place counts where it
says the project's version word for word, and packages of npm and charts also have to be of the
project's name. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from shipway.target.backend_places import MESON_PATTERN, SETUP_PATTERN
from shipway.target.version_pattern import (
    INI_VALUE,
    LITERAL,
    PROJECT_FILE,
    WHOLE_FILE,
    VersionPlace,
    section_pattern,
    table_pattern,
)

_JSON_VALUE = (
    r"(?:\"(?:[^\"\\]|\\.)*\"|true|false|null|-?[\d.eE+-]+"
    r"|\[[^\[\]]*\]|\{(?:[^{}]|\{[^{}]*\})*\})"
)
_JSON_MEMBERS = rf"(?:\s*\"(?:[^\"\\]|\\.)*\"\s*:\s*{_JSON_VALUE}\s*,)*?"
_JSON_VERSION = r"\s*\"version\"\s*:\s*\"(?P<version>[^\"\\]+)\""
_JSON_NAME = rf"\A\s*\{{{_JSON_MEMBERS}\s*\"name\"\s*:\s*\"(?:@[^\"/]*/)?(?P<name>[^\"\\]+)\""
_JSON_TOP = rf"\A\s*\{{{_JSON_MEMBERS}{_JSON_VERSION}"
_JSON_ROOT = rf"\"packages\"\s*:\s*\{{\s*\"\"\s*:\s*\{{{_JSON_MEMBERS}{_JSON_VERSION}"
_JSON_COMMITIZEN = rf"\"commitizen\"\s*:\s*\{{{_JSON_MEMBERS}{_JSON_VERSION}"
_VERSION_MODULES = ("__about__", "__version__", "_version", "version")
_YAML_VALUE = r":[ \t]+(?P<quote>['\"]?)v?(?P<version>[^'\"\s#]+)(?P=quote)"
_YAML_VERSION = rf"(?m)^version{_YAML_VALUE}"
_YAML_NAME = r"(?m)^name:[ \t]+['\"]?(?P<name>[^'\"\s#]+)"
_YAML_COMMITIZEN = rf"(?m)^commitizen:[ \t]*\r?\n(?:[ \t]+[^\n]*\n)*?[ \t]+version{_YAML_VALUE}"


@dataclass(frozen=True, slots=True)
class RepeatedVersion:
    """Says where a version may be repeated."""

    place: VersionPlace
    """Holds paths that may have ``*`` in them: each file counts that is there."""
    owner: str = ""
    """Matches whose version it is, in its group ``name``; without one it is the project's."""

    def read(self, text: str, names: Collection[str]) -> str | None:
        """Read the version in the file's text, ``None`` where it is somebody else's."""
        if self.owner:
            match = re.search(self.owner, text)
            if match is None:
                return None
            name = canonicalize_name(match["name"])
            if name not in names:
                return None
        return self.place.read(text)


def repeated_versions(name: str) -> tuple[RepeatedVersion, ...]:
    """Give the places that a project of that name may have."""
    module = _own_module(name)
    return (*_PLACES, module)


def _place(name: str, paths: Collection[str], pattern: str, owner: str = "") -> RepeatedVersion:
    place = VersionPlace(
        name=name,
        paths=tuple(paths),
        pattern=pattern,
    )
    return RepeatedVersion(place, owner)


def _table(table: str, key: str, *paths: str) -> RepeatedVersion:
    pattern = table_pattern(table, key)
    name = f"{table}.{key}"
    return _place(name, paths, pattern)


def _section(section: str, key: str, *paths: str) -> RepeatedVersion:
    """Give a key in a section of an INI file."""
    pattern = section_pattern(section, key)
    name = f"{section}.{key}"
    return _place(name, paths, pattern)


def _own_module(name: str) -> RepeatedVersion:
    """Give the version in a project that is a single module, or a package without `__init__.py`."""
    module = re.sub("[-.]+", "_", name)
    paths: list[str] = []
    for folder in ("", "src/"):
        paths.append(f"{folder}{module}.py")
        for file in _VERSION_MODULES:
            paths.append(f"{folder}{module}/{file}.py")
    pattern = rf"(?m)^__version__[ \t]*{LITERAL}"
    return _place("__version__", paths, pattern)


_CHARTS = ("Chart.yaml", "chart/Chart.yaml", "charts/*/Chart.yaml", "helm/Chart.yaml")
_CHARTS_BELOW = ("helm/*/Chart.yaml", "deploy/*/Chart.yaml")
_SPHINX = ("docs/conf.py", "docs/source/conf.py", "doc/conf.py", "doc/source/conf.py")
_PLACES: tuple[RepeatedVersion, ...] = (
    _section("metadata", "version", "setup.cfg"),
    _place("version", ("setup.py",), SETUP_PATTERN),
    _place("version", ("CITATION.cff", "snapcraft.yaml", "snap/snapcraft.yaml"), _YAML_VERSION),
    _table("tool.commitizen", "version", PROJECT_FILE, ".cz.toml", "cz.toml"),
    _place("commitizen.version", (".cz.json", "cz.json"), _JSON_COMMITIZEN),
    _place("commitizen.version", (".cz.yaml", "cz.yaml"), _YAML_COMMITIZEN),
    _table("tool.bumpversion", "current_version", PROJECT_FILE, ".bumpversion.toml"),
    _section("bumpversion", "current_version", ".bumpversion.cfg", "setup.cfg"),
    _table("tool.bumpver", "current_version", PROJECT_FILE),
    _table("bumpver", "current_version", "bumpver.toml", ".bumpver.toml"),
    _section("bumpver", "current_version", "setup.cfg"),
    _table("tool.tbump.version", "current", PROJECT_FILE),
    _table("version", "current", "tbump.toml"),
    _table("workspace", "version", "pixi.toml"),
    _table("project", "version", "pixi.toml"),
    _place("version", ("codemeta.json", ".zenodo.json"), _JSON_TOP),
    _place("version", ("package.json", "package-lock.json"), _JSON_TOP, _JSON_NAME),
    _place('packages."".version', ("package-lock.json",), _JSON_ROOT, _JSON_NAME),
    _place("appVersion", (*_CHARTS, *_CHARTS_BELOW), rf"(?m)^appVersion{_YAML_VALUE}", _YAML_NAME),
    _place("version", (*_CHARTS, *_CHARTS_BELOW), _YAML_VERSION, _YAML_NAME),
    _place("project.version", ("meson.build",), MESON_PATTERN),
    _place("release", _SPHINX, rf"(?m)^release[ \t]*{LITERAL}"),
    _place("version", _SPHINX, rf"(?m)^version[ \t]*{LITERAL}"),
    _place("the file", ("VERSION", "VERSION.txt", "version.txt"), WHOLE_FILE),
    _place(
        "sonar.projectVersion",
        ("sonar-project.properties",),
        rf"(?m)^sonar\.projectVersion{INI_VALUE}",
    ),
)
