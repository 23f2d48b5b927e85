"""A rehearsal builds where a release would, if what builds there reaches this machine's registry."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from msgspec.structs import replace

from shipway.effects.processes import Runner
from shipway.effects.proxies import is_loopback
from shipway.errors import ContextError, ToolMissing
from shipway.model.world import Builder
from shipway.settings import BuilderSettings
from shipway.tools.buildx import inspect_builder, read_builder

VARIABLE = "BUILDX_BUILDER"
"""Names the environment variable that chooses a builder; without it the one in use builds."""
_ENGINE = "default"
"""Names the builder that is the Docker Engine itself."""
_NO_BUILDER = re.compile(r'no builder "')


@dataclass(frozen=True, slots=True)
class ChosenBuilder:
    """Holds which builder a rehearsal builds on: by settings, or by name where they name none.

    ``difference`` says what is not as in a release; it is empty where nothing is.
    """

    settings: BuilderSettings
    name: str = ""
    difference: str = ""

    @property
    def variables(self) -> dict[str, str]:
        """Give the environment variables that lead to it."""
        return {VARIABLE: self.name} if self.name else {}


def choose_builder(
    settings: BuilderSettings, environment: Mapping[str, str], runner: Runner
) -> ChosenBuilder:
    """Choose the builder of the settings, or the one in use, where it reaches this machine.

    Raises ``ContextError`` where ``BUILDX_BUILDER`` names one that is not there.
    """
    name = environment.get(VARIABLE, "")
    if settings.driver == "default":
        return _choose_in_use(name, runner)
    if settings.driver == "docker-container":
        return _stay_on_this_machine(settings, name)
    trouble = _describe_distance(settings.driver, settings.nodes.values())
    if not trouble:
        return ChosenBuilder(settings, name)
    in_use = _choose_in_use(name, runner)
    difference = f"the one in use: {trouble}"
    if in_use.difference:
        difference = f"the engine's own: {trouble}, nor does the one in use"
    return ChosenBuilder(in_use.settings, in_use.name, difference)


def _stay_on_this_machine(settings: BuilderSettings, name: str) -> ChosenBuilder:
    """Choose a container on this machine's network, where the registry of the rehearsal is."""
    options = {"network": "host", **settings.options}
    distance = _describe_distance(settings.driver, settings.nodes.values())
    nodes = {} if distance else settings.nodes
    chosen = replace(
        settings,
        options=options,
        nodes=nodes,
    )
    difference = ""
    if options != settings.options:
        difference = "docker-container, on the network of this machine"
    if distance:
        difference = f"docker-container, on this machine alone: {distance}"
    return ChosenBuilder(chosen, name, difference)


def _choose_in_use(name: str, runner: Runner) -> ChosenBuilder:
    """Choose the builder ``name``, the one in use where it is empty, or else the engine itself."""
    builder = _look_at(name, runner)
    trouble = ""
    if builder is not None:
        trouble = _describe_builder(builder)
    if not trouble:
        return ChosenBuilder(BuilderSettings(), name)
    return ChosenBuilder(
        BuilderSettings(),
        _ENGINE,
        f"the engine's own: {trouble}",
    )


def _look_at(name: str, runner: Runner) -> Builder | None:
    """Ask what a builder is, ``None`` where that cannot be said: the build will say why."""
    try:
        answer = runner(inspect_builder("rehearse", name))
    except ToolMissing:
        return None
    if name and _NO_BUILDER.search(answer.err):
        raise ContextError(
            f"{VARIABLE} is {name}, and there is no such builder",
            hint="choose one of `docker buildx ls`, or unset the variable",
        )
    return read_builder(answer, BuilderSettings())


def _describe_builder(builder: Builder) -> str:
    """Say why a builder does not reach this machine's registry; nothing where it does."""
    if builder.driver == "docker":
        return ""
    if builder.driver == "docker-container" and not builder.on_host_network:
        return f"{builder.name} is not on the network of this machine (`network=host`)"
    distance = _describe_distance(builder.driver, builder.endpoints)
    if distance:
        return f"{builder.name}, {distance}"
    return ""


def _describe_distance(driver: str, endpoints: Iterable[str]) -> str:
    """Say which nodes do not reach this machine's registry; nothing where all of them do."""
    if driver not in ("docker-container", "remote"):
        return f"{driver} does not reach this machine's remotes"
    foreign: list[str] = []
    for endpoint in endpoints:
        if not _is_here(endpoint):
            foreign.append(endpoint)
    if foreign:
        names = ", ".join(foreign)
        return f"{driver} at {names} does not reach this machine's remotes"
    return ""


def _is_here(endpoint: str) -> bool:
    """Tell whether a node is on this machine and its network, as far as its address tells."""
    scheme, separator, _ = endpoint.partition("://")
    # A name is that of one of Docker's contexts.
    if not separator or scheme in ("unix", "npipe"):
        return True
    return is_loopback(urlsplit(endpoint).hostname or "")


def copy_builders(environment: Mapping[str, str], folder: Path) -> None:
    """Copy what buildx knows of the user's builders, so that no rehearsal changes it.

    ``folder`` is Docker's own of the rehearsal. It says where builders are, and holds no login.
    """
    source = _builders_folder(environment)
    target = folder / "buildx"
    target.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):
        shutil.copytree(source / "instances", target / "instances", dirs_exist_ok=True)
    with suppress(OSError):
        shutil.copy(source / "current", target / "current")


def _builders_folder(environment: Mapping[str, str]) -> Path:
    """Name the folder in which the user's buildx keeps its builders."""
    own = environment.get("BUILDX_CONFIG")
    if own:
        return Path(own)
    docker = environment.get("DOCKER_CONFIG")
    if docker:
        return Path(docker) / "buildx"
    return Path(environment.get("HOME", "/")) / ".docker/buildx"
