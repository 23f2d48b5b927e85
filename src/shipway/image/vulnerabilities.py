"""Known vulnerabilities of an image's packages are held against a limit and its exceptions here."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from itertools import chain

import msgspec
from packaging.utils import canonicalize_name

from shipway.image.documents import printable
from shipway.settings import SEVERITIES, Exemption, PolicySettings, Words


class Vulnerability(msgspec.Struct, frozen=True, order=True, kw_only=True):
    """A vulnerability of one version of a package; a severity that nobody knows is empty."""

    package: str
    version: str
    ids: Words
    """The scanner's own name for it first, then its other names."""
    severity: str = ""
    fixed: Words = ()
    """Versions that are not vulnerable any more."""

    @property
    def cure(self) -> str:
        """Say which versions to take instead."""
        if not self.fixed:
            return "no version fixes it yet"
        versions = ", ".join(self.fixed)
        return f"fixed in {versions}"


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a vulnerability: ``refused``, ``excepted`` or ``tolerated``, and why."""

    vulnerability: Vulnerability
    outcome: str
    reason: str

    def render(self) -> str:
        """Write the ruling as a line for people."""
        vulnerability = self.vulnerability
        severity = vulnerability.severity or "unknown"
        columns = (
            self.outcome.ljust(9),
            severity.ljust(10),
            vulnerability.package,
            vulnerability.version,
        )
        subject = " ".join(columns)
        names = " ".join(vulnerability.ids)
        explanation = f"{self.reason}; {vulnerability.cure}"
        return printable(f"{subject}  {names}  {explanation}")


def merge_vulnerabilities(reported: Iterable[Vulnerability]) -> tuple[Vulnerability, ...]:
    """Give each vulnerability once, whoever reported it and by whichever of its names.

    The highest severity that a scanner knows counts.
    """
    groups: dict[tuple[str, str], list[Vulnerability]] = {}
    for vulnerability in sorted(reported):
        name = canonicalize_name(vulnerability.package)
        version = vulnerability.version
        group = groups.get((name, version), [])
        groups[name, version] = _join(group, vulnerability)
    merged: list[Vulnerability] = []
    for group in groups.values():
        merged += group
    merged.sort()
    return tuple(merged)


def _join(group: Sequence[Vulnerability], newcomer: Vulnerability) -> list[Vulnerability]:
    """Add a vulnerability to those of the same package, united with all that share a name."""
    names = set(newcomer.ids)
    distinct: list[Vulnerability] = []
    same: list[Vulnerability] = []
    for member in group:
        if names.isdisjoint(member.ids):
            distinct.append(member)
        else:
            same.append(member)
    return [*distinct, _unite([*same, newcomer])]


def _unite(same: Sequence[Vulnerability]) -> Vulnerability:
    """Make one vulnerability of several reports of it."""
    severities = [vulnerability.severity for vulnerability in same]
    return Vulnerability(
        package=same[-1].package,
        version=same[-1].version,
        ids=_union(vulnerability.ids for vulnerability in same),
        severity=max(severities, key=_rank),
        fixed=_union(vulnerability.fixed for vulnerability in same),
    )


def judge_vulnerabilities(
    vulnerabilities: Iterable[Vulnerability], policy: PolicySettings, today: datetime.date
) -> tuple[Ruling, ...]:
    """Rule what becomes of each vulnerability.

    An exception counts up to its last day, and what nobody can rate is refused.
    """
    rulings = (_judge(vulnerability, policy, today) for vulnerability in vulnerabilities)
    return tuple(rulings)


def find_idle_exceptions(
    vulnerabilities: Iterable[Vulnerability], policy: PolicySettings
) -> tuple[Exemption, ...]:
    """Find the exceptions of a policy that except nothing."""
    names = _union(vulnerability.ids for vulnerability in vulnerabilities)
    idle: list[Exemption] = []
    for exemption in policy.exceptions:
        if exemption.id not in names:
            idle.append(exemption)
    return tuple(idle)


def _judge(vulnerability: Vulnerability, policy: PolicySettings, today: datetime.date) -> Ruling:
    severity = vulnerability.severity
    exemption = _latest_exemption(vulnerability, policy)
    if exemption and exemption.until >= today:
        outcome = "excepted"
        reason = f"until {exemption.until}: {exemption.reason}"
    elif severity and _rank(severity) < _rank(policy.severity):
        outcome = "tolerated"
        reason = f"less than {policy.severity}"
    else:
        outcome = "refused"
        reason = "no scanner knows how severe it is"
        if severity:
            reason = f"{policy.severity} or more"
        if exemption:
            reason += f"; its exception ended on {exemption.until}"
    return Ruling(
        vulnerability=vulnerability,
        outcome=outcome,
        reason=reason,
    )


def _latest_exemption(vulnerability: Vulnerability, policy: PolicySettings) -> Exemption | None:
    """Give the exception of a vulnerability that counts longest; ``None`` where it has none."""
    latest: Exemption | None = None
    for exemption in policy.exceptions:
        if exemption.id not in vulnerability.ids:
            continue
        if latest is None or exemption.until >= latest.until:
            latest = exemption
    return latest


def _rank(severity: str) -> int:
    """Give the place of a severity among all; -1 where nobody knows it."""
    if not severity:
        return -1
    return SEVERITIES.index(severity)


def _union(groups: Iterable[Words]) -> Words:
    """Give every word of several groups once, in their order."""
    words = chain.from_iterable(groups)
    return tuple(dict.fromkeys(words))
