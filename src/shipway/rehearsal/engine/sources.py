"""Read from apt's sources where this machine gets Debian's packages; say what to do on others.

Only entries of Debian's archive count. The machine may have sources of others that look alike (many
vendors call their path ``…/debian``): what tells them apart is the key, the component and the
suite, never the address.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from shipway.errors import ToolMissing

KEYRINGS = (
    "usr/share/keyrings/debian-archive-keyring.gpg",
    "usr/share/keyrings/debian-archive-keyring.pgp",
)
_KEY = "debian-archive-"
_COSIGN = "cosign (docs.sigstore.dev/cosign/system_config/installation)"
_INSTALL = {
    "darwin": "brew install --cask docker && brew install cosign",
    "debian": "run `task engine` as root, or, from Debian 13 on, "
    "apt-get install docker.io docker-buildx cosign",
    "ubuntu": f"apt-get install docker.io docker-buildx, and install {_COSIGN}",
    "fedora": f"dnf install moby-engine docker-buildx, and install {_COSIGN}",
    "arch": "pacman -S docker docker-buildx cosign",
    "alpine": "apk add docker docker-cli-buildx cosign",
}


@dataclass(frozen=True, slots=True)
class Source:
    """Say where packages come from: a mirror, a suite, and the key that signs its index."""

    mirror: str
    suite: str
    keyring: str


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """Hold one address of apt's sources; ``signer`` is the key file that it names, or empty."""

    address: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signer: str
    trusted: bool = False
    """Its signatures are not checked: nothing that Debian's own archive needs."""


_LINE = re.compile(r"\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)((?:\s+[^\s#]+)*)")
"""An entry of the one-line format: options, address, suite, components."""
_PLAIN = re.compile(r"[a-z]+")
_COMMENT = re.compile(r"^#.*\n?", re.MULTILINE)
_FIELD = re.compile(r"^([A-Za-z][\w-]*):[ \t]*(.*(?:\n[ \t]+.*)*)", re.MULTILINE)
"""A field of the deb822 format, whose value goes on in lines that begin with a blank."""


def find_mirror(texts: Iterable[str], root: Path = Path("/")) -> str | None:
    """Find the mirror of Debian's main archive in apt's sources, of either format.

    An entry that names Debian's keyring comes before one that names no key and only looks like the
    archive.
    """
    entries: list[SourceEntry] = []
    for text in texts:
        entries += [entry for entry in read_entries(text) if _is_archive(entry)]
    for entry in sorted(entries, key=lambda entry: not entry.signer):
        address = _resolve(entry.address, root).rstrip("/")
        looks_right = entry.signer or address.endswith("/debian")
        if address and looks_right:
            return address
    return None


def read_entries(text: str) -> Iterator[SourceEntry]:
    """Read the enabled ``deb`` entries of a file of apt's sources, in either of its formats.

    Source: ``sources.list(5)``.
    """
    for line in text.splitlines():
        match = _LINE.match(line)
        if match:
            yield _read_line(match)
    for stanza in re.split(r"\n\s*\n", _COMMENT.sub("", text)):
        yield from _read_stanza(stanza)


def _read_line(match: re.Match[str]) -> SourceEntry:
    options: dict[str, str] = {}
    for option in (match[1] or "").split():
        name, _, setting = option.lower().partition("=")
        options[name] = setting
    return SourceEntry(
        address=match[2],
        suites=(match[3],),
        components=tuple(match[4].split()),
        signer=options.get("signed-by", ""),
        trusted=options.get("trusted") == "yes",
    )


def _read_stanza(stanza: str) -> Iterator[SourceEntry]:
    fields: dict[str, str] = {}
    for name, content in _FIELD.findall(stanza):
        fields[name.lower()] = content.strip()
    types = fields.get("types", "")
    enabled = fields.get("enabled", "yes")
    if "deb" not in types.split() or enabled.lower() in {"no", "false"}:
        return
    suites = fields.get("suites", "")
    components = fields.get("components", "")
    trusted = fields.get("trusted", "")
    addresses = fields.get("uris", "")
    for address in addresses.split():
        yield SourceEntry(
            address=address,
            suites=tuple(suites.split()),
            components=tuple(components.split()),
            signer=fields.get("signed-by", ""),
            trusted=trusted.lower() == "yes",
        )


def _is_archive(entry: SourceEntry) -> bool:
    if entry.trusted or "main" not in entry.components or "security" in entry.address:
        return False
    if entry.signer and not _is_debians_key(entry.signer):
        return False
    # Security and update suites have a dash; the archive that has all releases has a plain one.
    return any(_PLAIN.fullmatch(suite) for suite in entry.suites)


def _is_debians_key(signer: str) -> bool:
    """Say whether the key is a file of Debian's, and not a key that is written out in place."""
    return _KEY in signer and "-----BEGIN" not in signer


def _resolve(address: str, root: Path) -> str:
    """Give the address itself, or the first one in a list of mirrors (Debian's cloud images)."""
    match = re.fullmatch(r"mirror\+file:/*(/.+)", address)
    if not match:
        return address
    file = root / match[1].lstrip("/")
    for line in _read_text(file).splitlines():
        if line.strip() and not line.startswith("#"):
            return line.split()[0]
    return ""


def _read_text(file: Path) -> str:
    """Read a file; empty where it is not there."""
    if not file.is_file():
        return ""
    return file.read_text(encoding="utf-8")


def machine_source(root: Path, suite: str) -> Source:
    """Give the machine's mirror for ``suite``.

    Raises ``ToolMissing`` where the machine is no Debian with its keyring.
    """
    folder = root / "etc/apt"
    files = [
        folder / "sources.list",
        *sorted(folder.glob("sources.list.d/*.sources")),
        *sorted(folder.glob("sources.list.d/*.list")),
    ]
    mirror = find_mirror([_read_text(file) for file in files], root)
    if mirror is None:
        raise _no_archive("mirror", root)
    for name in KEYRINGS:
        keyring = root / name
        if keyring.is_file():
            return Source(mirror, suite, str(keyring))
    raise _no_archive("keyring", root)


def _no_archive(part: str, root: Path) -> ToolMissing:
    return ToolMissing(
        f"no {part} of Debian's archive on this machine, "
        "so no engine can be set up from its packages",
        hint=what_to_install(root),
    )


def machine_suite(root: Path) -> str:
    """Name the machine's own release, such as ``bookworm``."""
    return _read_release(root).get("VERSION_CODENAME", "stable")


def what_to_install(root: Path, platform: str = sys.platform) -> str:
    """Give the commands that bring Docker with buildx, and cosign, to this system."""
    release = _read_release(root)
    relatives = release.get("ID_LIKE", "")
    systems = [platform, release.get("ID", ""), *relatives.split()]
    for system in systems:
        if system in _INSTALL:
            return _INSTALL[system]
    return f"install Docker Engine with buildx (docs.docker.com/engine/install) and {_COSIGN}"


def _read_release(root: Path) -> dict[str, str]:
    """Read what the system says of itself (``os-release(5)``)."""
    text = _read_text(root / "etc/os-release")
    release: dict[str, str] = {}
    for line in text.splitlines():
        match = re.fullmatch(r"([A-Z_]+)=(.*)", line)
        if match:
            release[match[1]] = match[2].strip("\"'")
    return release
