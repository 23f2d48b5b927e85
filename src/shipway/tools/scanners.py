"""This module writes how scanners are asked for known vulnerabilities. Pure."""

from __future__ import annotations

from pathlib import Path

from shipway.model.actions import Command, Effect
from shipway.tools.troubles import PASSING

PIP_AUDIT = "pip-audit"
_PIP_AUDIT_FLAGS = (
    "--no-deps",
    "--disable-pip",
    "--vulnerability-service=osv",
    "--format=json",
    "--aliases=on",
    "--desc=off",
    "--progress-spinner=off",
)


def ask_pip_audit(folder: Path, requirements: Path) -> Command:
    """Ask pip-audit about the packages of a requirements file, from ``folder``."""
    # It ends with 1 when it finds something, and also when it could not ask: then it prints no
    # report.
    argv = (PIP_AUDIT, "--requirement", str(requirements), *_PIP_AUDIT_FLAGS)
    return _ask(folder, argv, (0, 1))


def ask_about_sbom(scanner: str, folder: Path, sbom: Path) -> Command:
    """Ask grype or trivy, which read SPDX, about the packages of an SBOM, from ``folder``."""
    words = ["sbom", "--format=json", "--quiet", str(sbom)]
    if scanner == "grype":
        words = [f"sbom:{sbom}", "--output=json", "--quiet"]
    argv = (scanner, *words)
    return _ask(folder, argv, (0,))


def _ask(folder: Path, argv: tuple[str, ...], expected: tuple[int, ...]) -> Command:
    return Command(
        name="scan",
        why="ask for known vulnerabilities",
        argv=argv,
        effect=Effect.READ,
        expected=expected,
        folder=str(folder),
        passing=PASSING,
    )
