"""Build a part into the cache folder, once for each state of what decides its content."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Mapping
from pathlib import Path

from shipway.effects.environment import cache_folder
from shipway.effects.processes import Processes
from shipway.rehearsal.engine.debs import Archive, unpack
from shipway.rehearsal.engine.sources import machine_source, machine_suite
from shipway.tools import debian
from tests.parts.recipes import Part

PATIENCE = 1800.0
"""Seconds after which a build is ended: the longest takes three minutes on two cores."""


class NotBuilt(Exception):
    """A part that could not be built, with the end of what the go command said."""


def key_of(part: Part) -> str:
    """Give the hash of all that decides what is built; a part that is changed gets another folder."""
    lock = hashlib.sha256(part.requirements.encode())
    lock.update((part.folder / "go.sum").read_bytes())
    recipe = (part.arguments, sorted(part.programs.items()), platform.machine())
    lock.update(repr(recipe).encode())
    return lock.hexdigest()[:16]


def folder_of(part: Part, environment: Mapping[str, str]) -> Path:
    """Name the folder of a part's programs, whether they are there or not."""
    return cache_folder(environment) / "parts" / part.name / key_of(part)


def is_built(part: Part, environment: Mapping[str, str]) -> bool:
    """Say whether a part's programs are in the cache."""
    return folder_of(part, environment).is_dir()


def build(part: Part, environment: Mapping[str, str]) -> None:
    """Build a part's programs into the cache; raises ``NotBuilt``.

    They get their folder when all of them are there: a build that was ended leaves none.
    """
    folder = folder_of(part, environment)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        work = Path(scratch)
        variables = _variables(part, environment, work)
        programs = work / "programs"
        for name, package in part.programs.items():
            output = f"-o={programs / name}"
            _run_go(part, variables, ("build", *part.arguments, output, package))
        shutil.rmtree(folder, ignore_errors=True)
        programs.rename(folder)


def _variables(part: Part, environment: Mapping[str, str], work: Path) -> dict[str, str]:
    """Make the environment of a build; without a C compiler where the part needs none."""
    variables = {
        **environment,
        "GOTOOLCHAIN": part.toolchain,
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }
    if part.headers:
        variables |= {"CGO_ENABLED": "1", **_fetch_headers(part, environment, work)}
    return variables


def _run_go(part: Part, variables: Mapping[str, str], words: tuple[str, ...]) -> None:
    try:
        done = subprocess.run(
            ("go", *words),
            cwd=part.folder,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired as error:
        raise NotBuilt(f"the build was ended after {PATIENCE:.0f} s") from error
    if done.returncode != 0:
        ending = "\n".join(done.stderr.splitlines()[-8:])
        raise NotBuilt(ending)


def _fetch_headers(part: Part, environment: Mapping[str, str], work: Path) -> dict[str, str]:
    """Lay the C libraries that a part is linked with below ``work``, from the machine's own release.

    Gives the variables by which the compiler finds them: nothing is installed.
    """
    system = Path("/")
    runner = Processes(environment)
    archive = Archive(
        folder=work / "apt",
        source=machine_source(system, machine_suite(system)),
        architecture=runner(debian.ask_architecture()).out.strip(),
        runner=runner,
        status=system / "var/lib/dpkg/status",
    )
    root = work / "root"
    unpack(archive.fetch(part.headers, closure=False), root, runner)
    libraries = root / "usr/lib" / str(sysconfig.get_config_var("MULTIARCH"))
    return {
        "CGO_CFLAGS": f"-I{root / 'usr/include'}",
        "CGO_LDFLAGS": f"-L{libraries}",
        "PKG_CONFIG_PATH": str(libraries / "pkgconfig"),
    }
