"""Scanners look for known vulnerabilities in an image's SBOM; our rules judge what they find.

Scanners start in an empty folder: what lies in the caller's, such as a list of vulnerabilities to
ignore that never ends, has no say.
"""

from __future__ import annotations

import datetime
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from shipway.effects.environment import equip
from shipway.effects.failures import failure
from shipway.effects.processes import Processes, Runner
from shipway.effects.statements import Document as SbomDocument
from shipway.errors import ContextError, StepFailed, ToolMissing
from shipway.image.sbom import Packages
from shipway.image.scan_reports import PARSERS
from shipway.image.vulnerabilities import (
    Ruling,
    Vulnerability,
    find_idle_exceptions,
    judge_vulnerabilities,
    merge_vulnerabilities,
)
from shipway.model.actions import Command
from shipway.run.packages import (
    Document,
    count_packages,
    parse_sboms,
    read_policy,
    read_sboms,
    refusal,
)
from shipway.tools.scanners import PIP_AUDIT, ask_about_sbom, ask_pip_audit

_PYTHON = "pkg:pypi/"


def scan_image(image: str, policy: str, scanners: Sequence[str]) -> tuple[str, Document]:
    """Give (lines for people, document for programs).

    Raises ``CheckFailed`` with the document when a vulnerability is refused, and
    ``VerificationFailed`` where the image is broken.
    """
    limits = read_policy(policy)
    environment = equip(os.environ)
    chosen = choose_scanners(scanners, environment["PATH"])
    sboms = read_sboms(image, environment)
    packages = parse_sboms(sboms.documents)
    vulnerabilities = find_vulnerabilities(
        chosen,
        sboms.documents,
        packages,
        environment,
    )
    rulings = judge_vulnerabilities(vulnerabilities, limits, _today())
    idle = [exemption.id for exemption in find_idle_exceptions(vulnerabilities, limits)]
    document: Document = {
        "image": image,
        "digest": sboms.digest,
        "scanners": chosen,
        "severity": limits.severity,
        "packages": count_packages(packages),
        "vulnerabilities": [_describe(ruling, packages) for ruling in rulings],
        "idle-exceptions": idle,
    }
    refused = [ruling.render() for ruling in rulings if ruling.outcome == "refused"]
    problem = sboms.find_problem(document, refused)
    if problem is not None:
        raise problem
    if refused:
        raise refusal(
            f"{len(refused)} known vulnerabilities of {image} are refused",
            refused,
            hint="take the fixed versions; or say in `exceptions` until when they may stay, "
            "and why",
            document=document,
        )
    lines = [ruling.render() for ruling in rulings]
    lines += [_render_idle(name) for name in idle]
    lines += _render_counts(packages, chosen)
    return "\n".join(lines), document


def _today() -> datetime.date:
    now = datetime.datetime.now(datetime.UTC)
    return now.date()


def _render_idle(name: str) -> str:
    return f"idle      the exception for {name} excepts nothing any more; delete it"


def _render_counts(packages: Packages, scanners: Sequence[str]) -> Iterator[str]:
    tools = ", ".join(scanners)
    counts = count_packages(packages)
    for platform, count in counts.items():
        yield f"{platform}: {count} packages, nothing is refused ({tools})"


def choose_scanners(names: Sequence[str], path: str) -> list[str]:
    """Give the scanners that were named, else all on ``path``.

    Raises ``ContextError`` for a name that is no scanner, ``ToolMissing`` where there is none.
    """
    for name in names:
        if name not in PARSERS:
            scanners = ", ".join(PARSERS)
            raise ContextError(
                f"there is no scanner {name!r}",
                hint=f"the scanners are {scanners}",
            )
    installed = [name for name in PARSERS if shutil.which(name, path=path)]
    missing = [name for name in names if name not in installed]
    hint = "install pip-audit (`pip install pip-audit`), grype or trivy"
    if missing:
        lacking = " and ".join(missing)
        raise ToolMissing(f"{lacking} is not installed", hint=hint)
    if not installed:
        raise ToolMissing("no scanner is installed", hint=hint)
    return list(names) or installed


def find_vulnerabilities(
    scanners: Sequence[str],
    sboms: dict[str, list[SbomDocument]],
    packages: Packages,
    environment: Mapping[str, str],
) -> tuple[Vulnerability, ...]:
    """Give what the scanners find, each vulnerability once.

    Raises ``StepFailed`` where a scanner could not ask.
    """
    vulnerabilities: list[Vulnerability] = []
    documents = list(chain(*sboms.values()))
    runner = Processes(environment)
    with tempfile.TemporaryDirectory() as folder:
        scan = _Scan(runner, Path(folder))
        for name in scanners:
            if name == PIP_AUDIT:
                vulnerabilities += scan.ask_pip_audit(packages)
            else:
                vulnerabilities += scan.ask_about_sboms(name, documents)
    return merge_vulnerabilities(vulnerabilities)


@dataclass(frozen=True, slots=True)
class _Scan:
    """Asks scanners, in a folder of their own."""

    runner: Runner
    folder: Path

    def ask_pip_audit(self, packages: Packages) -> Iterator[Vulnerability]:
        """Ask with requirements files: a file names a package once, and an image may hold two."""
        rounds = _plan_requirements(packages)
        for number, requirements in enumerate(rounds):
            path = self.folder / f"requirements-{number}.txt"
            content = _render_requirements(requirements)
            path.write_text(content, encoding="utf-8")
            question = ask_pip_audit(self.folder, path)
            yield from self._ask(PIP_AUDIT, question)

    def ask_about_sboms(
        self, name: str, documents: Iterable[SbomDocument]
    ) -> Iterator[Vulnerability]:
        """Ask another scanner, about one document after the other."""
        for number, document in enumerate(documents):
            path = self.folder / f"{number}.spdx.json"
            content = json.dumps(document)
            path.write_text(content, encoding="utf-8")
            question = ask_about_sbom(name, self.folder, path)
            yield from self._ask(name, question)

    def _ask(self, name: str, question: Command) -> Iterator[Vulnerability]:
        answer = self.runner(question)
        if not answer.out.strip():
            raise failure(question, answer)
        parse_report = PARSERS[name]
        return iter(parse_report(answer.out))


def _render_requirements(requirements: dict[str, str]) -> str:
    lines: list[str] = []
    for name, version in requirements.items():
        lines.append(f"{name}=={version}\n")
    return "".join(lines)


def _plan_requirements(packages: Packages) -> list[dict[str, str]]:
    """Give version by name, in as many requirements as the package with the most versions needs.

    Raises ``StepFailed`` for versions that pip-audit cannot read.
    """
    pins = _list_pins(packages)
    strange: list[str] = []
    for name, version in pins:
        if not _is_version(version):
            strange.append(f"{name} {version}")
    if strange:
        versions = ", ".join(strange)
        raise StepFailed(
            f"pip-audit cannot be asked about versions like these: {versions}",
            hint="name another scanner with --scanner, such as grype or trivy",
        )
    rounds: list[dict[str, str]] = []
    for name, version in pins:
        free = [requirements for requirements in rounds if name not in requirements]
        if not free:
            free = [{}]
            rounds += free
        free[0][name] = version
    return rounds


def _list_pins(packages: Packages) -> list[tuple[str, str]]:
    """List (name, version) of the Python packages on any platform, sorted, each once."""
    pins: set[tuple[str, str]] = set()
    for package in chain(*packages.values()):
        if package.purl.startswith(_PYTHON):
            name = canonicalize_name(package.name)
            pins.add((name, package.version))
    return sorted(pins)


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def _describe(ruling: Ruling, packages: Packages) -> Document:
    vulnerability = ruling.vulnerability
    platforms = [platform for platform in packages if _is_in(vulnerability, packages, platform)]
    return {
        "id": vulnerability.ids[0],
        "aliases": vulnerability.ids[1:],
        "package": vulnerability.package,
        "version": vulnerability.version,
        "severity": vulnerability.severity or None,
        "fixed": vulnerability.fixed,
        "outcome": ruling.outcome,
        "reason": ruling.reason,
        "platforms": platforms,
    }


def _is_in(vulnerability: Vulnerability, packages: Packages, platform: str) -> bool:
    name = canonicalize_name(vulnerability.package)
    for package in packages[platform]:
        is_same_version = package.version == vulnerability.version
        if is_same_version and canonicalize_name(package.name) == name:
            return True
    return False
