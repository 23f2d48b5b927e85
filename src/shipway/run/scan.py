"""Known vulnerabilities of an image's packages: well-kept scanners read its SBOM, our rules judge what they find.

Scanners start in an empty folder: what lies in the caller's, such as a list of vulnerabilities to ignore that never
ends, has no say.
"""

from __future__ import annotations

import datetime
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from shipway.effects.environment import equip
from shipway.effects.processes import Processes, Runner, failure
from shipway.effects.read_image import Node
from shipway.errors import CheckFailed, ContextError, StepFailed, ToolMissing
from shipway.image.sbom import Packages, parse_packages
from shipway.image.scan_reports import PARSERS
from shipway.image.vulnerabilities import (
    Ruling,
    Vulnerability,
    find_idle_exceptions,
    judge_vulnerabilities,
    merge_vulnerabilities,
)
from shipway.model.actions import Command, Effect
from shipway.run.packages import Document, read_sboms
from shipway.run.verify import read_limits
from shipway.settings import PolicySettings, parse
from shipway.tools.imagetools import PASSING

_PYTHON = "pkg:pypi/"
Documents = dict[str, list[Node]]


def scan(image: str, policy: str, scanners: Sequence[str]) -> tuple[str, Document]:
    """(lines for people, document for programs); raises ``CheckFailed`` when a vulnerability is refused."""
    limits = read_policy(policy)
    chosen = choose(scanners, equip(os.environ)["PATH"])
    digest, documents = read_sboms(image)
    packages = {platform: parse_packages(found) for platform, found in documents.items()}
    found = find(chosen, documents, packages)
    rulings = judge_vulnerabilities(found, limits, datetime.datetime.now(datetime.UTC).date())
    idle = [one.id for one in find_idle_exceptions(found, limits)]
    document: Document = {
        "image": image,
        "digest": digest,
        "scanners": chosen,
        "severity": limits.severity,
        "packages": {platform: len(one) for platform, one in packages.items()},
        "vulnerabilities": [_describe(one, packages) for one in rulings],
        "idle-exceptions": idle,
    }
    refused = [one for one in rulings if one.outcome == "refused"]
    if refused:
        error = CheckFailed(
            f"{len(refused)} known vulnerabilities of {image} are refused:\n"
            + "\n".join(f"  - {one.render()}" for one in refused),
            hint="take the fixed versions; or say in `exceptions` until when they may stay, and why",
        )
        error.document = document
        raise error
    lines = [one.render() for one in rulings]
    lines += [
        f"idle      the exception for {one} excepts nothing any more; delete it" for one in idle
    ]
    lines += [
        f"{platform}: {len(one)} packages, nothing is refused ({', '.join(chosen)})"
        for platform, one in packages.items()
    ]
    return "\n".join(lines), document


def find(
    scanners: Sequence[str], documents: Documents, packages: Packages
) -> tuple[Vulnerability, ...]:
    """What the scanners find, each vulnerability once; raises ``StepFailed`` where one could not ask."""
    runner = Processes(equip(os.environ))
    with tempfile.TemporaryDirectory() as folder:
        return merge_vulnerabilities(
            chain.from_iterable(
                _ask_pip_audit(runner, Path(folder), packages)
                if name == "pip-audit"
                else _ask_about_sboms(runner, Path(folder), documents, name)
                for name in scanners
            )
        )


def read_policy(path: str) -> PolicySettings:
    """The limits of the file, else of the project in this folder, else the default ones; raises ``SettingsError``."""
    if path or not Path("pyproject.toml").is_file():
        return read_limits(path)
    return parse(Path("pyproject.toml").read_text(encoding="utf-8")).settings.policy


def choose(named: Sequence[str], path: str) -> list[str]:
    """The scanners that were named, else all that are installed; raises ``ToolMissing`` where there is none."""
    for name in named:
        if name not in PARSERS:
            raise ContextError(
                f"there is no scanner {name!r}", hint=f"the scanners are {', '.join(PARSERS)}"
            )
    found = [name for name in PARSERS if shutil.which(name, path=path)]
    missing = [name for name in named if name not in found]
    if missing or not found:
        raise ToolMissing(
            f"{' and '.join(missing) or 'no scanner'} is {'not ' if missing else ''}installed",
            hint="install pip-audit (`pip install pip-audit`), grype or trivy",
        )
    return list(named) or found


def _ask_pip_audit(runner: Runner, folder: Path, packages: Packages) -> Iterator[Vulnerability]:
    """A requirements file names each package once, an image may hold two versions of one."""
    pinned = sorted(
        {
            (canonicalize_name(one.name), one.version)
            for found in packages.values()
            for one in found
            if one.purl.startswith(_PYTHON)
        }
    )
    strange = [f"{name} {version}" for name, version in pinned if not _is_version(version)]
    if strange:
        raise StepFailed(
            f"pip-audit cannot be asked about versions like these: {', '.join(strange)}",
            hint="name another scanner with --scanner, such as grype or trivy",
        )
    rounds: list[dict[str, str]] = []
    for name, version in pinned:
        free = next((one for one in rounds if name not in one), None)
        if free is None:
            rounds.append(free := {})
        free[name] = version
    for number, one in enumerate(rounds):
        listed = folder / f"requirements-{number}.txt"
        listed.write_text(
            "".join(f"{name}=={version}\n" for name, version in one.items()), encoding="utf-8"
        )
        yield from _ask(
            runner,
            folder,
            "pip-audit",
            (
                "--requirement",
                str(listed),
                "--no-deps",
                "--disable-pip",
                "--vulnerability-service=osv",
                "--format=json",
                "--aliases=on",
                "--desc=off",
                "--progress-spinner=off",
            ),
        )


def _ask_about_sboms(
    runner: Runner, folder: Path, documents: Documents, name: str
) -> Iterator[Vulnerability]:
    words: Callable[[str], tuple[str, ...]] = {
        "grype": lambda path: (f"sbom:{path}", "--output=json", "--quiet"),
        "trivy": lambda path: ("sbom", "--format=json", "--quiet", path),
    }[name]
    for number, document in enumerate(chain.from_iterable(documents.values())):
        path = folder / f"{number}.spdx.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        yield from _ask(runner, folder, name, words(str(path)))


def _ask(
    runner: Runner, folder: Path, name: str, words: tuple[str, ...]
) -> Iterator[Vulnerability]:
    # pip-audit ends with 1 when it finds something, and also when it could not ask: then it prints no report.
    command = Command(
        name="scan",
        why="ask for known vulnerabilities",
        argv=(name, *words),
        effect=Effect.READ,
        expected=(0, 1) if name == "pip-audit" else (0,),
        folder=str(folder),
        again=PASSING,
    )
    answer = runner(command)
    if not answer.out.strip():
        raise failure(command, answer)
    return PARSERS[name](answer.out)


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def _describe(one: Ruling, packages: Packages) -> Document:
    found = one.vulnerability
    return {
        "id": found.ids[0],
        "aliases": found.ids[1:],
        "package": found.package,
        "version": found.version,
        "severity": found.severity or None,
        "fixed": found.fixed,
        "outcome": one.outcome,
        "reason": one.reason,
        "platforms": [
            platform
            for platform, held in packages.items()
            if any(
                (canonicalize_name(other.name), other.version)
                == (canonicalize_name(found.package), found.version)
                for other in held
            )
        ],
    }
