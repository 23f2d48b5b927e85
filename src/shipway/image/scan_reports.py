"""What scanners print of an image's packages is read here into vulnerabilities.

Sources: what `pip-audit --format=json`, `grype --output=json` and `trivy sbom --format=json` print.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

import msgspec

from shipway.errors import StepFailed
from shipway.image.vulnerabilities import Vulnerability
from shipway.settings import SEVERITIES, Words

_Report = TypeVar("_Report")


class _Advisory(msgspec.Struct, frozen=True):
    id: str
    aliases: Words = ()
    fix_versions: Words = ()


class _Audited(msgspec.Struct, frozen=True):
    name: str
    version: str = ""
    skip_reason: str = ""
    vulns: tuple[_Advisory, ...] = ()


class _Audit(msgspec.Struct, frozen=True):
    dependencies: tuple[_Audited, ...]


class _Fix(msgspec.Struct, frozen=True):
    versions: Words | None = ()


class _Flaw(msgspec.Struct, frozen=True):
    id: str
    severity: str = ""
    fix: _Fix = _Fix()


class _Artifact(msgspec.Struct, frozen=True):
    name: str
    version: str


class _Match(msgspec.Struct, frozen=True, rename="camel"):
    vulnerability: _Flaw
    artifact: _Artifact
    related_vulnerabilities: tuple[_Flaw, ...] | None = ()


class _Grype(msgspec.Struct, frozen=True):
    matches: tuple[_Match, ...]


class _Detected(msgspec.Struct, frozen=True, rename="pascal"):
    pkg_name: str
    installed_version: str
    vulnerability_id: str = msgspec.field(name="VulnerabilityID")
    severity: str = ""
    fixed_version: str = ""


class _Result(msgspec.Struct, frozen=True, rename="pascal"):
    vulnerabilities: tuple[_Detected, ...] | None = ()


class _Trivy(msgspec.Struct, frozen=True, rename="pascal"):
    schema_version: int
    results: tuple[_Result, ...] | None = ()


def parse_pip_audit(text: str) -> Iterator[Vulnerability]:
    """Read the vulnerabilities of Python packages; pip-audit knows no severities.

    Raises ``StepFailed`` when it is no report, or when pip-audit could not ask about a package.
    """
    report = _decode(text, _Audit, "pip-audit")
    for audited in report.dependencies:
        if audited.skip_reason:
            raise StepFailed(
                f"pip-audit could not be asked about {audited.name}: {audited.skip_reason}",
                hint="name another scanner with --scanner, such as grype or trivy",
            )
        for advisory in audited.vulns:
            aliases = sorted(advisory.aliases)
            yield Vulnerability(
                package=audited.name,
                version=audited.version,
                ids=(advisory.id, *aliases),
                fixed=advisory.fix_versions,
            )


def parse_grype(text: str) -> Iterator[Vulnerability]:
    """Read the vulnerabilities of packages of every kind; raises ``StepFailed`` for no report."""
    report = _decode(text, _Grype, "grype")
    for match in report.matches:
        flaw = match.vulnerability
        related_flaws = match.related_vulnerabilities or ()
        ids = [flaw.id, *(related.id for related in related_flaws)]
        yield Vulnerability(
            package=match.artifact.name,
            version=match.artifact.version,
            severity=_severity(flaw.severity),
            ids=tuple(dict.fromkeys(ids)),
            fixed=flaw.fix.versions or (),
        )


def parse_trivy(text: str) -> Iterator[Vulnerability]:
    """Read the vulnerabilities of packages of every kind; raises ``StepFailed`` for no report."""
    report = _decode(text, _Trivy, "trivy")
    for result in report.results or ():
        for detected in result.vulnerabilities or ():
            versions = map(str.strip, detected.fixed_version.split(","))
            yield Vulnerability(
                package=detected.pkg_name,
                version=detected.installed_version,
                ids=(detected.vulnerability_id,),
                severity=_severity(detected.severity),
                fixed=tuple(filter(None, versions)),
            )


PARSERS: Mapping[str, Callable[[str], Iterator[Vulnerability]]] = {
    "pip-audit": parse_pip_audit,
    "grype": parse_grype,
    "trivy": parse_trivy,
}
"""The reader of what a scanner prints, by the scanner's name."""


def _decode(text: str, kind: type[_Report], scanner: str) -> _Report:
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError as error:
        raise StepFailed(
            f"{scanner} printed something else than its report: {error}",
            hint=f"run {scanner} by hand; a newer or older version may speak another format",
        ) from error


def _severity(word: str) -> str:
    """Give the scanner's word in lower case; ``""`` where it is none of our severities."""
    severity = word.lower()
    return severity if severity in SEVERITIES else ""
