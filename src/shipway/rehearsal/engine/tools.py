"""Fetch the engine's tools from Debian's packages, into the engine's folder."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from shipway.effects.processes import Runner
from shipway.rehearsal.engine.debs import Archive, unpack
from shipway.rehearsal.engine.home import Home
from shipway.rehearsal.engine.sources import machine_source, machine_suite
from shipway.rehearsal.files import write_json, write_text
from shipway.tools import debian

PACKAGES = (
    "containerd",
    "cosign",
    "docker-buildx",
    "docker-cli",
    "docker-registry",
    "docker.io",
    "tini",
)
SUITES = ("trixie", "sid")
"""Debian's releases that have all the tools."""
_OWN = {"runc": "runc", "iptables": "iptables", "ip": "iproute2", "umount": "mount"}
"""Programs that have to fit the machine's own C library, and their packages of its own release."""
_IPTABLES = ("iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save")
"""Names that `xtables-nft-multi` answers to, each with another task."""


def fetch_tools(home: Home, suite: str, runner: Runner, root: Path = Path("/")) -> None:
    """Download and unpack the tools, once for each list of them.

    Raises ``ToolMissing`` where the machine has no packages of Debian's, ``StepFailed`` where a
    download fails.
    """
    done = home.folder / "tools.done"
    wanted = "\n".join(PACKAGES)
    if done.exists() and done.read_text(encoding="utf-8") == wanted:
        return
    for folder in (home.tools, home.own, home.links):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    archive = Archive(
        folder=home.folder / "apt/tools",
        source=machine_source(root, suite),
        architecture=runner(debian.ask_architecture()).out.strip(),
        runner=runner,
        status=root / "var/lib/dpkg/status",
    )
    unpack(archive.fetch(PACKAGES, closure=False), home.tools, runner)
    _fetch_own(home, archive, root)
    _link_programs(home)
    _point_client_at_plugins(home)
    shutil.rmtree(home.folder / "apt", ignore_errors=True)
    write_text(done, wanted)


def _fetch_own(home: Home, archive: Archive, root: Path) -> None:
    """Fetch the programs that the machine lacks, from its own release."""
    packages: list[str] = []
    for program, package in _OWN.items():
        if not shutil.which(program):
            packages.append(package)
    if not packages:
        return
    suite = machine_suite(root)
    source = replace(archive.source, suite=suite)
    folder = home.folder / "apt/own"
    own = replace(archive, folder=folder, source=source)
    fetched = own.fetch(packages, closure=True)
    unpack(fetched, home.own, archive.runner)


def _link_programs(home: Home) -> None:
    """Make the links that the packages' scripts would make (`update-alternatives`), and one more.

    A container that is to have a first process, such as the one of a builder of the
    ``docker-container`` driver, gets `docker-init`; Debian's Docker only recommends a package of it.
    """
    multi = home.own / "usr/sbin/xtables-nft-multi"
    if multi.exists():
        for name in _IPTABLES:
            (home.links / name).symlink_to(multi)
    init = home.tools / "usr/bin/tini-static"
    if init.exists():
        (home.links / "docker-init").symlink_to(init)
    for place in ("usr/sbin/runc", "usr/bin/ip", "bin/ip", "usr/bin/umount", "bin/umount"):
        program = home.own / place
        if program.exists():
            (home.links / program.name).symlink_to(program)


def _point_client_at_plugins(home: Home) -> None:
    """Write the configuration by which Docker's client finds buildx."""
    folders = sorted(home.tools.glob("usr/lib*/docker/cli-plugins"))
    settings = {"cliPluginsExtraDirs": [str(folder) for folder in folders]}
    write_json(home.folder / "client/config.json", settings)
