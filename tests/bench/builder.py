"""An engine's builder, a registry, and a checkout of the service: what builds are measured with."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from shipway.effects.processes import Processes
from shipway.errors import ShipwayError
from shipway.model.actions import Answer, Command, Effect
from shipway.rehearsal.registry import start_registry, wait_for_registry
from shipway.settings import Settings
from shipway.target.context import Context
from shipway.target.plan import plan_build
from shipway.tools.build import CERTIFICATES
from tests.bench.measure import NotMeasured

SERVICE = Path(__file__).parent / "service"
PLATFORMS = ("linux/amd64", "linux/arm64")
COMPRESSION = "compression=zstd,force-compression=true,oci-mediatypes=true"
EPOCH = 1_700_000_000
"""The same for all builds, so that every image has one digest a content."""
BINFMT = Path("/proc/sys/fs/binfmt_misc")
_ARM64 = "0200b700"
"""In the first bytes of a program: it can be run (2), on a 64-bit ARM (183), each low byte first (`elf(5)`)."""


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds the service in ``folder``, and pushes to ``registry``."""

    folder: Path
    registry: str
    runner: Processes
    environment: Mapping[str, str]

    @property
    def checkout(self) -> Path:
        """The service, in a git repository of its own."""
        return self.folder / "service"

    @property
    def cache(self) -> str:
        """Where the cache of the builds is."""
        return f"type=registry,ref={self.registry}/orders:cache"

    @property
    def certificates(self) -> tuple[str, ...]:
        """The flags that hand the machine's own certificates to a build, as `shipway build` does."""
        building = plan_build(Settings(), Context(event="local"), self.environment, "orders")
        if not building.certificates:
            return ()
        return (f"--secret=id={CERTIFICATES},src={building.certificates}",)

    def build(self, *words: str, platforms: tuple[str, ...] = PLATFORMS, output: str = "") -> None:
        """Build and push, as `shipway build --push` does it. `push=` without a value means yes to BuildKit."""
        image = (
            f"type=image,name={self.registry}/orders:bench,push=,store=false,{COMPRESSION}{output}"
        )
        self._build(platforms, f"--output={image}", *words)

    def fetch_packages(self) -> None:
        """Put the packages of each platform into ``packages/`` of the checkout."""
        self._build(PLATFORMS, "--target=packages", "--output=type=local,dest=packages")

    def _build(self, platforms: tuple[str, ...], *words: str) -> None:
        self.run(
            "docker",
            "buildx",
            "build",
            "--progress=plain",
            f"--platform={','.join(platforms)}",
            *self.certificates,
            *words,
            ".",
        )

    def run(self, *argv: str) -> Answer:
        """Run a program in the checkout; raises ``StepFailed`` with its last lines."""
        return self.runner(
            Command(
                name="bench",
                why="measure it",
                argv=argv,
                effect=Effect.LOCAL,
                folder=str(self.checkout),
                env={"SOURCE_DATE_EPOCH": str(EPOCH)},
            )
        )

    def git(self, *words: str) -> None:
        """Run git on the checkout, whatever the machine's own settings are."""
        author = (
            "-c",
            "user.name=bench",
            "-c",
            "user.email=bench@localhost",
            "-c",
            "commit.gpgsign=false",
        )
        self.run("git", *author, *words)

    def empty(self) -> None:
        """Take everything from the builder: the next build has what a new machine has."""
        self.run("docker", "buildx", "prune", "--all", "--force")

    def change_a_line(self) -> None:
        """Another last line in one module of the application than ever before."""
        module = self.checkout / "src/orders/prices.py"
        text = module.read_text(encoding="utf-8").partition("# Changed")[0]
        module.write_text(f"{text}# Changed {time.time_ns()}\n", encoding="utf-8")


def open_builder(folder: Path, runner: Processes, environment: Mapping[str, str]) -> Builder:
    """Start the registry and check the service out; raises ``NotMeasured`` without an engine."""
    folder.mkdir()
    registry = start_registry(folder / "registry", environment)
    builder = Builder(folder, registry, runner, environment)
    shutil.copytree(SERVICE, builder.checkout, ignore=shutil.ignore_patterns("__pycache__"))
    try:
        builder.run("docker", "buildx", "ls")
    except ShipwayError as error:
        raise NotMeasured("there is no Docker Engine with buildx: run `task engine`") from error
    settings = builder.checkout / "pyproject.toml"
    settings.write_text(
        settings.read_text(encoding="utf-8").replace("localhost", builder.registry),
        encoding="utf-8",
    )
    builder.git("init", "--quiet", "--initial-branch=main")
    builder.git("add", "--all")
    builder.git("commit", "--quiet", "--message=feat: a service")
    wait_for_registry(registry, folder / "registry")
    return builder


def require_emulation(entries: Iterator[str]) -> None:
    """arm64 is emulated here; raises ``NotMeasured``. ``entries`` is what each file of `binfmt_misc` says."""
    for entry in entries:
        words = dict(line.partition(" ")[::2] for line in entry.splitlines())
        if "enabled" in words and _ARM64 in words.get("magic", ""):
            # Without F the emulator would be looked for inside of the image.
            if "F" not in words.get("flags:", ""):
                raise NotMeasured("arm64 is emulated, but without the flag F, so not in containers")
            return
    raise NotMeasured(
        "no emulation of arm64: install qemu-user-static, or register it with "
        "`docker run --privileged --rm tonistiigi/binfmt --install arm64`"
    )


def read_emulators(folder: Path = BINFMT) -> Iterator[str]:
    """What `binfmt_misc` says of each kind of program (Linux, `admin-guide/binfmt-misc`)."""
    for file in sorted(folder.glob("*")):
        if file.name not in ("register", "status"):
            yield file.read_text(encoding="utf-8")
