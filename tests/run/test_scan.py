"""The task `scan`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from shipway.run import packages
from shipway.run import scan as scanning
from tests.support.faces import run_task
from tests.support.scanner_reports import AUDIT, GRYPE, TRIVY

IMAGE = "ghcr.io/acme/app:v1.2.3"


@pytest.mark.process
class TestScan:
    """What people type; scanners that print what they are told."""

    @pytest.fixture(name="shelf", autouse=True)
    def fixture_shelf(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(packages, "read_sboms", self.read)
        monkeypatch.setattr(scanning, "read_sboms", self.read)
        monkeypatch.setattr(
            scanning, "equip", lambda environment: {**environment, "PATH": str(tmp_path / "bin")}
        )
        monkeypatch.chdir(tmp_path)
        (tmp_path / "bin").mkdir()
        return tmp_path / "bin"

    @staticmethod
    def read(_: str, _environment: object) -> packages.ImageSboms:
        def package(name: str, version: str) -> dict[str, object]:
            return {
                "SPDXID": f"{name}{version}",
                "name": name,
                "versionInfo": version,
                "externalRefs": [
                    {"referenceType": "purl", "referenceLocator": f"pkg:pypi/{name}@{version}"}
                ],
            }

        both = [
            package("Jinja2", "3.1.2"),
            package("attrs", "25.1"),
            {"name": "bash", "versionInfo": "5"},
        ]
        documents: dict[str, list[dict[str, object]]] = {
            "linux/amd64": [{"packages": [*both, package("attrs", "26.1")]}],
            "linux/arm64": [{"packages": both}],
        }
        return packages.ImageSboms(image=IMAGE, digest="sha256:1", documents=documents)

    def install(self, folder: Path, name: str, report: object, code: int = 0) -> Path:
        """A scanner; gives the file that lists its calls."""
        called = folder.parent / f"{name}.called"
        (folder / name).write_text(
            f"#!{sys.executable}\nimport os, pathlib, sys\n"
            "words = [word for word in sys.argv[1:] if word.startswith(('/', 'sbom:'))]\n"
            "seen = [pathlib.Path(word.removeprefix('sbom:')) for word in words]\n"
            f"with open({str(called)!r}, 'a') as file: print(seen[0].read_text().split(), os.listdir(), file=file)\n"
            f"print({json.dumps(report)!r} if {bool(report)} else '')\nprint('no network', file=sys.stderr)\n"
            f"sys.exit({code})\n"
        )
        (folder / name).chmod(0o755)
        return called

    def test_nothing_is_installed(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run_task("scan", "--image", IMAGE) == 4
        assert "pip install pip-audit" in capsys.readouterr().err

    def test_a_scanner_that_is_named(self, shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.install(shelf, "grype", GRYPE)
        assert run_task("scan", "--image", IMAGE, "--scanner", "trivy") == 4
        assert run_task("scan", "--image", IMAGE, "--scanner", "snyk") == 3
        assert "the scanners are pip-audit, grype, trivy" in capsys.readouterr().err

    def test_all_that_are_installed_are_asked(
        self, shelf: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        audited = self.install(shelf, "pip-audit", AUDIT, code=1)
        matched, detected = self.install(shelf, "grype", GRYPE), self.install(shelf, "trivy", TRIVY)
        assert run_task("scan", "--image", IMAGE, "--json") == 1
        found = json.loads(capsys.readouterr().out)
        assert (
            found["scanners"] == ["pip-audit", "grype", "trivy"] and found["error"]["status"] == 1
        )
        rows = {one["package"].lower(): one for one in found["vulnerabilities"]}
        assert set(rows) == {"jinja2", "bash"}
        assert rows["jinja2"]["severity"] == "critical" and rows["jinja2"]["outcome"] == "refused"
        assert rows["jinja2"]["platforms"] == ["linux/amd64", "linux/arm64"]
        # Two versions of one package are asked one after the other, and nobody is asked twice.
        assert [line.split("]")[0] for line in audited.read_text().splitlines()] == [
            "['attrs==25.1', 'jinja2==3.1.2'",
            "['attrs==26.1'",
        ]
        assert len(matched.read_text().splitlines()) == len(detected.read_text().splitlines()) == 2

    def test_a_policy_may_except_it_for_a_while(
        self, shelf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.install(shelf, "pip-audit", AUDIT, code=1)
        policy = tmp_path / "policy.toml"
        policy.write_text(
            'exceptions = [{id = "GHSA-h5c8", until = 9999-12-31, reason = "no templates"},\n'
            '{id = "CVE-9", until = 9999-12-31, reason = "x"}]\n'
        )
        assert run_task("scan", "--image", IMAGE, "--policy", str(policy)) == 0
        shown = capsys.readouterr().out
        assert (
            "excepted  unknown    jinja2 3.1.2  GHSA-h5c8 CVE-2024-22195  until 9999-12-31: no templates"
            in shown
        )
        assert (
            "the exception for CVE-9 excepts nothing" in shown
            and "linux/arm64: 3 packages" in shown
        )
        (tmp_path / "pyproject.toml").write_text(
            '[project]\nname = "x"\nversion = "1"\n[tool.shipway.policy]\n' + policy.read_text()
        )
        assert run_task("scan", "--image", IMAGE) == 0
        (tmp_path / "pyproject.toml").unlink()
        assert run_task("scan", "--image", IMAGE) == 1

    @pytest.mark.parametrize(
        ("name", "code"), [("pip-audit", 1), ("pip-audit", 0), ("grype", 0), ("trivy", 2)]
    )
    def test_a_scanner_that_could_not_ask(
        self, shelf: Path, name: str, code: int, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.install(shelf, name, None, code)
        assert run_task("scan", "--image", IMAGE) == 5
        assert "no network" in capsys.readouterr().err

    def test_a_version_that_python_does_not_know(
        self, shelf: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.install(shelf, "pip-audit", AUDIT)
        purl = {"referenceType": "purl", "referenceLocator": "pkg:pypi/odd@a-b"}
        odd = {"name": "odd", "versionInfo": "a-b", "externalRefs": [purl]}
        sboms = packages.ImageSboms(
            image=IMAGE, digest="sha256:1", documents={"linux/amd64": [{"packages": [odd]}]}
        )
        monkeypatch.setattr(scanning, "read_sboms", lambda *_: sboms)
        assert run_task("scan", "--image", IMAGE) == 5
        assert "versions like these: odd a-b" in capsys.readouterr().err
