"""Lay out the folder of an engine: where its tools, settings, sockets, logs and images are."""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from pathlib import Path

from shipway.errors import ContextError

_LONGEST_SOCKET = 107
"""Bytes in the name of a socket (``unix(7)``)."""


@dataclass(frozen=True, slots=True)
class Home:
    """Name everything that belongs to one engine, below one ``folder``."""

    folder: Path

    @property
    def tools(self) -> Path:
        """Name the root of the unpacked packages of the suite."""
        return self.folder / "tools"

    @property
    def own(self) -> Path:
        """Name the root of the unpacked packages of the machine's own release."""
        return self.folder / "own"

    @property
    def links(self) -> Path:
        """Name the folder of programs under the names that the engine calls them by."""
        return self.folder / "bin"

    @property
    def run(self) -> Path:
        """Name the folder of sockets and process ids."""
        return self.folder / "run"

    @property
    def path(self) -> tuple[str, ...]:
        """Give the folders that go in front of PATH."""
        folders = (
            self.links,
            self.tools / "usr/bin",
            self.tools / "usr/sbin",
        )
        return tuple(str(folder) for folder in folders)

    @property
    def libraries(self) -> dict[str, str]:
        """Give the variables by which the programs in ``own`` find what they need.

        They are none where the machine has these programs itself.
        """
        variables = {}
        folders = [str(path) for path in sorted(self.own.glob("**/lib/*-linux-gnu"))]
        if folders:
            variables["LD_LIBRARY_PATH"] = ":".join(folders)
        plugins = sorted(self.own.glob("usr/lib/*/xtables"))
        if plugins:
            variables["XTABLES_LIBDIR"] = str(plugins[0])
        return variables

    @property
    def bridge(self) -> tuple[str, str]:
        """Give the name and the address of the engine's network bridge, made from its folder.

        Two engines that share a bridge take each other's network away. The name has at most 15
        letters (`IFNAMSIZ`).
        """
        number = zlib.crc32(str(self.folder).encode())
        name = f"shipway-{number % 0x1000000:06x}"
        subnet = number % 250 + 1
        return name, f"172.29.{subnet}.1/24"

    @property
    def client(self) -> dict[str, str]:
        """Give the variables by which Docker's client finds the engine and buildx."""
        socket = self.run / "docker.sock"
        return {
            "DOCKER_HOST": f"unix://{socket}",
            "DOCKER_CONFIG": str(self.folder / "client"),
        }

    @property
    def mirror_settings(self) -> Path:
        """Name the settings of the registry."""
        return self.folder / "mirror.json"

    @property
    def engine_settings(self) -> Path:
        """Name the settings of the engine."""
        return self.folder / "daemon.json"

    @property
    def record(self) -> Path:
        """Name the record of this engine.

        The one in use has a copy in the folder above, where other tasks look.
        """
        return self.folder / "engine.json"

    @property
    def commands(self) -> dict[str, tuple[str, ...]]:
        """Give the command lines of its services, by name, in the order in which they are ended."""
        dockerd = str(self.tools / "usr/sbin/dockerd")
        registry = str(self.tools / "usr/bin/docker-registry")
        return {
            "dockerd": (dockerd, "--config-file", str(self.engine_settings)),
            "mirror": (registry, "serve", str(self.mirror_settings)),
        }

    def log(self, name: str) -> Path:
        """Name the file that a service writes its output to."""
        return self.folder / "log" / f"{name}.log"


def check_length(home: Home) -> None:
    """Raise ``ContextError`` where a socket below the folder would have too long a name.

    The engine would only say "invalid argument".
    """
    longest = home.run / "exec/containerd/containerd.sock.ttrpc"
    if len(os.fsencode(longest)) > _LONGEST_SOCKET:
        raise ContextError(
            f"the engine's folder {home.folder} has too long a name for sockets",
            hint="set XDG_CACHE_HOME to a shorter folder",
        )
