"""Known vulnerabilities: reports read, merged and judged."""

from __future__ import annotations

import datetime
import json

import pytest

from shipway.errors import SettingsError, StepFailed
from shipway.image.scan_reports import parse_grype, parse_pip_audit, parse_trivy
from shipway.image.vulnerabilities import (
    Vulnerability,
    find_idle_exceptions,
    judge_vulnerabilities,
    merge_vulnerabilities,
)
from shipway.settings import Exemption, PolicySettings, parse_project
from tests.support.scanner_reports import AUDIT, GRYPE, TRIVY

DAY = datetime.date(2026, 6, 1)
JINJA = Vulnerability(
    package="jinja2", version="3.1.2", ids=("GHSA-h5c8", "CVE-2024-22195"), fixed=("3.1.3",)
)
RATED = Vulnerability(
    package="Jinja2", version="3.1.2", ids=("CVE-2024-22195",), severity="medium", fixed=("3.1.3",)
)


def exempt(until: datetime.date, name: str = "CVE-2024-22195") -> PolicySettings:
    """A policy with one exception."""
    return PolicySettings(exceptions=(Exemption(id=name, until=until, reason="we never call it"),))


class TestReports:
    """What the scanners print."""

    def test_pip_audit(self) -> None:
        assert list(parse_pip_audit(json.dumps(AUDIT))) == [JINJA]

    def test_pip_audit_that_could_not_ask(self) -> None:
        skipped = {"dependencies": [{"name": "odd", "skip_reason": "not found"}]}
        with pytest.raises(StepFailed, match="could not be asked about odd: not found"):
            list(parse_pip_audit(json.dumps(skipped)))

    def test_grype(self) -> None:
        first, second = parse_grype(json.dumps(GRYPE))
        assert (first.ids, first.severity, first.fixed) == (
            ("GHSA-h5c8", "CVE-2024-22195"),
            "medium",
            ("3.1.3",),
        )
        assert (second.package, second.severity, second.fixed) == ("bash", "", ())

    def test_trivy(self) -> None:
        (one,) = parse_trivy(json.dumps(TRIVY))
        assert (one.ids, one.severity, one.fixed) == (
            ("CVE-2024-22195",),
            "critical",
            ("3.1.3", "2.11.4"),
        )
        assert not list(parse_trivy('{"SchemaVersion": 2}'))

    @pytest.mark.parametrize("reader", [parse_pip_audit, parse_grype, parse_trivy])
    @pytest.mark.parametrize(
        "text", ["", "{}", "[]", '{"matches": 1, "dependencies": [{}], "SchemaVersion": "x"}']
    )
    def test_something_else_than_a_report(self, reader: object, text: str) -> None:
        assert callable(reader)
        with pytest.raises(StepFailed, match="printed something else than its report"):
            list(reader(text))


class TestRules:
    """One vulnerability once, and what becomes of it."""

    def test_who_finds_it_twice_finds_it_once(self) -> None:
        (one,) = merge_vulnerabilities([JINJA, RATED, JINJA])
        assert (one.ids, one.severity) == (("CVE-2024-22195", "GHSA-h5c8"), "medium")
        other = Vulnerability(package="jinja2", version="3.1.2", ids=("CVE-2",))
        newer = Vulnerability(package="jinja2", version="3.1.3", ids=("GHSA-h5c8",))
        assert len(merge_vulnerabilities([JINJA, other, newer])) == 3
        dotted = Vulnerability(package="Zope.Interface", version="1", ids=("CVE-3",))
        dashed = Vulnerability(package="zope_-interface", version="1", ids=("CVE-3",))
        assert len(merge_vulnerabilities([dotted, dashed])) == 1
        bridge = Vulnerability(
            package="jinja2", version="3.1.2", ids=("CVE-2", "GHSA-h5c8"), severity="low"
        )
        assert [{*one.ids} for one in merge_vulnerabilities([JINJA, other, bridge])] == [
            {"CVE-2", "GHSA-h5c8", "CVE-2024-22195"}
        ]

    @pytest.mark.parametrize(
        ("severity", "policy", "outcome", "reason"),
        [
            ("", PolicySettings(), "refused", "no scanner knows how severe it is"),
            ("high", PolicySettings(), "refused", "high or more"),
            ("critical", PolicySettings(), "refused", "high or more"),
            ("medium", PolicySettings(), "tolerated", "less than high"),
            ("medium", PolicySettings(severity="low"), "refused", "low or"),
            ("critical", exempt(DAY), "excepted", "until 2026-06-01: we never call it"),
            ("", exempt(DAY, "GHSA-h5c8"), "excepted", "we never"),
            (
                "critical",
                exempt(DAY - datetime.timedelta(1)),
                "refused",
                "its exception ended on 2026-05-31",
            ),
            ("", exempt(datetime.date(2020, 1, 1)), "refused", "ended on 2020-01-01"),
            ("high", exempt(DAY, "CVE-2024-2219"), "refused", "high or more"),
        ],
    )
    def test_each_has_a_ruling(
        self, severity: str, policy: PolicySettings, outcome: str, reason: str
    ) -> None:
        (one,) = judge_vulnerabilities(
            [Vulnerability(package="jinja2", version="3.1.2", ids=JINJA.ids, severity=severity)],
            policy,
            DAY,
        )
        assert one.outcome == outcome and reason in one.reason

    def test_a_ruling_is_one_line_whatever_the_package_is_called(self) -> None:
        hostile = Vulnerability(package="a\nb", version="1\x1b[1A", ids=("CVE-1",))
        (ruling,) = judge_vulnerabilities([hostile], PolicySettings(), DAY)
        assert ruling.render() == (
            r"refused   unknown    a\nb 1\x1b[1A  CVE-1  "
            "no scanner knows how severe it is; no version fixes it yet"
        )

    def test_an_exception_of_nothing(self) -> None:
        assert not find_idle_exceptions([JINJA], exempt(DAY))
        assert [one.id for one in find_idle_exceptions([JINJA], exempt(DAY, "CVE-2"))] == ["CVE-2"]

    @pytest.mark.parametrize(
        "table",
        [
            '{id = "", until = 2026-12-31, reason = "x"}',
            '{id = "CVE-1", until = 2026-12-31, reason = ""}',
            '{id = "CVE-1", until = 2026-12-31}',
            '{id = "CVE-1", until = "soon", reason = "x"}',
            '{id = "CVE-1", until = 2026-12-31, reason = "x", packages = []}',
            '{id = "CVE-1", reason = "for ever"}',
        ],
    )
    def test_an_exception_says_until_when_and_why(self, table: str) -> None:
        text = '[project]\nname = "x"\nversion = "1"\n[tool.shipway.policy]\nexceptions = [{}]\n'
        good = parse_project(
            text.replace("{}", '{id = "CVE-1", until = 2026-12-31, reason = "x"}')
        ).settings.policy
        assert good.exceptions[0].until == datetime.date(2026, 12, 31)
        with pytest.raises(SettingsError, match=r"tool\.shipway\.policy\.exceptions"):
            parse_project(text.replace("{}", table))
