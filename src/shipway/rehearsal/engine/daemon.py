"""The Docker Engine in a folder of its own: its tools, its settings, its start."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shipway.effects.engine_record import Service
from shipway.effects.processes import Processes, Runner
from shipway.errors import ContextError
from shipway.model.actions import Command, Effect
from shipway.rehearsal.engine.debs import Archive, unpack
from shipway.rehearsal.engine.services import start, wait_for
from shipway.rehearsal.engine.sources import Source, machine_source, machine_suite

PACKAGES = ("containerd", "cosign", "docker-buildx", "docker-cli", "docker-registry", "docker.io")
_OWN = {"runc": "runc", "iptables": "iptables", "ip": "iproute2", "umount": "mount"}
"""Programs that have to fit the machine's own C library, and their packages of the machine's own release."""
SUITES = ("trixie", "sid")
"""Debian's releases that have all the tools."""
_PASSED_ON = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "LANG",
)


@dataclass(frozen=True, slots=True)
class Home:
    """Where everything of one engine lives."""

    folder: Path

    @property
    def tools(self) -> Path:
        """Root of the unpacked packages of the suite."""
        return self.folder / "tools"

    @property
    def own(self) -> Path:
        """Root of the unpacked packages of the machine's own release."""
        return self.folder / "own"

    @property
    def links(self) -> Path:
        """Programs under the names that the engine calls them by."""
        return self.folder / "bin"

    @property
    def run(self) -> Path:
        """Sockets and process ids."""
        return self.folder / "run"

    @property
    def path(self) -> tuple[str, ...]:
        """What goes in front of PATH."""
        return (str(self.links), str(self.tools / "usr/bin"), str(self.tools / "usr/sbin"))

    @property
    def libraries(self) -> dict[str, str]:
        """Variables by which the programs in ``own`` find what they need; none where the machine has them itself."""
        folders = [str(path) for path in sorted(self.own.glob("**/lib/*-linux-gnu"))]
        plugins = [str(path) for path in self.own.glob("usr/lib/*/xtables")]
        return ({"LD_LIBRARY_PATH": ":".join(folders)} if folders else {}) | (
            {"XTABLES_LIBDIR": plugins[0]} if plugins else {}
        )

    @property
    def bridge(self) -> tuple[str, str]:
        """Name and address of the engine's network bridge: its own, by its folder.

        Two engines that share a bridge take each other's network away. The name has at most 15 letters (`IFNAMSIZ`).
        """
        number = zlib.crc32(str(self.folder).encode())
        return f"shipway-{number % 0x1000000:06x}", f"172.29.{number % 250 + 1}.1/24"

    @property
    def client(self) -> dict[str, str]:
        """What Docker's client needs to find the engine and buildx."""
        return {
            "DOCKER_HOST": f"unix://{self.run / 'docker.sock'}",
            "DOCKER_CONFIG": str(self.folder / "client"),
        }

    @property
    def mirror_settings(self) -> Path:
        """The registry's settings."""
        return self.folder / "mirror.json"

    @property
    def engine_settings(self) -> Path:
        """The engine's settings."""
        return self.folder / "daemon.json"

    @property
    def record(self) -> Path:
        """What is known of this engine; the one in use has a copy in the folder above, where others look."""
        return self.folder / "engine.json"

    @property
    def commands(self) -> dict[str, tuple[str, ...]]:
        """The command lines of its services, by name, in the order in which they are ended."""
        return {
            "dockerd": (
                str(self.tools / "usr/sbin/dockerd"),
                "--config-file",
                str(self.engine_settings),
            ),
            "mirror": (
                str(self.tools / "usr/bin/docker-registry"),
                "serve",
                str(self.mirror_settings),
            ),
        }

    def log(self, name: str) -> Path:
        """Where a service writes."""
        return self.folder / "log" / f"{name}.log"


def fetch_tools(home: Home, suite: str, runner: Runner, root: Path = Path("/")) -> None:
    """Download and unpack the tools, once."""
    done = home.folder / "tools.done"
    if done.exists():
        return
    for folder in (home.tools, home.own, home.links):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    source, status = machine_source(root, suite), root / "var/lib/dpkg/status"
    architecture = runner(
        Command(
            name="engine",
            why="ask for the architecture",
            effect=Effect.READ,
            argv=("dpkg", "--print-architecture"),
        )
    ).out.strip()
    archive = Archive(home.folder / "apt/tools", source, architecture, runner, status)
    unpack(archive.fetch(PACKAGES, closure=False), home.tools, runner)
    _fetch_own(home, source, architecture, runner, root)
    _link(home)
    shutil.rmtree(home.folder / "apt", ignore_errors=True)
    done.touch()


def _fetch_own(home: Home, source: Source, architecture: str, runner: Runner, root: Path) -> None:
    lacking = [package for program, package in _OWN.items() if not shutil.which(program)]
    if lacking:
        own = Source(source.mirror, machine_suite(root), source.keyring)
        archive = Archive(
            home.folder / "apt/own", own, architecture, runner, root / "var/lib/dpkg/status"
        )
        unpack(archive.fetch(lacking, closure=True), home.own, runner)


def _link(home: Home) -> None:
    """The links that the packages' scripts would make (`update-alternatives`), and the client's way to buildx."""
    several = home.own / "usr/sbin/xtables-nft-multi"
    if several.exists():
        for name in (
            "iptables",
            "iptables-save",
            "iptables-restore",
            "ip6tables",
            "ip6tables-save",
        ):
            (home.links / name).symlink_to(several)
    for name in ("usr/sbin/runc", "usr/bin/ip", "bin/ip", "usr/bin/umount", "bin/umount"):
        if (home.own / name).exists():
            (home.links / Path(name).name).symlink_to(home.own / name)
    config = home.folder / "client/config.json"
    config.parent.mkdir(exist_ok=True)
    plugins = [str(folder) for folder in sorted(home.tools.glob("usr/lib*/docker/cli-plugins"))]
    config.write_text(json.dumps({"cliPluginsExtraDirs": plugins}), encoding="utf-8")


def render_settings(home: Home, mirror: int) -> str:
    """`daemon.json`: everything in folders of its own; the upstream mirror is asked before Docker Hub.

    ``mirror`` is its port, 0 where there is none: stand-ins must not take the place of images that can be had.
    """
    return json.dumps(
        {
            "features": {"containerd-snapshotter": True},
            "hosts": [home.client["DOCKER_HOST"]],
            "data-root": str(home.folder / "data"),
            "exec-root": str(home.run / "exec"),
            "pidfile": str(home.run / "docker.pid"),
            "bridge": home.bridge[0],
            "registry-mirrors": [f"http://127.0.0.1:{mirror}"] if mirror else [],
        },
        indent=2,
    )


def start_engine(home: Home, mirror: int, environment: Mapping[str, str]) -> Service:
    """Start the engine and wait until it answers."""
    check_length(home)
    home.run.mkdir(parents=True, exist_ok=True)
    (home.run / "docker.pid").unlink(missing_ok=True)
    home.engine_settings.write_text(render_settings(home, mirror), encoding="utf-8")
    own = {name: environment[name] for name in _PASSED_ON if name in environment}
    own |= {
        "PATH": ":".join([*home.path, environment.get("PATH", "")]),
        "HOME": str(home.folder),
        **home.libraries,
    }
    make_bridge(home, Processes(own))
    service = start("dockerd", home.commands["dockerd"], own, home.log("dockerd"))
    wait_for(
        service,
        lambda: answers({**environment, **home.client, "PATH": own["PATH"]}),
        home.log("dockerd"),
    )
    return service


def check_length(home: Home) -> None:
    """The name of a socket has at most 107 bytes (``unix(7)``); the engine would only say "invalid argument"."""
    longest = home.run / "exec/containerd/containerd.sock.ttrpc"
    if len(os.fsencode(longest)) > 107:
        raise ContextError(
            f"the engine's folder {home.folder} has too long a name for sockets",
            hint="name a shorter cache folder with XDG_CACHE_HOME",
        )


def make_bridge(home: Home, runner: Runner) -> None:
    """The network interface that containers of this engine are connected by; 2 is `ip`'s exit code for "exists"."""
    name, address = home.bridge
    for words, expected in (
        (("link", "add", name, "type", "bridge"), (0, 2)),
        (("address", "replace", address, "dev", name), (0,)),
        (("link", "set", name, "up"), (0,)),
    ):
        runner(
            Command(
                name="engine",
                why=f"make the bridge {name}",
                argv=("ip", *words),
                effect=Effect.LOCAL,
                expected=expected,
            )
        )


def remove_bridge(home: Home, runner: Runner) -> None:
    """Take the interface away; 1 is `ip`'s exit code for "there is none"."""
    runner(
        Command(
            name="engine",
            why="remove the bridge",
            argv=("ip", "link", "delete", home.bridge[0]),
            effect=Effect.LOCAL,
            expected=(0, 1),
        )
    )


def answers(environment: Mapping[str, str]) -> bool:
    """Whether an engine with buildx answers, and cosign is there."""
    runner = Processes(environment, patience=20)
    questions = (
        ("docker", "version", "--format", "{{.Server.Version}}"),
        ("docker", "buildx", "version"),
        ("cosign", "version"),
    )
    for argv in questions:
        if not shutil.which(argv[0], path=environment.get("PATH")):
            return False
        asked = Command(
            name="engine",
            why="see what is there",
            argv=argv,
            effect=Effect.READ,
            expected=tuple(range(256)),
        )
        if runner(asked).code != 0:
            return False
    return True


def other_engine_runs(root: Path = Path("/")) -> bool:
    """Whether the machine's own Docker listens where it always does.

    A second engine takes the packet rules of the first away, and with them the ports that its containers publish.
    """
    if sys.platform == "win32":
        return False  # Docker has no such socket there
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(5)
        try:
            probe.connect(str(root / "run/docker.sock"))
        except OSError:
            return False
    return True
