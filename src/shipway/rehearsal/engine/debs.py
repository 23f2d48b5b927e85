"""Debian packages, fetched through a private apt state and unpacked into a folder: nothing is installed.

apt checks what it fetches against the archive's keyring, as it does for the system.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from shipway.effects.processes import Runner
from shipway.model.actions import Command, Effect
from shipway.rehearsal.engine.sources import Source


@dataclass(frozen=True, slots=True)
class Archive:
    """A private apt state in ``folder``, for one source and one architecture.

    ``status`` is the list of packages that count as installed: the machine's own for tools that run here, an empty
    one for a root file system.
    """

    folder: Path
    source: Source
    architecture: str
    runner: Runner
    status: Path | None = None

    def fetch(self, packages: Iterable[str], *, closure: bool) -> list[Path]:
        """Download packages, with all that they need when ``closure`` is wanted; gives the files."""
        archives = self._prepare()
        self._apt("update", "--quiet=2")
        if closure:
            self._apt(
                "install",
                "--yes",
                "--quiet=2",
                "--no-install-recommends",
                "--download-only",
                *packages,
            )
        else:
            self._apt("download", "--quiet=2", *packages, folder=archives)
        return sorted(archives.glob("*.deb"))

    def _prepare(self) -> Path:
        archives = self.folder / "cache/archives"
        for folder in (archives / "partial", self.folder / "lists/partial"):
            folder.mkdir(parents=True, exist_ok=True)
        status = self.folder / "status"
        if self.status is None:
            status.write_text("", encoding="utf-8")
        else:
            shutil.copy(self.status, status)
        (self.folder / "sources.list").write_text(
            f"deb [signed-by={self.source.keyring}] {self.source.mirror} {self.source.suite} main\n",
            encoding="utf-8",
        )
        (self.folder / "apt.conf").write_text(self._render_config(), encoding="utf-8")
        return archives

    def _render_config(self) -> str:
        settings = {
            "Dir::State": self.folder,
            "Dir::State::lists": self.folder / "lists",
            "Dir::State::status": self.folder / "status",
            "Dir::Cache": self.folder / "cache",
            "Dir::Etc::sourcelist": self.folder / "sources.list",
            "Dir::Etc::sourceparts": "-",
            "Dir::Etc::preferencesparts": "-",
            "APT::Architecture": self.architecture,
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "APT::Sandbox::User": "root",
        }
        lines = [f'{name} "{value}";' for name, value in settings.items()]
        # The machine's hooks may keep nothing or run anything; this state has none.
        lines += [
            f'APT::Architectures {{"{self.architecture}";}};',
            "#clear APT::Update::Post-Invoke-Success;",
            "#clear DPkg::Post-Invoke;",
            "#clear APT::Keep-Downloaded-Packages;",
        ]
        return "\n".join([*lines, 'APT::Keep-Downloaded-Packages "true";', ""])

    def _apt(self, *words: str, folder: Path | None = None) -> None:
        self.runner(
            Command(
                name="engine",
                why=f"apt-get {words[0]}",
                argv=("apt-get", *words),
                effect=Effect.LOCAL,
                env={
                    "APT_CONFIG": str(self.folder / "apt.conf"),
                    "DEBIAN_FRONTEND": "noninteractive",
                },
                folder=str(folder or ""),
            )
        )


def unpack(files: Iterable[Path], root: Path, runner: Runner) -> None:
    """Lay packages out below ``root``; none of their scripts is run."""
    root.mkdir(parents=True, exist_ok=True)
    for file in files:
        runner(
            Command(
                name="engine",
                why=f"unpack {file.name}",
                effect=Effect.LOCAL,
                argv=("dpkg-deb", "--extract", str(file), str(root)),
            )
        )


def describe(files: Iterable[Path], runner: Runner) -> str:
    """dpkg's status of packages that were unpacked, so that scanners and apt see what is there.

    Each stanza ends with an empty line, the last one too: whoever appends would join two packages otherwise.
    """
    stanzas = []
    for file in files:
        answer = runner(
            Command(
                name="engine",
                why=f"read {file.name}",
                effect=Effect.READ,
                argv=("dpkg-deb", "--field", str(file)),
            )
        )
        name, _, rest = answer.out.strip().partition("\n")
        stanzas.append(f"{name}\nStatus: install ok installed\n{rest}\n\n")
    return "".join(stanzas)


def is_root() -> bool:
    """Whether this process may start an engine."""
    return sys.platform != "win32" and os.geteuid() == 0
