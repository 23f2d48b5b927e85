"""Where the machine gets Debian's packages from, read from its own apt sources; and what to say where it is no Debian.

Only entries of Debian's archive count. The machine may have sources of others that look alike (many vendors call their
path ``…/debian``): what tells them apart is the key, the component and the suite, never the address.
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
    "debian": "run `task engine` as root, or, from Debian 13 on, apt-get install docker.io docker-buildx cosign",
    "ubuntu": f"apt-get install docker.io docker-buildx, and install {_COSIGN}",
    "fedora": f"dnf install moby-engine docker-buildx, and install {_COSIGN}",
    "arch": "pacman -S docker docker-buildx cosign",
    "alpine": "apk add docker docker-cli-buildx cosign",
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where packages come from: a mirror of the archive, a suite, and the key that its index is signed with."""

    mirror: str
    suite: str
    keyring: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One address of apt's sources. ``signer`` is the key file that it names, empty when it names none."""

    address: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signer: str
    trusted: bool = False
    """Its signatures are not checked: nothing that Debian's own archive needs."""


def find_mirror(texts: Iterable[str], root: Path = Path("/")) -> str:
    """The mirror of Debian's main archive in apt's sources, of either format; empty when there is none.

    An entry that names Debian's keyring comes before one that names no key and only looks like the archive.
    """
    entries = [entry for text in texts for entry in read_entries(text) if _is_archive(entry)]
    for entry in sorted(entries, key=lambda one: not one.signer):
        address = _resolve(entry.address, root).rstrip("/")
        if address and (entry.signer or re.search(r"/debian$", address)):
            return address
    return ""


def read_entries(text: str) -> Iterator[Entry]:
    """The enabled ``deb`` entries of a file of apt's sources, in one-line or deb822 format (``sources.list(5)``)."""
    for line in text.splitlines():
        if found := re.match(r"\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)((?:\s+[^\s#]+)*)", line):
            options = dict(
                option.lower().partition("=")[::2] for option in (found[1] or "").split()
            )
            yield Entry(
                found[2],
                (found[3],),
                tuple(found[4].split()),
                options.get("signed-by", ""),
                options.get("trusted") == "yes",
            )
    for stanza in re.split(r"\n\s*\n", re.sub(r"^#.*\n?", "", text, flags=re.MULTILINE)):
        # A value goes on in lines that begin with a blank.
        pairs = re.findall(
            r"^([A-Za-z][\w-]*):[ \t]*(.*(?:\n[ \t]+.*)*)", stanza, flags=re.MULTILINE
        )
        fields = {name.lower(): value.strip() for name, value in pairs}
        if "deb" in fields.get("types", "").split() and fields.get(
            "enabled", "yes"
        ).lower() not in {"no", "false"}:
            for address in fields.get("uris", "").split():
                yield Entry(
                    address,
                    tuple(fields.get("suites", "").split()),
                    tuple(fields.get("components", "").split()),
                    fields.get("signed-by", ""),
                    fields.get("trusted", "").lower() == "yes",
                )


def _is_archive(entry: Entry) -> bool:
    signed = not entry.signer or (_KEY in entry.signer and "-----BEGIN" not in entry.signer)
    # Security and update suites have a dash; the archive that carries all releases has a plain one.
    plain = any(re.fullmatch(r"[a-z]+", suite) for suite in entry.suites)
    return (
        signed
        and plain
        and not entry.trusted
        and "main" in entry.components
        and "security" not in entry.address
    )


def _resolve(address: str, root: Path) -> str:
    """The address itself; for a list of mirrors, which Debian's cloud images use, the first one in it."""
    found = re.fullmatch(r"mirror\+file:/*(/.+)", address)
    if not found:
        return address
    file = root / found[1].lstrip("/")
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return next(
        (line.split()[0] for line in lines if line.strip() and not line.startswith("#")), ""
    )


def machine_source(root: Path, suite: str) -> Source:
    """The machine's mirror for ``suite``; raises ``ToolMissing`` where the machine is no Debian with its keyring."""
    folder = root / "etc/apt"
    files = [
        folder / "sources.list",
        *sorted(folder.glob("sources.list.d/*.sources")),
        *sorted(folder.glob("sources.list.d/*.list")),
    ]
    mirror = find_mirror(
        [file.read_text(encoding="utf-8") for file in files if file.is_file()], root
    )
    keyring = next((str(root / key) for key in KEYRINGS if (root / key).is_file()), "")
    if not mirror or not keyring:
        raise ToolMissing(
            f"no {'mirror' if not mirror else 'keyring'} of Debian's archive on this machine, "
            "so no engine can be set up from its packages",
            hint=what_to_install(root),
        )
    return Source(mirror, suite, keyring)


def machine_suite(root: Path) -> str:
    """The machine's own release, such as ``bookworm``."""
    return _release(root).get("VERSION_CODENAME", "stable")


def what_to_install(root: Path, platform: str = sys.platform) -> str:
    """The commands that bring Docker with buildx, and cosign, to this system."""
    release = _release(root)
    names = [platform, release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    commands = next((_INSTALL[name] for name in names if name in _INSTALL), "")
    return (
        commands
        or f"install Docker Engine with buildx (docs.docker.com/engine/install) and {_COSIGN}"
    )


def _release(root: Path) -> dict[str, str]:
    file = root / "etc/os-release"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    return {
        name: value.strip("\"'")
        for name, value in re.findall(r"^([A-Z_]+)=(.*)$", text, flags=re.MULTILINE)
    }
