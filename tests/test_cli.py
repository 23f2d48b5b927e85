"""The program."""

from __future__ import annotations

import runpy
import sys

import pytest

from shipway import cli, tasks


def test_the_program_and_the_module(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for start in (cli.main, lambda: runpy.run_module("shipway", run_name="__main__")):
        monkeypatch.setattr(sys, "argv", ["shipway", "--version"])
        with pytest.raises(SystemExit) as end:
            start()
            raise SystemExit(0)
        assert not end.value.code and capsys.readouterr().out.startswith("shipway ")


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        ("verify a/b:c --json", "verify --image a/b:c --json"),
        ("verify --json a/b:c", "verify --json --image a/b:c"),
        ("verify --policy p.toml a/b:c", "verify --policy p.toml --image a/b:c"),
        ("verify --image a/b:c", "verify --image a/b:c"),
        ("verify --image=a/b:c", "verify --image=a/b:c"),
        ("verify", "verify"),
        ("sign verify promote", "sign verify promote"),
        ("tags x", "tags x"),
        ("--list", "--list"),
        ("inspect a/b:c --predicate t", "inspect --image a/b:c --predicate t"),
        ("inspect --predicate t a/b@d", "inspect --predicate t --image a/b@d"),
        ("inspect", "inspect"),
        ("sbom a/b:c --diff a/b:d", "sbom --image a/b:c --diff a/b:d"),
        ("notes v1.2.3 --json", "notes --version v1.2.3 --json"),
        ("rollback v1.2.3", "rollback --version v1.2.3"),
        ("--dry verify --diff a/b:c", "--dry verify --diff --image a/b:c"),
    ],
)
def test_an_image_needs_no_flag(given: str, understood: str) -> None:
    assert [*cli.name_image(["shipway", *given.split()])] == ["shipway", *understood.split()]
    assert tasks.namespace
