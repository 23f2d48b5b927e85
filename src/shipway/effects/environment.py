"""Which environment commands run in: the tools beside this Python, and the engine that ``shipway engine`` set up."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from shipway.effects.engine_record import read_record
from shipway.effects.processes import Runner
from shipway.model.actions import Command, Effect

LOCAL_VARIABLES = frozenset(
    (
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_PARAMETERS",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_REFERENCE_BACKEND",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    )
)
"""Variables that belong to one repository: what `git rev-parse --local-env-vars` names, from git 2.39 to 2.54."""


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Where shipway keeps what can be made again: ``$XDG_CACHE_HOME/shipway``."""
    base = environment.get("XDG_CACHE_HOME") or os.path.join(environment.get("HOME", "."), ".cache")
    return Path(base) / "shipway"


def equip(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with this Python's programs on PATH, and with shipway's own engine where it runs.

    An engine that the user names (``DOCKER_HOST``) is never replaced. Of git's variables those are left out that name a
    repository: hooks get them, and they outweigh the folder that a command is started in.
    """
    folders, variables = _engine(environment)
    tools = [str(Path(sys.executable).parent), *folders]
    paths = environment.get("PATH", os.defpath).split(os.pathsep)
    rest = [path for path in paths if path not in tools]
    kept = {name: text for name, text in environment.items() if name not in LOCAL_VARIABLES}
    return {**kept, **variables, "PATH": os.pathsep.join([*tools, *rest])}


def _engine(environment: Mapping[str, str]) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """Give shipway's own engine: the folders of its tools, and the variables that lead to it."""
    if environment.get("DOCKER_HOST"):
        return (), {}
    record = read_record(cache_folder(environment) / "engine/engine.json")
    if record is None or not record.lives:
        return (), {}
    return record.path, record.env


def is_modern(runner: Runner) -> bool:
    """Whether cosign is of the third generation; builds report versions loosely, so its help is asked."""
    answer = runner(
        Command(
            name="sign",
            why="ask cosign what it offers",
            argv=("cosign", "sign", "--help"),
            effect=Effect.READ,
        )
    )
    return "--signing-config" in answer.out + answer.err
