"""This module writes how Debian's programs are asked for packages, bridges and mounts. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from shipway.model.actions import Command, Effect


def ask_architecture() -> Command:
    """Ask for the machine's architecture, in Debian's own word (``amd64``)."""
    return _engine(
        "ask for the architecture",
        "dpkg",
        "--print-architecture",
        effect=Effect.READ,
    )


def update_lists(config: Path) -> Command:
    """Fetch the lists of packages; ``config`` is a file of apt's settings."""
    return _apt_get(config, "update", "--quiet=2")


def download_packages(config: Path, packages: Iterable[str], folder: Path) -> Command:
    """Download packages alone, into ``folder``."""
    command = _apt_get(config, "download", "--quiet=2", *packages)
    return replace(command, folder=str(folder))


def download_closure(config: Path, packages: Iterable[str]) -> Command:
    """Download packages with all that they need, into apt's cache."""
    options = ("--yes", "--quiet=2", "--no-install-recommends", "--download-only")
    return _apt_get(config, "install", *options, *packages)


def extract_package(file: Path, root: Path) -> Command:
    """Lay a package out below ``root``; none of its scripts is run."""
    why = f"unpack {file.name}"
    return _engine(why, "dpkg-deb", "--extract", str(file), str(root))


def read_control(file: Path) -> Command:
    """Read what a package says of itself (``deb-control(5)``)."""
    why = f"read {file.name}"
    return _engine(why, "dpkg-deb", "--field", str(file), effect=Effect.READ)


def add_bridge(name: str) -> Command:
    """Make a network bridge; exit status 2 says that it is there already."""
    return _ip("link", "add", name, "type", "bridge", expected=(0, 2))


def assign_address(name: str, address: str) -> Command:
    """Give a network interface an address, such as ``172.29.1.1/24``."""
    return _ip("address", "replace", address, "dev", name)


def bring_up(name: str) -> Command:
    """Let a network interface carry packets."""
    return _ip("link", "set", name, "up")


def delete_bridge(name: str) -> Command:
    """Take a network bridge away; exit status 1 says that it is not there."""
    return _ip("link", "delete", name, expected=(0, 1))


def unmount(place: str) -> Command:
    """Unmount what is mounted at ``place``, at once or when nothing uses it any more.

    Exit status 1 says that this user may not, 32 that nothing is mounted there (``umount(8)``).
    """
    why = f"unmount {place}"
    return _engine(why, "umount", "--lazy", place, expected=(0, 1, 32))


def _apt_get(config: Path, *words: str) -> Command:
    environment = {
        "APT_CONFIG": str(config),
        "DEBIAN_FRONTEND": "noninteractive",
    }
    verb = words[0]
    command = _engine(f"apt-get {verb}", "apt-get", *words)
    return replace(command, env=environment)


def _ip(*words: str, expected: tuple[int, ...] = (0,)) -> Command:
    subject, verb, *_ = words
    why = f"ip {subject} {verb}"
    return _engine(why, "ip", *words, expected=expected)


def _engine(
    why: str, *argv: str, effect: Effect = Effect.LOCAL, expected: tuple[int, ...] = (0,)
) -> Command:
    return Command(
        name="engine",
        why=why,
        argv=argv,
        effect=effect,
        expected=expected,
    )
