"""Fetch Debian packages through a private apt state and unpack them: nothing is installed.

apt checks what it fetches against the archive's keyring, as it does for the system.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from shipway.effects.processes import Runner
from shipway.rehearsal.engine.sources import Source
from shipway.rehearsal.files import write_text
from shipway.tools import debian


@dataclass(frozen=True, slots=True)
class Archive:
    """Keep a private apt state in ``folder``, for one source and one architecture.

    ``status`` is the list of packages that count as installed: the machine's own for tools that run
    here, an empty one (``None``) for a root file system.
    """

    folder: Path
    source: Source
    architecture: str
    runner: Runner
    status: Path | None = None

    def fetch(self, packages: Iterable[str], *, closure: bool) -> list[Path]:
        """Download packages, with all that they need when ``closure`` is wanted.

        Gives the files. Raises ``StepFailed`` where apt fails.
        """
        archives = self._prepare()
        config = self.folder / "apt.conf"
        self.runner(debian.update_lists(config))
        if closure:
            self.runner(debian.download_closure(config, packages))
        else:
            self.runner(debian.download_packages(config, packages, archives))
        return sorted(archives.glob("*.deb"))

    def _prepare(self) -> Path:
        archives = self.folder / "cache/archives"
        lists = self.folder / "lists"
        for folder in (archives, lists):
            (folder / "partial").mkdir(parents=True, exist_ok=True)
        self._write_status()
        write_text(self.folder / "sources.list", self._render_source())
        write_text(self.folder / "apt.conf", self._render_config())
        return archives

    def _write_status(self) -> None:
        status = self.folder / "status"
        if self.status is None:
            write_text(status, "")
        else:
            shutil.copy(self.status, status)

    def _render_source(self) -> str:
        source = self.source
        options = f"[signed-by={source.keyring}]"
        return f"deb {options} {source.mirror} {source.suite} main\n"

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
        lines = [
            *(f'{name} "{setting}";' for name, setting in settings.items()),
            f'APT::Architectures {{"{self.architecture}";}};',
            # The machine's hooks may keep nothing or run anything; this state has none.
            "#clear APT::Update::Post-Invoke-Success;",
            "#clear DPkg::Post-Invoke;",
            "#clear APT::Keep-Downloaded-Packages;",
            'APT::Keep-Downloaded-Packages "true";',
        ]
        return "".join(f"{line}\n" for line in lines)


def unpack(files: Iterable[Path], root: Path, runner: Runner) -> None:
    """Lay packages out below ``root``; none of their scripts is run."""
    root.mkdir(parents=True, exist_ok=True)
    for file in files:
        runner(debian.extract_package(file, root))


def describe_packages(files: Iterable[Path], runner: Runner) -> str:
    """Write dpkg's status of unpacked packages, by which scanners and apt see what is there.

    Each stanza ends with an empty line, the last one too: a stanza that is appended later would
    join its package to the last one otherwise. Source: ``deb-control(5)``.
    """
    stanzas = []
    for file in files:
        answer = runner(debian.read_control(file))
        name, _, rest = answer.out.strip().partition("\n")
        stanzas.append(f"{name}\nStatus: install ok installed\n{rest}\n\n")
    return "".join(stanzas)
