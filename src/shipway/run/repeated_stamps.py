"""The version of a release is written where a project repeats the one before it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from shipway.model.version import Version
from shipway.run.project_files import ProjectFiles, read_source, write_source
from shipway.target.repeated_versions import repeated_versions
from shipway.target.version_pattern import VersionPlace


@dataclass(frozen=True, slots=True)
class RepeatedStamps:
    """Holds the files of a project, and the name that its files of other kinds go by."""

    files: ProjectFiles
    name: str

    def stamp(self, version: Version, before: Collection[str]) -> None:
        """Write the version wherever a file repeats one of those ``before``, word for word."""
        for place, file, text in self._find(before):
            stamped = place.write(text, str(version))
            write_source(file, stamped)

    def list_left(self, before: Collection[str]) -> list[str]:
        """Name the files that repeat one of the versions ``before``, and which one."""
        left: list[str] = []
        for place, file, text in self._find(before):
            path = self.files.show(file)
            left.append(f"{path} ({place.name}) says {place.read(text)}")
        return sorted(left)

    def _find(self, before: Collection[str]) -> Iterator[tuple[VersionPlace, Path, str]]:
        names = {canonicalize_name(self.name)}
        for repeated in repeated_versions(self.name):
            for file in self._list_files(repeated.place):
                text = read_source(file)
                if repeated.read(text, names) in before:
                    yield repeated.place, file, text

    def _list_files(self, place: VersionPlace) -> Iterator[Path]:
        for path in place.paths:
            for file in sorted(self.files.folder.glob(path)):
                if self.files.is_inside(file):
                    yield file
