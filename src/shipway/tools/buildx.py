"""This module writes how buildx is asked about builders, and told to make one. Pure.

The command lines of ``docker buildx build`` stand in ``tools/build``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shipway.model.actions import Answer, Command, Effect, Hint
from shipway.model.world import Builder
from shipway.settings import BuilderSettings
from shipway.settings.platforms import normalize_platform

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
    """Make a builder as the settings say, one command a node; none for the builder in use.

    The nodes have names, so that each command can be run again where the last one was not reached.
    """
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
        create.append(_driver_option(key, text))
    for words in _node_words(builder, settings) or [()]:
        yield Command(
            name=name,
            why=f"make the builder {builder}",
            argv=(*create, *words),
            effect=Effect.LOCAL,
            hints=HINTS,
        )


def _node_words(builder: str, settings: BuilderSettings) -> list[tuple[str, ...]]:
    """Give for each node the words that tell ``buildx create`` of it."""
    nodes: list[tuple[str, ...]] = []
    for platforms, place in sorted(settings.nodes.items()):
        words = [
            f"--node={builder}{len(nodes)}",
            f"--platform={platforms}",
        ]
        if nodes:
            words.insert(0, "--append")
        # Kubernetes takes no address: the cluster is the one of the kubeconfig.
        if settings.driver == "kubernetes":
            place = _driver_option("nodeselector", place)
        nodes.append((*words, place))
    return nodes


def _driver_option(name: str, text: str) -> str:
    """Write an option of a driver, which buildx reads as a line of CSV."""
    word = f"{name}={text}"
    if "," in word:
        word = f'"{word}"'
    return f"--driver-opt={word}"


def read_builder(answer: Answer, settings: BuilderSettings) -> Builder | None:
    """Read what a builder is, from ``docker buildx inspect``.

    Gives ``None`` where it is not there, or not with all the nodes of the settings: the run that
    made it did not get to its end.
    """
    if answer.code != 0:
        return None
    # Its own name comes before those of its nodes.
    names = _read_fields(answer, "Name")
    drivers = _read_fields(answer, "Driver")
    endpoints = _read_fields(answer, "Endpoint")
    options = _read_fields(answer, "Driver Options")
    on_host = ['network="host"' in text for text in options]
    builder = Builder(
        name=names[0] if names else "",
        driver=drivers[0] if drivers else "",
        platforms=_read_platforms(answer),
        endpoints=tuple(endpoints),
        on_host_network=on_host.count(True) == len(endpoints),
    )
    if settings.driver != "default" and len(endpoints) < len(settings.nodes):
        return None
    return builder


def _read_fields(answer: Answer, name: str) -> list[str]:
    """Read the values of all fields of that name, such as ``Endpoint``."""
    pattern = rf"^{name}:[ \t]*(.*\S)[ \t]*$"
    values: list[str] = re.findall(pattern, answer.out, re.MULTILINE)
    return values


def _read_platforms(answer: Answer) -> tuple[str, ...]:
    """Read the platforms of all nodes; those with an asterisk were set by hand."""
    platforms: list[str] = []
    for line in _read_fields(answer, "Platforms"):
        for word in line.split(","):
            platform = word.strip().rstrip("*")
            if platform:
                name = normalize_platform(platform)
                platforms.append(name)
    return tuple(platforms)
