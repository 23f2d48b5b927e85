"""The recipes of the real programs, read as data: locked by hash, without an address of any place."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.parts import __main__ as program
from tests.parts import building
from tests.parts.building import NotBuilt, folder_of, is_built, key_of
from tests.parts.recipes import FOLDER, PARTS, Part
from tests.support.parts import require_part

each_part = pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
FIRST = PARTS[0]


@pytest.fixture(name="copy")
def fixture_copy(tmp_path: Path) -> Part:
    """A part whose files may be changed."""
    shutil.copytree(FIRST.folder, tmp_path / FIRST.name)
    return replace(FIRST, sources=tmp_path)


class TestLocks:
    """`go.mod` and `go.sum`."""

    def test_are_there_for_every_part_and_no_other(self) -> None:
        assert {part.name for part in PARTS} == {
            file.parent.name for file in FOLDER.glob("*/go.mod")
        }

    @each_part
    def test_name_the_module_and_a_release_of_go(self, part: Part) -> None:
        assert re.fullmatch(r"v\d+\.\d+\.\d+", part.version)
        assert re.fullmatch(r"go1\.\d+\.\d+", part.toolchain)
        assert all(package.startswith(part.module) for package in part.programs.values())

    @each_part
    def test_hold_modules_and_hashes_and_nothing_else(self, part: Part) -> None:
        sums = (part.folder / "go.sum").read_text(encoding="utf-8")
        assert re.fullmatch(r"(\S+ v\S+ h1:[\w+/]{43}=\n)+", sums)
        assert not re.search("replace|://", part.requirements)


class TestKey:
    """What a part's folder in the cache is called."""

    def test_stays_while_nothing_is_changed(self, copy: Part) -> None:
        assert key_of(copy) == key_of(FIRST)

    @pytest.mark.parametrize("name", ["go.mod", "go.sum"])
    def test_changes_with_each_file(self, copy: Part, name: str) -> None:
        with (copy.folder / name).open("a") as file:
            file.write("// changed\n")
        assert key_of(copy) != key_of(FIRST)

    def test_changes_with_the_recipe(self, copy: Part) -> None:
        assert key_of(replace(copy, flags=("-race",))) != key_of(copy)


class TestBuild:
    """A build, with another program in the place of Go."""

    @pytest.fixture(name="environment")
    def fixture_environment(self, tmp_path: Path) -> dict[str, str]:
        folder = tmp_path / "bin"
        folder.mkdir()
        return {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": f"{folder}:/usr/bin:/bin"}

    @staticmethod
    def stand_in(environment: dict[str, str], script: str) -> None:
        """Let `go` be a script."""
        file = Path(environment["PATH"].partition(":")[0]) / "go"
        file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        file.chmod(0o755)

    @pytest.mark.process
    def test_is_made_once_and_says_so(
        self, copy: Part, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.stand_in(
            environment,
            "for word; do case $word in -o=*) out=${word#-o=};; esac; done\n"
            'mkdir -p "$(dirname "$out")"; echo "$GOTOOLCHAIN $CGO_ENABLED" > "$out"',
        )
        assert not is_built(copy, environment)
        assert program.provide(copy, environment) and program.provide(copy, environment)
        built, cached = capsys.readouterr().out.splitlines()
        assert re.fullmatch(rf"actionlint {copy.version}: built in \d+ s", built)
        assert cached == f"actionlint {copy.version}: in the cache"
        text = (folder_of(copy, environment) / "actionlint").read_text(encoding="utf-8")
        assert text == f"{copy.toolchain} 0\n"

    @pytest.mark.process
    def test_that_fails_leaves_nothing_and_is_named(
        self, copy: Part, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.stand_in(environment, "echo no such module >&2; exit 1")
        assert not program.provide(copy, environment)
        assert capsys.readouterr().err.endswith("could not be built\nno such module\n")
        assert not list(folder_of(copy, environment).parent.iterdir())

    def test_that_hangs_is_ended(
        self, copy: Part, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def hang(*_words: object, **options: float) -> None:
            raise subprocess.TimeoutExpired("go", options["timeout"])

        monkeypatch.setattr(subprocess, "run", hang)
        with pytest.raises(NotBuilt, match="1800 s"):
            building.build(copy, environment)


class TestWhereItIsMissing:
    """A laptop skips, and CI fails."""

    @pytest.fixture(autouse=True)
    def nothing_built(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def test_a_laptop_skips_the_test(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CI", raising=False)
        with pytest.raises(pytest.skip.Exception, match="nox -s parts -- registry"):
            require_part("registry")

    def test_ci_fails_the_test(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CI", "true")
        with pytest.raises(pytest.fail.Exception, match="nox -s parts -- registry"):
            require_part("registry")

    def test_without_go_the_program_says_what_to_install(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr("sys.argv", ["parts"])
        monkeypatch.setenv("PATH", str(tmp_path))
        assert program.main() == 1
        assert "there is no Go: install it" in capsys.readouterr().err


def test_a_step_of_a_job_puts_programs_on_the_path_of_the_next(tmp_path: Path) -> None:
    environment = {"XDG_CACHE_HOME": str(tmp_path), "GITHUB_PATH": str(tmp_path / "path")}
    program.put_on_path([FIRST], environment)
    assert (tmp_path / "path").read_text() == f"{folder_of(FIRST, environment)}\n"
