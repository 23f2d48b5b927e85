"""This module writes how buildx is asked about builders, and told to make one. Pure.

The command lines of ``docker buildx build`` stand in ``tools/build``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shipway.model.actions import Answer, Command, Effect, Hint
from shipway.settings import BuilderSettings

HINTS = (
    Hint(
        r"exec format error|\.buildkit_qemu_emulator",
        "a RUN of the Dockerfile runs on a foreign platform: do it in a stage "
        "`FROM --platform=$BUILDPLATFORM`, or set emulation up "
        "(`docker run --privileged --rm tonistiigi/binfmt --install all`)",
    ),
    Hint(
        r"Multi-platform build is not supported|no match for platform|"
        r"does not provide the specified platform|not supported for the docker driver",
        "the builder or the base image cannot do one of the platforms: see `docker buildx ls`; "
        "make another builder (`docker buildx create --use`), or set `platforms` in "
        "[tool.shipway.build]",
    ),
    Hint(
        r"failed to read dockerfile|Dockerfile: no such file",
        "write one, or say where it is: `dockerfile` in [tool.shipway.build]",
    ),
    Hint(
        r"(?i)unauthorized|denied|authentication required",
        "the registry refuses: log in with `docker login`; in Actions the job needs "
        "`packages: write`",
    ),
)
"""Says what to do about failures of builds, by what buildx prints."""


def inspect_builder(name: str, builder: str, *, expected: tuple[int, ...] = (0, 1)) -> Command:
    """Ask what a builder can do; the exit status is 1 where it is not there."""
    argv = ["docker", "buildx", "inspect"]
    if builder:
        argv.append(builder)
    return Command(
        name=name,
        why="ask what the builder can do",
        argv=tuple(argv),
        effect=Effect.READ,
        expected=expected,
    )


def ask_version(name: str) -> Command:
    """Ask which buildx this is."""
    return Command(
        name=name,
        why="ask buildx",
        argv=("docker", "buildx", "version"),
        effect=Effect.READ,
    )


def create_builder(name: str, builder: str, settings: BuilderSettings) -> Iterator[Command]:
    """Make a builder as the settings say, one command a node; none for the builder in use."""
    if not builder:
        return
    create = [
        "docker",
        "buildx",
        "create",
        "--name",
        builder,
        "--driver",
        settings.driver,
    ]
    for key, text in sorted(settings.options.items()):
        create.append(f"--driver-opt={key}={text}")
    nodes: list[tuple[str, ...]] = []
    for platforms, address in sorted(settings.nodes.items()):
        append = ("--append",) if nodes else ()
        nodes.append((*append, f"--platform={platforms}", address))
    for node in nodes or [()]:
        yield Command(
            name=name,
            why=f"make the builder {builder}",
            argv=(*create, *node),
            effect=Effect.LOCAL,
            hints=HINTS,
        )


def read_platforms(answer: Answer) -> tuple[str, ...]:
    """Read the platforms of all nodes, from ``docker buildx inspect``.

    Those with an asterisk were set by hand.
    """
    platforms: list[str] = []
    for line in re.findall(r"^Platforms:(.*)$", answer.out, re.MULTILINE):
        for word in line.split(","):
            platform = word.strip().rstrip("*")
            if platform:
                platforms.append(platform)
    return tuple(platforms)


def read_driver(answer: Answer) -> str | None:
    """Read the builder's driver, from ``docker buildx inspect``."""
    match = re.search(r"^Driver:\s*(\S+)", answer.out, re.MULTILINE)
    return match[1] if match else None
