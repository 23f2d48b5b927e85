"""Files of a project in a clone are read and written byte for byte, and none outside of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProjectFiles:
    """Holds the folder of a project in a clone."""

    folder: Path
    """Says where the project lies in the clone."""
    top: Path
    """Says where the clone lies: nothing outside of it is read or written."""

    def is_inside(self, file: Path) -> bool:
        """Tell whether it is a file of the clone: a link may lead out of it."""
        if not file.is_file():
            return False
        top = self.top.resolve()
        place = file.resolve()
        return place.is_relative_to(top)

    def show(self, file: Path) -> str:
        """Give the path of a file as people know it."""
        path = file.relative_to(self.top)
        return path.as_posix()


def read_source(file: Path) -> str:
    """Read a file with its line ends as they are; what is no UTF-8 states nothing."""
    with file.open(encoding="utf-8", errors="surrogateescape", newline="") as opened:
        return opened.read()


def write_source(file: Path, text: str) -> None:
    """Write a file as ``read_source`` read it."""
    with file.open("w", encoding="utf-8", errors="surrogateescape", newline="") as opened:
        opened.write(text)
