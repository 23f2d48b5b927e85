"""The tasks that show what an image holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from shipway.effects.statements import SbomDocuments
from shipway.errors import CheckFailed, ContextError, SettingsError, StepFailed
from shipway.image.index import Entry, Index
from shipway.image.policies import Point
from shipway.image.sbom import Package
from shipway.run import packages, session
from shipway.run import verify as consumer
from shipway.run.verify import Verdict
from shipway.target.from_image import Expectation
from tests.support.faces import run_task
from tests.support.model_remotes import digest_of
from tests.support.spdx import DOCUMENT

IMAGE = "ghcr.io/acme/app:v1.2.3"


def play_sboms(monkeypatch: pytest.MonkeyPatch, *documents: dict[str, Any]) -> None:
    """Let every image have these SBOMs, for one platform."""
    sboms = SbomDocuments(by_platform={"linux/amd64": list(documents)})
    monkeypatch.setattr(packages, "read_sbom_documents", lambda *_: sboms)


def test_a_refused_package_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = Package(name="a\nb", version="1", license="c\x1b[1A")
    monkeypatch.setattr(packages, "allowed_licenses", lambda _: ("MIT",))
    sboms = packages.ImageSboms(image=IMAGE, digest="", documents={})
    monkeypatch.setattr(packages, "read_sboms", lambda *_: sboms)
    monkeypatch.setattr(packages, "parse_sboms", lambda _: {"linux/amd64": (hostile,)})
    with pytest.raises(CheckFailed) as caught:
        packages.check_licenses(IMAGE, "")
    assert caught.value.message.split("\n")[1:] == [r"  - a\nb 1: c\x1b[1A"]


class TestTasks:
    """What people type."""

    @pytest.fixture(autouse=True)
    def play(self, monkeypatch: pytest.MonkeyPatch) -> None:
        index = Index(
            digest=digest_of("i"), entries=(Entry(digest=digest_of("a"), platform="linux/amd64"),)
        )

        def resolve(_: str, word: str, __: Mapping[str, str]) -> Index | None:
            return index if word != "none" else None

        monkeypatch.setattr(consumer, "resolve_index", resolve)
        play_sboms(monkeypatch, DOCUMENT)

    def test_the_table_and_the_documents(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run_task("sbom", "--image", IMAGE) == 0
        assert capsys.readouterr().out.startswith("linux/amd64: 3 packages\n")
        assert run_task("sbom", "--image", IMAGE, "--json") == 0
        assert json.loads(capsys.readouterr().out)["packages"]["linux/amd64"][2]["license"] is None
        assert run_task("sbom", "--image", IMAGE, "--format", "spdx") == 0
        assert json.loads(capsys.readouterr().out) == {"linux/amd64": DOCUMENT}
        assert run_task("sbom", "--image", IMAGE, "--format", "cyclonedx") == 0
        assert json.loads(capsys.readouterr().out)["metadata"]["component"]["version"] == digest_of(
            "i"
        )
        assert run_task("sbom", "--image", IMAGE, "--format", "yaml") == 3

    def test_a_comparison(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run_task("sbom", "--image", IMAGE, "--diff", IMAGE) == 0
        assert capsys.readouterr().out == "linux/amd64: nothing changed\n"

    def test_licenses_against_a_policy(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "p.toml").write_text('licenses = ["MIT"]')
        assert (
            run_task("licenses", "--image", IMAGE, "--policy", str(tmp_path / "p.toml"), "--json")
            == 1
        )
        found = json.loads(capsys.readouterr().out)
        assert "bash 5: GPL-3.0-or-later\n  - c : unknown" in found["error"]["message"]
        assert [one["name"] for one in found["refused"]["linux/amd64"]] == ["bash", "c"]

    def test_licenses_against_the_settings(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SettingsError, match="no list of licenses"):
            packages.allowed_licenses("")
        (tmp_path / "pyproject.toml").write_text(
            '[project]\nname = "x"\nversion = "1"\n[tool.shipway.policy]\nlicenses = ["MIT", "GPL-3.0-or-later"]\n'
        )
        with pytest.raises(CheckFailed, match="1 packages of"):
            packages.check_licenses(IMAGE, "")
        play_sboms(monkeypatch, {"packages": DOCUMENT["packages"][1:3]})
        assert run_task("licenses", "--image", IMAGE) == 0
        assert "2 packages, all under licenses" in capsys.readouterr().out

    @pytest.mark.parametrize("name", ["licenses", "scan"])
    def test_settings_that_cannot_be_read(
        self,
        name: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "pyproject.toml").write_bytes(b"# caf\xe9")
        assert run_task(name, "--image", IMAGE) == 2
        assert "pyproject.toml cannot be read" in capsys.readouterr().err

    def test_an_image_without_an_sbom_or_none_at_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(StepFailed, match="is not there"):
            packages.render_sbom("ghcr.io/acme/app:none", "table")
        play_sboms(monkeypatch)
        with pytest.raises(StepFailed, match="no SBOM of linux/amd64"):
            packages.render_sbom(IMAGE, "table")
        with pytest.raises(ContextError, match="neither a tag nor a digest"):
            packages.render_sbom("ghcr.io/acme/app", "table")

    def test_without_an_image_it_is_the_commits_own(
        self, monkeypatch: pytest.MonkeyPatch, target: Any
    ) -> None:
        class Bench:  # pylint: disable=missing-class-docstring
            @staticmethod
            def target() -> Any:
                return target

        monkeypatch.setattr(session, "open_session", lambda _: Bench)
        monkeypatch.setattr(packages, "open_session", lambda _: Bench)
        assert packages.choose_image("", print) == "registry.example/acme/toy:sha-ccccccc"

    @pytest.mark.parametrize("holds", [True, False])
    def test_verify(
        self, holds: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        verdict = Verdict(
            image=IMAGE, digest="sha256:1", points=(Point("platforms", holds, "none"),)
        )
        asked: list[object] = []

        def verify(*words: object) -> Verdict:
            asked.append(words)
            return verdict

        monkeypatch.setattr(consumer, "verify_image", verify)
        status = run_task(
            "verify", "--image", IMAGE, "--ref", "refs/heads/x", "--no-transparency-log"
        )
        assert status == (0 if holds else 7)
        assert capsys.readouterr().out == f"{'pass' if holds else 'FAIL'}  platforms: none\n"
        assert run_task("verify", "--image", IMAGE, "--json") == (0 if holds else 7)
        found = json.loads(capsys.readouterr().out)
        assert (
            found["verified"] is holds
            and found["points"][0]["seen"] == "none"
            and ("error" in found) is not holds
        )
        assert asked[0] == (IMAGE, Expectation(ref="refs/heads/x", transparency_log=False))
