"""Debian packages, fetched through a private apt state and unpacked into a folder: nothing is installed.

apt checks what it fetches against the archive's keyring, as it does for the system. The mirror is the machine's own,
read from its apt sources.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from shipway.errors import ToolMissing
from shipway.model import Command, Effect
from shipway.run.processes import Runner

KEYRINGS = ("usr/share/keyrings/debian-archive-keyring.gpg", "usr/share/keyrings/debian-archive-keyring.pgp")
_UBUNTU_HINT = "install Docker with buildx, and cosign, from their own packages"


@dataclass(frozen=True, slots=True)
class Source:
    """Where packages come from: a mirror of the archive, a suite, and the key that its index is signed with."""

    mirror: str
    suite: str
    keyring: str


def find_mirror(texts: Iterable[str]) -> str:
    """The mirror of Debian's main archive in apt's sources, of either format; empty when there is none.

    Security archives and third parties are passed over: they do not carry the suites that are asked for.
    """
    for text in texts:
        for address, suites in _read_sources(text):
            plain = [suite for suite in suites if re.fullmatch(r"[a-z]+", suite)]
            if plain and "security" not in address and re.search(r"/debian/?$", address):
                return address.rstrip("/")
    return ""


def _read_sources(text: str) -> Iterable[tuple[str, list[str]]]:
    for line in text.splitlines():
        found = re.match(r"deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s", line + " ")
        if found:
            yield found[1], [found[2]]
    for stanza in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^(\w[\w-]*):[ \t]*(.+)$", stanza, flags=re.MULTILINE))
        if "deb" in fields.get("Types", "").split() and fields.get("Enabled", "yes") != "no":
            for address in fields.get("URIs", "").split():
                yield address, fields.get("Suites", "").split()


def machine_source(root: Path, suite: str) -> Source:
    """The machine's mirror for ``suite``; raises ``ToolMissing`` where the machine is no Debian with its keyring."""
    folder = root / "etc/apt"
    files = [folder / "sources.list", *sorted(folder.glob("sources.list.d/*.sources")),
             *sorted(folder.glob("sources.list.d/*.list"))]
    mirror = find_mirror(file.read_text(encoding="utf-8") for file in files if file.is_file())
    keyring = next((str(root / key) for key in KEYRINGS if (root / key).is_file()), "")
    if not mirror or not keyring:
        raise ToolMissing(f"no {'mirror' if not mirror else 'keyring'} of Debian's archive on this machine",
                          hint=_UBUNTU_HINT)
    return Source(mirror, suite, keyring)


def machine_suite(root: Path) -> str:
    """The machine's own release, such as ``bookworm``."""
    text = (root / "etc/os-release").read_text(encoding="utf-8")
    found = re.search(r"^VERSION_CODENAME=(\S+)$", text, flags=re.MULTILINE)
    return found[1].strip('"') if found else "stable"


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
            self._apt("install", "--yes", "--quiet=2", "--no-install-recommends", "--download-only", *packages)
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
            f"deb [signed-by={self.source.keyring}] {self.source.mirror} {self.source.suite} main\n", encoding="utf-8")
        (self.folder / "apt.conf").write_text(self._render_config(), encoding="utf-8")
        return archives

    def _render_config(self) -> str:
        settings = {
            "Dir::State": self.folder, "Dir::State::lists": self.folder / "lists",
            "Dir::State::status": self.folder / "status", "Dir::Cache": self.folder / "cache",
            "Dir::Etc::sourcelist": self.folder / "sources.list", "Dir::Etc::sourceparts": "-",
            "Dir::Etc::preferencesparts": "-", "APT::Architecture": self.architecture, "Acquire::Languages": "none",
            "Acquire::Retries": "3", "APT::Sandbox::User": "root",
        }
        lines = [f'{name} "{value}";' for name, value in settings.items()]
        # The machine's hooks may keep nothing or run anything; this state has none.
        lines += [f'APT::Architectures {{"{self.architecture}";}};', "#clear APT::Update::Post-Invoke-Success;",
                  "#clear DPkg::Post-Invoke;", "#clear APT::Keep-Downloaded-Packages;"]
        return "\n".join([*lines, 'APT::Keep-Downloaded-Packages "true";', ""])

    def _apt(self, *words: str, folder: Path | None = None) -> None:
        self.runner(Command(name="engine", why=f"apt-get {words[0]}", argv=("apt-get", *words), effect=Effect.LOCAL,
                            env={"APT_CONFIG": str(self.folder / "apt.conf"), "DEBIAN_FRONTEND": "noninteractive"},
                            folder=str(folder or "")))


def unpack(files: Iterable[Path], root: Path, runner: Runner) -> None:
    """Lay packages out below ``root``; none of their scripts is run."""
    root.mkdir(parents=True, exist_ok=True)
    for file in files:
        runner(Command(name="engine", why=f"unpack {file.name}", effect=Effect.LOCAL,
                       argv=("dpkg-deb", "--extract", str(file), str(root))))


def describe(files: Iterable[Path], runner: Runner) -> str:
    """dpkg's status of packages that were unpacked, so that scanners and apt see what is there.

    Each stanza ends with an empty line, the last one too: whoever appends would join two packages otherwise.
    """
    stanzas = []
    for file in files:
        answer = runner(Command(name="engine", why=f"read {file.name}", effect=Effect.READ,
                                argv=("dpkg-deb", "--field", str(file))))
        name, _, rest = answer.out.strip().partition("\n")
        stanzas.append(f"{name}\nStatus: install ok installed\n{rest}\n\n")
    return "".join(stanzas)


def is_root() -> bool:
    """Whether this process may start an engine."""
    return os.geteuid() == 0
