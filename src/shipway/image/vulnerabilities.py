"""Known vulnerabilities that scanners found in the packages of an image, held against a limit and exceptions. Pure.

Sources: what `pip-audit --format=json`, `grype --output=json` and `trivy sbom --format=json` print.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

import msgspec
from packaging.utils import canonicalize_name

from shipway.errors import StepFailed
from shipway.settings import SEVERITIES, Exemption, PolicySettings

Words = tuple[str, ...]
_Report = TypeVar("_Report")


class Vulnerability(msgspec.Struct, frozen=True, order=True, kw_only=True):
    """One vulnerability of one version of a package; a severity that nobody knows is empty."""

    package: str
    version: str
    ids: Words
    """The scanner's own first, then its other names."""
    severity: str = ""
    fixed: Words = ()
    """Versions that are not vulnerable any more."""


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a vulnerability: ``refused``, ``excepted`` or ``tolerated``, and why."""

    vulnerability: Vulnerability
    outcome: str
    reason: str

    def render(self) -> str:
        """A line for people."""
        one = self.vulnerability
        cure = f"; fixed in {', '.join(one.fixed)}" if one.fixed else "; no version fixes it yet"
        return (
            f"{self.outcome:9} {one.severity or 'unknown':10} {one.package} {one.version}  {' '.join(one.ids)}"
            f"  {self.reason}{cure}"
        )


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
    """The vulnerabilities of Python packages; pip-audit knows no severities. Raises ``StepFailed``."""
    for one in _decode(text, _Audit, "pip-audit").dependencies:
        if one.skip_reason:
            raise StepFailed(
                f"pip-audit could not be asked about {one.name}: {one.skip_reason}",
                hint="name another scanner with --scanner, such as grype or trivy",
            )
        for found in one.vulns:
            yield Vulnerability(
                package=one.name,
                version=one.version,
                ids=(found.id, *sorted(found.aliases)),
                fixed=found.fix_versions,
            )


def parse_grype(text: str) -> Iterator[Vulnerability]:
    """The vulnerabilities of packages of every kind. Raises ``StepFailed``."""
    for one in _decode(text, _Grype, "grype").matches:
        found = one.vulnerability
        yield Vulnerability(
            package=one.artifact.name,
            version=one.artifact.version,
            severity=_severity(found.severity),
            ids=(
                found.id,
                *(other.id for other in one.related_vulnerabilities or () if other.id != found.id),
            ),
            fixed=found.fix.versions or (),
        )


def parse_trivy(text: str) -> Iterator[Vulnerability]:
    """The vulnerabilities of packages of every kind. Raises ``StepFailed``."""
    for result in _decode(text, _Trivy, "trivy").results or ():
        for one in result.vulnerabilities or ():
            fixed = (version.strip() for version in one.fixed_version.split(","))
            yield Vulnerability(
                package=one.pkg_name,
                version=one.installed_version,
                ids=(one.vulnerability_id,),
                severity=_severity(one.severity),
                fixed=tuple(filter(None, fixed)),
            )


PARSERS: Mapping[str, Callable[[str], Iterator[Vulnerability]]] = {
    "pip-audit": parse_pip_audit,
    "grype": parse_grype,
    "trivy": parse_trivy,
}
"""Scanner → reader of what it prints."""


def merge(found: Iterable[Vulnerability]) -> tuple[Vulnerability, ...]:
    """Each vulnerability once, whoever found it and by whichever of its names; the highest severity counts."""
    merged: dict[tuple[str, str], list[Vulnerability]] = {}
    for one in sorted(found):
        group = merged.setdefault((canonicalize_name(one.package), one.version), [])
        same = [other for other in group if not {*other.ids}.isdisjoint(one.ids)]
        group[:] = [other for other in group if other not in same]
        group.append(
            Vulnerability(
                package=one.package,
                version=one.version,
                ids=_union(other.ids for other in (*same, one)),
                severity=max((other.severity for other in (*same, one)), key=_rank),
                fixed=_union(other.fixed for other in (*same, one)),
            )
        )
    return tuple(sorted(one for group in merged.values() for one in group))


def judge(
    found: Iterable[Vulnerability], policy: PolicySettings, today: datetime.date
) -> tuple[Ruling, ...]:
    """What becomes of each; an exception counts up to its last day, and what nobody can rate is refused."""
    return tuple(_judge(one, policy, today) for one in found)


def find_idle(found: Iterable[Vulnerability], policy: PolicySettings) -> tuple[Exemption, ...]:
    """Exceptions that except nothing."""
    ids = {name for one in found for name in one.ids}
    return tuple(one for one in policy.exceptions if one.id not in ids)


def _judge(one: Vulnerability, policy: PolicySettings, today: datetime.date) -> Ruling:
    exceptions = sorted(
        (other for other in policy.exceptions if other.id in one.ids), key=lambda other: other.until
    )
    if exceptions and exceptions[-1].until >= today:
        return Ruling(
            vulnerability=one,
            outcome="excepted",
            reason=f"until {exceptions[-1].until}: {exceptions[-1].reason}",
        )
    if one.severity and _rank(one.severity) < _rank(policy.severity):
        return Ruling(vulnerability=one, outcome="tolerated", reason=f"less than {policy.severity}")
    ended = f"; its exception ended on {exceptions[-1].until}" if exceptions else ""
    return Ruling(
        vulnerability=one,
        outcome="refused",
        reason=(
            f"{policy.severity} or more" if one.severity else "no scanner knows how severe it is"
        )
        + ended,
    )


def _decode(text: str, kind: type[_Report], scanner: str) -> _Report:
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError as error:
        raise StepFailed(
            f"{scanner} printed something else than its report: {error}",
            hint=f"run {scanner} by hand; a newer or older version may speak another format",
        ) from error


def _severity(word: str) -> str:
    return word.lower() if word.lower() in SEVERITIES else ""


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity else -1


def _union(words: Iterable[Words]) -> Words:
    return tuple(dict.fromkeys(word for some in words for word in some))
