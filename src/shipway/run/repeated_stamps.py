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
        number = str(version)
        for place, file, text in self._find(before):
            stamped = place.write(text, number)
            write_source(file, stamped)

    def list_left(self, before: Collection[str]) -> list[str]:
        """Name the files that repeat one of the versions ``before``, and which one."""
        left: list[str] = []
        for place, file, text in self._find(before):
            path = self.files.show(file)
            stated = place.read(text)
            left.append(f"{path} ({place.name}) says {stated}")
        return sorted(left)

    def _find(self, before: Collection[str]) -> Iterator[tuple[VersionPlace, Path, str]]:
        own_name = canonicalize_name(self.name)
        names = {own_name}
        for repeated in repeated_versions(self.name):
            place = repeated.place
            for file in self._list_files(place):
                text = read_source(file)
                stated = repeated.read(text, names)
                if stated in before:
                    yield place, file, text

    def _list_files(self, place: VersionPlace) -> Iterator[Path]:
        folder = self.files.folder
        for path in place.paths:
            matching = folder.glob(path)
            for file in sorted(matching):
                if self.files.is_inside(file):
                    yield file
