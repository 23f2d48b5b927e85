"""The version of a release is written into the files that state it, and proved to stand there."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from shipway.errors import ContextError, SettingsError
from shipway.model.version import Version, comparable, parse_version, read_version
from shipway.run.project_files import ProjectFiles, read_source, write_source
from shipway.run.repeated_stamps import RepeatedStamps
from shipway.settings.problems import parse_toml
from shipway.target.locked_version import LOCK_FILE, set_locked_version
from shipway.target.version_pattern import PROJECT_FILE, VersionPlace, inner_table
from shipway.target.backend_places import SETUP_PLACES, takes_setup
from shipway.target.version_places import Origin, VersionStatement, find_statement

_CONSTANT = re.compile(r"(?m)^__version__[^=\n]*=[ \t]*['\"]v?(?P<version>[^'\"\n]+)['\"]")
_OTHERS_FOLDERS = frozenset(
    ("_vendor", "_vendored", "vendor", "vendored", "third_party", "tests", "test")
)
"""Hold what is not the project's own, or not its own version."""
_STAMP_ADVICE = (
    "let these files take the version from the installed package "
    "(`importlib.metadata.version(…)`), or from a file that is stamped"
)
_TAG_ONLY_ADVICE = (
    "`tag-only` stamps nothing: take it out of [tool.shipway.release]; or let the version come "
    'from the tag (`dynamic = ["version"]` with setuptools-scm, hatch-vcs or the like)'
)
_NO_PACKAGES = _OTHERS_FOLDERS | {"benchmarks", "build", "doc", "docs", "examples", "scripts"}


@dataclass(frozen=True, slots=True)
class VersionFiles:
    """Holds the files of a project in a clone that may state its version."""

    files: ProjectFiles
    document: Mapping[str, object]
    """Holds the ``pyproject.toml`` of the commit."""
    statement: VersionStatement

    @property
    def _name(self) -> str:
        project = inner_table(self.document, "project")
        poetry = inner_table(self.document, "tool", "poetry")
        name = project.get("name") or poetry.get("name")
        return str(name or "")

    @property
    def _repeated(self) -> RepeatedStamps:
        return RepeatedStamps(self.files, self._name)

    def read_stated(self) -> dict[str, str]:
        """Give the version that each place states, by the place's name for people."""
        stated: dict[str, str] = {}
        for place in self.statement.places:
            file = self._find_file(place)
            if file is None:
                continue
            text = read_source(file)
            version = place.read(text)
            if version is not None:
                path = self.files.show(file)
                stated[f"{path} ({place.name})"] = version
        return stated

    def stamp(self, version: Version, before: Collection[str]) -> None:
        """Write the version wherever the project states its own.

        ``before`` are the versions that it stated until now; a module of the project's package that
        says one of them in ``__version__`` is stamped as well, and so are files of other tools.
        """
        for place in self.statement.places:
            file = self._find_file(place)
            if file:
                self._stamp_place(place, file, version)
        for file, text, match in self._constants(before):
            packages = self._packages()
            if file.parent in packages:
                _stamp_constant(file, text, match, version)
        self._repeated.stamp(version, before)
        self._stamp_locks(version)

    def tell_unstamped(self, before: Collection[str], warn: Callable[[str], None]) -> None:
        """Say which files go on saying an older version, as with ``tag-only`` they do."""
        unstamped = self._repeated.list_left(before)
        if unstamped:
            names = ", ".join(unstamped)
            warn(f"warning: {names}, and stays so: `tag-only` stamps nothing")

    def _stamp_place(self, place: VersionPlace, file: Path, version: Version) -> None:
        text = read_source(file)
        stated = place.read(text)
        if stated is None or _is_same(stated, version):
            return
        stamped = place.write(text, str(version))
        write_source(file, stamped)

    def _stamp_locks(self, version: Version) -> None:
        """Set the project's own version in uv's lock, which may be one of a whole workspace."""
        name = self._name
        number = str(comparable(version))
        folder = self.files.folder
        while folder.is_relative_to(self.files.top):
            file = folder / LOCK_FILE
            if self.files.is_inside(file):
                text = read_source(file)
                path = self.files.folder.relative_to(folder)
                locked = set_locked_version(text, name, path.as_posix(), number)
                if locked != text:
                    write_source(file, locked)
            folder = folder.parent

    def require_stampable(self) -> None:
        """Make sure that the version can be written where it stands; raises ``SettingsError``."""
        for place in self.statement.places:
            file = self._find_file(place)
            if file is None:
                paths = ", ".join(place.paths)
                raise SettingsError(
                    f"the version stands in {place.name}, and there is no file for it: {paths}",
                    hint="commit the file, or correct where pyproject.toml says that it is",
                )
            text = read_source(file)
            if place.read(text) is None:
                path = self.files.show(file)
                raise SettingsError(
                    f"{path} does not state the version as text ({place.name}), so "
                    "that a release could stamp it",
                    hint='write it as `__version__ = "1.2.3"`, or as `version` of [project]',
                )

    def require_version(self, version: Version, before: Collection[str], *, tag_only: bool) -> None:
        """Make sure that nothing says another version; raises ``SettingsError``.

        With ``tag_only`` nothing is stamped, and a file may say that it does not know the version.
        """
        wrong: set[str] = set()
        for place, text in self.read_stated().items():
            if tag_only and is_placeholder(text):
                continue
            if not _is_same(text, version):
                wrong.add(f"{place} says {text}")
        for file, _, match in self._constants(before):
            stated = match["version"]
            if not _is_same(stated, version):
                path = self.files.show(file)
                wrong.add(f"{path} (__version__) says {stated}")
        if not wrong:
            return
        listed = ", ".join(sorted(wrong))
        hint = _STAMP_ADVICE
        if tag_only:
            hint = _TAG_ONLY_ADVICE
        message = f"the release would be {version}, but {listed}"
        raise SettingsError(message, hint=hint)

    def _constants(self, before: Collection[str]) -> Iterator[tuple[Path, str, re.Match[str]]]:
        """Find the modules of the project's packages whose ``__version__`` is one of ``before``."""
        for package in self._packages():
            for file in sorted(package.rglob("*.py")):
                path = file.relative_to(package)
                inner_folders = path.parts[:-1]
                if _OTHERS_FOLDERS.intersection(inner_folders):
                    continue
                if not self.files.is_inside(file):
                    continue
                text = read_source(file)
                match = _CONSTANT.search(text)
                if match and match["version"] in before:
                    yield file, text, match

    def _packages(self) -> list[Path]:
        """Find the folders of the project's packages, the outermost ones."""
        packages: list[Path] = []
        outer_files = self.files.folder.glob("*/__init__.py")
        for file in sorted(outer_files):
            if file.parent.name not in _NO_PACKAGES:
                packages.append(file.parent)
        source = self.files.folder / "src"
        nested_files = source.rglob("__init__.py")
        for file in sorted(nested_files, key=_depth):
            if not any(file.is_relative_to(package) for package in packages):
                packages.append(file.parent)
        return packages

    def _find_file(self, place: VersionPlace) -> Path | None:
        """Give the first of a place's files that is there."""
        for path in place.paths:
            file = self.files.folder / path
            if self.files.is_inside(file):
                return file
        return None


def open_version_files(folder: Path, top: Path) -> VersionFiles:
    """Read where a project states its version; raises ``ShipwayError``."""
    document = read_project_file(folder)
    files = ProjectFiles(folder, top)
    statement = find_statement(document)
    if statement.origin is Origin.UNKNOWN and takes_setup(document):
        statement = _find_setup(files)
    return VersionFiles(files, document, statement)


def _find_setup(files: ProjectFiles) -> VersionStatement:
    """Find the version in the files that setuptools had before there was a ``pyproject.toml``."""
    for place in SETUP_PLACES:
        file = files.folder / place.paths[0]
        if files.is_inside(file) and place.read(read_source(file)):
            return VersionStatement(Origin.FILE, (place,))
    return VersionStatement(Origin.UNKNOWN)


def read_project_file(folder: Path) -> dict[str, object]:
    """Read the ``pyproject.toml`` of a commit; raises ``ShipwayError``."""
    path = folder / PROJECT_FILE
    if not path.is_file():
        raise ContextError(
            f"the commit has no {PROJECT_FILE} in this folder",
            hint="commit the file, then run the same command again",
        )
    content = read_source(path)
    return parse_toml(content, PROJECT_FILE)


def require_known_origin(files: VersionFiles, *, tag_only: bool) -> None:
    """Make sure that a release can have its version in what is built; raises ``SettingsError``."""
    if tag_only:
        return
    origin = files.statement.origin
    if origin is Origin.TAG:
        raise SettingsError(
            "the version comes from git's tag, so a release commit has nothing to stamp",
            hint="set `tag-only = true` in [tool.shipway.release]",
        )
    if origin is Origin.UNKNOWN:
        raise SettingsError(
            "project.version is dynamic, and nothing in pyproject.toml says where it stands",
            hint="write `version` in [project]; or, where it comes from git's tag, set "
            "`tag-only = true` in [tool.shipway.release]",
        )
    files.require_stampable()


def is_placeholder(text: str) -> bool:
    """Tell whether a version is all zeros, which says that the file does not know it."""
    version = read_version(text)
    if version is None:
        return False
    return not any(version.release)


def _is_same(text: str, version: Version) -> bool:
    """Tell whether a text says that version, as semantic versions or as PEP 440 write it."""
    semantic = parse_version(text)
    if semantic is not None:
        return semantic == version
    return read_version(text) == comparable(version)


def _stamp_constant(file: Path, text: str, match: re.Match[str], version: Version) -> None:
    """Write the version where a module says it in ``__version__``."""
    start, end = match.span("version")
    text_before = text[:start]
    text_after = text[end:]
    write_source(file, f"{text_before}{version}{text_after}")


def _depth(file: Path) -> int:
    """Count the folders that a file lies in."""
    return len(file.parts)
