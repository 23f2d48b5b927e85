"""Makes the environment that commands run in: this Python's tools, and shipway's own engine."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from shipway.effects.engine_record import read_record
from shipway.tools.git_environment import close_environment


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Give the folder for what can be made again: ``$XDG_CACHE_HOME/shipway``.

    Who has no home has none that can be written.
    """
    base = environment.get("XDG_CACHE_HOME")
    if not base:
        home = find_home(environment) or os.sep
        base = os.path.join(home, ".cache")
    return Path(base) / "shipway"


def find_home(environment: Mapping[str, str]) -> str | None:
    """Give the user's home: the variable's, else the one that the list of users names.

    A service may run without the variable: Docker then asks that list, too.
    """
    home = environment.get("HOME")
    if home:
        return home
    if sys.platform == "win32":
        return environment.get("USERPROFILE")
    import pwd  # which Windows does not have

    with suppress(KeyError):
        return pwd.getpwuid(os.getuid()).pw_dir
    return None


def current_record(environment: Mapping[str, str]) -> Path:
    """Name the record of the engine of shipway's own that is in use, whether it is there or not."""
    return cache_folder(environment) / "engine/engine.json"


def equip(environment: Mapping[str, str]) -> dict[str, str]:
    """Put this Python's programs on PATH, and name shipway's own engine where it runs.

    An engine that the user names (``DOCKER_HOST``) is never replaced. git answers alike for
    everybody, whatever its variables and settings say (see ``tools/git_environment``).
    """
    engine_path, engine_variables = _find_engine(environment)
    programs = Path(sys.executable).parent
    path = environment.get("PATH", os.defpath)
    equipped = close_environment(environment)
    equipped.update(engine_variables)
    equipped["PATH"] = _put_first([str(programs), *engine_path], path)
    return equipped


def _put_first(tools: list[str], path: str) -> str:
    """Give ``path`` with the folders ``tools`` at its beginning, and there alone."""
    folders = list(tools)
    for folder in path.split(os.pathsep):
        if folder not in tools:
            folders.append(folder)
    return os.pathsep.join(folders)


def _find_engine(environment: Mapping[str, str]) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """Give shipway's own engine: the folders of its tools, and the variables that lead to it."""
    if environment.get("DOCKER_HOST"):
        return (), {}
    record = read_record(current_record(environment))
    if record is None or not record.lives:
        return (), {}
    return record.path, record.env
