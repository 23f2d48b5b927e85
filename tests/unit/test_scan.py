"""Known vulnerabilities: reports read, merged and judged; scanners asked."""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path

import pytest

from shipway.config import Exemption, Policy, parse
from shipway.errors import SettingsError, StepFailed
from shipway.run import packages, scanning
from shipway.vulnerabilities import Vulnerability, find_idle, judge, merge, parse_grype, parse_pip_audit, parse_trivy
from tests.unit.test_faces import run

IMAGE = "ghcr.io/acme/app:v1.2.3"
DAY = datetime.date(2026, 6, 1)
JINJA = Vulnerability(package="jinja2", version="3.1.2", ids=("GHSA-h5c8", "CVE-2024-22195"), fixed=("3.1.3",))
RATED = Vulnerability(package="Jinja2", version="3.1.2", ids=("CVE-2024-22195",), severity="medium", fixed=("3.1.3",))
AUDIT = {"dependencies": [
    {"name": "attrs", "version": "25.1", "vulns": []},
    {"name": "jinja2", "version": "3.1.2", "vulns": [
        {"id": "GHSA-h5c8", "fix_versions": ["3.1.3"], "aliases": ["CVE-2024-22195"]}]}], "fixes": []}
GRYPE = {"matches": [
    {"vulnerability": {"id": "GHSA-h5c8", "severity": "Medium", "fix": {"versions": ["3.1.3"], "state": "fixed"}},
     "relatedVulnerabilities": [{"id": "CVE-2024-22195"}, {"id": "GHSA-h5c8"}],
     "artifact": {"name": "Jinja2", "version": "3.1.2", "type": "python"}},
    {"vulnerability": {"id": "CVE-2026-1", "severity": "Unknown", "fix": {"versions": None, "state": "wont-fix"}},
     "artifact": {"name": "bash", "version": "5"}}]}
TRIVY = {"SchemaVersion": 2, "Results": [
    {"Target": "Python", "Vulnerabilities": [
        {"VulnerabilityID": "CVE-2024-22195", "PkgName": "Jinja2", "InstalledVersion": "3.1.2",
         "FixedVersion": "3.1.3, 2.11.4", "Severity": "CRITICAL"}]}, {"Target": "debian"}]}


def exempt(until: datetime.date, name: str = "CVE-2024-22195") -> Policy:
    """A policy with one exception."""
    return Policy(exceptions=(Exemption(id=name, until=until, reason="we never call it"),))


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
        assert (first.ids, first.severity, first.fixed) == (("GHSA-h5c8", "CVE-2024-22195"), "medium", ("3.1.3",))
        assert (second.package, second.severity, second.fixed) == ("bash", "", ())

    def test_trivy(self) -> None:
        one, = parse_trivy(json.dumps(TRIVY))
        assert (one.ids, one.severity, one.fixed) == (("CVE-2024-22195",), "critical", ("3.1.3", "2.11.4"))
        assert not list(parse_trivy('{"SchemaVersion": 2}'))

    @pytest.mark.parametrize("reader", [parse_pip_audit, parse_grype, parse_trivy])
    @pytest.mark.parametrize("text", ["", "{}", "[]", '{"matches": 1, "dependencies": [{}], "SchemaVersion": "x"}'])
    def test_something_else_than_a_report(self, reader: object, text: str) -> None:
        assert callable(reader)
        with pytest.raises(StepFailed, match="printed something else than its report"):
            list(reader(text))


class TestRules:
    """One vulnerability once, and what becomes of it."""

    def test_who_finds_it_twice_finds_it_once(self) -> None:
        one, = merge([JINJA, RATED, JINJA])
        assert (one.ids, one.severity) == (("CVE-2024-22195", "GHSA-h5c8"), "medium")
        other = Vulnerability(package="jinja2", version="3.1.2", ids=("CVE-2",))
        newer = Vulnerability(package="jinja2", version="3.1.3", ids=("GHSA-h5c8",))
        assert len(merge([JINJA, other, newer])) == 3
        bridge = Vulnerability(package="jinja2", version="3.1.2", ids=("CVE-2", "GHSA-h5c8"), severity="low")
        assert [{*one.ids} for one in merge([JINJA, other, bridge])] == [{"CVE-2", "GHSA-h5c8", "CVE-2024-22195"}]

    @pytest.mark.parametrize(("severity", "policy", "outcome", "reason"), [
        ("", Policy(), "refused", "no scanner knows how severe it is"),
        ("high", Policy(), "refused", "high or more"), ("critical", Policy(), "refused", "high or more"),
        ("medium", Policy(), "tolerated", "less than high"), ("medium", Policy(severity="low"), "refused", "low or"),
        ("critical", exempt(DAY), "excepted", "until 2026-06-01: we never call it"),
        ("", exempt(DAY, "GHSA-h5c8"), "excepted", "we never"),
        ("critical", exempt(DAY - datetime.timedelta(1)), "refused", "its exception ended on 2026-05-31"),
        ("", exempt(datetime.date(2020, 1, 1)), "refused", "ended on 2020-01-01"),
        ("high", exempt(DAY, "CVE-2024-2219"), "refused", "high or more"),
    ])
    def test_each_has_a_ruling(self, severity: str, policy: Policy, outcome: str, reason: str) -> None:
        one, = judge([Vulnerability(package="jinja2", version="3.1.2", ids=JINJA.ids, severity=severity)], policy, DAY)
        assert one.outcome == outcome and reason in one.reason

    def test_an_exception_of_nothing(self) -> None:
        assert not find_idle([JINJA], exempt(DAY))
        assert [one.id for one in find_idle([JINJA], exempt(DAY, "CVE-2"))] == ["CVE-2"]

    @pytest.mark.parametrize("table", [
        '{id = "", until = 2026-12-31, reason = "x"}', '{id = "CVE-1", until = 2026-12-31, reason = ""}',
        '{id = "CVE-1", until = 2026-12-31}', '{id = "CVE-1", until = "soon", reason = "x"}',
        '{id = "CVE-1", until = 2026-12-31, reason = "x", packages = []}', '{id = "CVE-1", reason = "for ever"}',
    ])
    def test_an_exception_says_until_when_and_why(self, table: str) -> None:
        text = '[project]\nname = "x"\nversion = "1"\n[tool.shipway.policy]\nexceptions = [{}]\n'
        good = parse(text.replace("{}", '{id = "CVE-1", until = 2026-12-31, reason = "x"}')).settings.policy
        assert good.exceptions[0].until == datetime.date(2026, 12, 31)
        with pytest.raises(SettingsError, match=r"tool\.shipway\.policy\.exceptions"):
            parse(text.replace("{}", table))


@pytest.mark.process
class TestScan:
    """What people type; scanners that print what they are told."""

    @pytest.fixture(name="shelf", autouse=True)
    def fixture_shelf(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(packages, "read_sboms", self.read)
        monkeypatch.setattr(scanning, "read_sboms", self.read)
        monkeypatch.setattr(scanning, "equip", lambda environment: {**environment, "PATH": str(tmp_path / "bin")})
        monkeypatch.chdir(tmp_path)
        (tmp_path / "bin").mkdir()
        return tmp_path / "bin"

    @staticmethod
    def read(_: str) -> tuple[str, dict[str, list[dict[str, object]]]]:
        def package(name: str, version: str) -> dict[str, object]:
            return {"SPDXID": f"{name}{version}", "name": name, "versionInfo": version, "externalRefs": [
                {"referenceType": "purl", "referenceLocator": f"pkg:pypi/{name}@{version}"}]}

        both = [package("Jinja2", "3.1.2"), package("attrs", "25.1"), {"name": "bash", "versionInfo": "5"}]
        return "sha256:1", {"linux/amd64": [{"packages": [*both, package("attrs", "26.1")]}],
                            "linux/arm64": [{"packages": both}]}

    def install(self, folder: Path, name: str, report: object, code: int = 0) -> Path:
        """A scanner; gives the file that lists its calls."""
        called = folder.parent / f"{name}.called"
        (folder / name).write_text(
            f"#!{sys.executable}\nimport os, pathlib, sys\n"
            "words = [word for word in sys.argv[1:] if word.startswith(('/', 'sbom:'))]\n"
            "seen = [pathlib.Path(word.removeprefix('sbom:')) for word in words]\n"
            f"with open({str(called)!r}, 'a') as file: print(seen[0].read_text().split(), os.listdir(), file=file)\n"
            f"print({json.dumps(report)!r} if {bool(report)} else '')\nprint('no network', file=sys.stderr)\n"
            f"sys.exit({code})\n")
        (folder / name).chmod(0o755)
        return called

    def test_nothing_is_installed(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("scan", "--image", IMAGE) == 4
        assert "pip install pip-audit" in capsys.readouterr().err

    def test_a_scanner_that_is_named(self, shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.install(shelf, "grype", GRYPE)
        assert run("scan", "--image", IMAGE, "--scanner", "trivy") == 4
        assert run("scan", "--image", IMAGE, "--scanner", "snyk") == 3
        assert "the scanners are pip-audit, grype, trivy" in capsys.readouterr().err

    def test_all_that_are_installed_are_asked(self, shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
        audited = self.install(shelf, "pip-audit", AUDIT, code=1)
        matched, detected = self.install(shelf, "grype", GRYPE), self.install(shelf, "trivy", TRIVY)
        assert run("scan", "--image", IMAGE, "--json") == 1
        found = json.loads(capsys.readouterr().out)
        assert found["scanners"] == ["pip-audit", "grype", "trivy"] and found["error"]["status"] == 1
        rows = {one["package"].lower(): one for one in found["vulnerabilities"]}
        assert set(rows) == {"jinja2", "bash"}
        assert rows["jinja2"]["severity"] == "critical" and rows["jinja2"]["outcome"] == "refused"
        assert rows["jinja2"]["platforms"] == ["linux/amd64", "linux/arm64"]
        # Two versions of one package are asked one after the other, and nobody is asked twice.
        assert [line.split("]")[0] for line in audited.read_text().splitlines()] == [
            "['attrs==25.1', 'jinja2==3.1.2'", "['attrs==26.1'"]
        assert len(matched.read_text().splitlines()) == len(detected.read_text().splitlines()) == 2

    def test_a_policy_may_except_it_for_a_while(self, shelf: Path, tmp_path: Path,
                                                capsys: pytest.CaptureFixture[str]) -> None:
        self.install(shelf, "pip-audit", AUDIT, code=1)
        policy = tmp_path / "policy.toml"
        policy.write_text('exceptions = [{id = "GHSA-h5c8", until = 9999-12-31, reason = "no templates"},\n'
                          '{id = "CVE-9", until = 9999-12-31, reason = "x"}]\n')
        assert run("scan", "--image", IMAGE, "--policy", str(policy)) == 0
        shown = capsys.readouterr().out
        assert "excepted  unknown    jinja2 3.1.2  GHSA-h5c8 CVE-2024-22195  until 9999-12-31: no templates" in shown
        assert "the exception for CVE-9 excepts nothing" in shown and "linux/arm64: 3 packages" in shown
        (tmp_path / "pyproject.toml").write_text(
            '[project]\nname = "x"\nversion = "1"\n[tool.shipway.policy]\n' + policy.read_text())
        assert run("scan", "--image", IMAGE) == 0
        (tmp_path / "pyproject.toml").unlink()
        assert run("scan", "--image", IMAGE) == 1

    @pytest.mark.parametrize(("name", "code"), [("pip-audit", 1), ("pip-audit", 0), ("grype", 0), ("trivy", 2)])
    def test_a_scanner_that_could_not_ask(self, shelf: Path, name: str, code: int,
                                          capsys: pytest.CaptureFixture[str]) -> None:
        self.install(shelf, name, None, code)
        assert run("scan", "--image", IMAGE) == 5
        assert "no network" in capsys.readouterr().err

    def test_a_version_that_python_does_not_know(self, shelf: Path, monkeypatch: pytest.MonkeyPatch,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
        self.install(shelf, "pip-audit", AUDIT)
        monkeypatch.setattr(scanning, "read_sboms", lambda _: ("sha256:1", {"linux/amd64": [{"packages": [
            {"name": "odd", "versionInfo": "a-b", "externalRefs": [
                {"referenceType": "purl", "referenceLocator": "pkg:pypi/odd@a-b"}]}]}]}))
        assert run("scan", "--image", IMAGE) == 5
        assert "versions like these: odd a-b" in capsys.readouterr().err
