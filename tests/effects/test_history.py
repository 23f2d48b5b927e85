"""What python-semantic-release decides when it sees the commits since the last release, and when it sees everything."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import pytest

from shipway.effects.questions import Answerer
from shipway.errors import ContextError, StepFailed
from shipway.model.actions import NextVersion
from shipway.model.release import Change, Decision
from shipway.model.version import Version
from shipway.tools.semantic_release import QUIET
from tests.support.histories import (
    History,
    at_random,
    clone_of,
    config_of,
    disagreements,
    heads,
)
from tests.support.repositories import commit, git

pytestmark = pytest.mark.process


def decide(clone: Path, config: Path, level: str = "", **variables: str) -> Decision:
    """The answer to the question, in this process's environment and with more variables."""
    question = NextVersion(
        name="version", why="test", folder=str(clone), config=str(config), level=level
    )
    return Answerer({**os.environ, **variables})(question)


def first_release(tmp_path: Path) -> tuple[Path, Path]:
    """A clone with one feature and no release, and the settings for it."""
    made = History(chance=at_random(0, 2).chance)
    made.begin()
    clone = clone_of(made.write(tmp_path / "source"), tmp_path / "clone")
    commit(clone, "feat: first")
    return clone, config_of(tmp_path / "config")


@pytest.mark.parametrize("prerelease", [False, True])
def test_both_say_the_same_commit_by_commit(tmp_path: Path, prerelease: bool) -> None:
    """A few commits; the end-to-end lane takes three hundred of each of three histories."""
    source = at_random(1, 40).write(tmp_path / "source")
    clone = clone_of(source, tmp_path / "clone")
    assert not disagreements(
        clone, config_of(tmp_path / "config", prerelease=prerelease), heads(source, 6)
    )


def test_a_side_branch_that_began_before_the_release(tmp_path: Path) -> None:
    made = History(chance=at_random(0, 2).chance)
    made.begin()
    old = made.commit("main", "feat: before")
    released = made.commit("main", "fix: released")
    made.tag("v1.2.0", released)
    made.commit("topic", "fix: beside", old)
    made.commit("main", "Merge branch 'topic'", released, made.heads["topic"])
    clone = clone_of(made.write(tmp_path / "source"), tmp_path / "clone")
    config = config_of(tmp_path / "config")
    assert decide(clone, config) == Decision(Version(1, 2, 0), Version(1, 2, 1))
    # What is shown ends at the release: the release, where the side branch began, and what came since.
    assert git(clone, "rev-list", "--count", "HEAD") == "4" and git(clone, "tag") == "v1.2.0"


def test_a_changelog_of_all_releases_sees_all_of_them(tmp_path: Path) -> None:
    made = History(chance=at_random(0, 2).chance)
    made.begin()
    made.tag("v0.1.0", made.commit("main", "feat: one"))
    made.tag("v0.2.0", made.commit("main", "feat: two"), annotated=False)
    made.commit("main", "fix: three")
    clone = clone_of(made.write(tmp_path / "source"), tmp_path / "clone")
    config = config_of(tmp_path / "config")
    expected = Decision(Version(0, 2, 0), Version(0, 2, 1))
    assert decide(clone, config) == expected and git(clone, "tag") == "v0.2.0"
    config.write_text(config.read_text().replace('"update"', '"init"'))
    assert decide(clone, config) == expected
    assert (
        git(clone, "tag").split() == ["v0.1.0", "v0.2.0"]
        and git(clone, "rev-list", "--count", "HEAD") == "4"
    )
    assert decide(clone, config, "major") == Decision(Version(0, 2, 0), Version(1, 0, 0))
    assert git(clone, "tag").split() == ["v0.1.0", "v0.2.0"]


def test_a_tags_name_may_hold_what_ends_a_line_elsewhere(tmp_path: Path) -> None:
    made = History(chance=at_random(0, 2).chance)
    made.begin()
    clone = clone_of(made.write(tmp_path / "source"), tmp_path / "clone")
    config = config_of(tmp_path / "config")
    commit(clone, "feat: first")
    git(clone, "update-ref", "refs/released/odd\u2028name", "HEAD")
    config.write_text(config.read_text().replace('"update"', '"init"'))
    assert decide(clone, config) == Decision(None, Version(0, 1, 0))


def test_nothing_due_and_no_release_branch(tmp_path: Path) -> None:
    made = History(chance=at_random(0, 2).chance)
    made.begin()
    clone = clone_of(made.write(tmp_path / "source"), tmp_path / "clone")
    config = config_of(tmp_path / "config")
    assert decide(clone, config) == Decision(None, None)
    commit(clone, "feat: first")
    assert decide(clone, config) == Decision(None, Version(0, 1, 0))
    assert decide(clone, config, "major") == Decision(None, Version(1, 0, 0))
    for name in ("topic", "mainline"):
        git(clone, "checkout", "--quiet", "-B", name)
        with pytest.raises(ContextError, match=f"branch '{name}' isn't in any") as caught:
            decide(clone, config)
        assert "whole name" in caught.value.hint


def test_a_level_on_a_branch_of_prereleases(tmp_path: Path) -> None:
    clone, _ = first_release(tmp_path)
    config = config_of(tmp_path / "other", prerelease=True)
    assert str(decide(clone, config).upcoming) == "0.1.0-rc.1"
    with pytest.raises(StepFailed, match="gave no version: this branch makes pre-releases"):
        decide(clone, config, "minor")


def test_a_candidate_is_counted_from_the_full_release_below_it(tmp_path: Path) -> None:
    made = History(chance=at_random(0, 2).chance)
    made.begin()
    made.tag("v3.1.0", made.commit("main", "feat: released"))
    made.tag("v3.1.1-rc.1", made.commit("main", "fix: tried"))
    made.commit("main", "feat: more than was tried")
    clone = clone_of(made.write(tmp_path / "source"), tmp_path / "clone")
    config = config_of(tmp_path / "config", prerelease=True)
    decision = decide(clone, config)
    assert (str(decision.current), str(decision.upcoming)) == ("3.1.1-rc.1", "3.2.0-rc.1")


def test_the_tools_warnings_are_not_shipways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clone, config = first_release(tmp_path)
    text = config.read_text()
    config.write_text(text.replace('token_for_push": true', 'token_for_push": false'))
    for name in ("", "semantic_release"):
        monkeypatch.setattr(logging.getLogger(name), "handlers", [])
    assert decide(clone, config).upcoming
    assert capsys.readouterr() == ("", "")


class TestWhatCannotBeDecided:
    """Is told in one sentence, and never as a traceback."""

    @pytest.mark.parametrize(
        ("setting", "other", "reason"),
        [
            ('"v{version}"', '"v"', "ValueError: Invalid tag_format 'v'"),
            ('"update"', '"nonsense"', "ValidationError: 1 validation error"),
            ('"conventional"', "this is no text", "InvalidConfiguration: None of"),
            ('"conventional"', '"nowhere:Parser"', "ParserLoadError: No module named 'nowhere'; "),
        ],
    )
    def test_settings_that_make_no_sense(
        self, tmp_path: Path, setting: str, other: str, reason: str
    ) -> None:
        clone, config = first_release(tmp_path)
        config.write_text(config.read_text().replace(setting, other))
        with pytest.raises(StepFailed) as caught:
            decide(clone, config)
        message = caught.value.message
        assert message.startswith(f"python-semantic-release gave no version: {reason}")
        assert "pydantic.dev" not in message and "\n" not in message

    def test_a_broken_repository(self, tmp_path: Path) -> None:
        clone, config = first_release(tmp_path)
        decide(clone, config)
        for folder in (clone / ".git" / "objects").glob("??"):
            for file in folder.iterdir():
                file.unlink()
        with pytest.raises(StepFailed, match="gave no version: ") as caught:
            decide(clone, config)
        assert caught.value.hint

    def test_git_refuses(self, tmp_path: Path) -> None:
        clone, config = first_release(tmp_path)
        git(clone, "update-ref", "refs/released/v1.0.0", "HEAD")
        (clone / ".git" / "refs" / "tags").mkdir(exist_ok=True)
        (clone / ".git" / "refs" / "tags" / "v1.0.0.lock").touch()
        with pytest.raises(StepFailed, match="gave no version: git update-ref: fatal: ") as caught:
            decide(clone, config)
        assert "git fsck" in caught.value.hint


PARSER = """
import os, pathlib
from semantic_release.commit_parser.conventional import ConventionalCommitParser

class Parser(ConventionalCommitParser):
    def parse(self, commit):
        print("a word of the parser")
        seen = sorted(f"{name}={value}" for name, value in os.environ.items())
        pathlib.Path(os.environ["REPORT"]).write_text("\\n".join(seen))
        ENDING
"""


class TestAParserOfTheProject:
    """Sees what the question is given, and leaves nothing behind."""

    def scene(
        self, tmp_path: Path, ending: str = "return super().parse(commit)"
    ) -> tuple[Path, Path]:
        """A clone with a parser of its own in `tools/`, and settings that name it."""
        clone, config = first_release(tmp_path)
        (clone / "tools").mkdir()
        (clone / "tools" / "parser.py").write_text(PARSER.replace("ENDING", ending))
        commit(clone, "feat: a parser")
        text = config.read_text()
        config.write_text(text.replace('"conventional"', '"tools.parser:Parser"'))
        return clone, config

    def test_it_sees_no_secret_and_not_the_process(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        clone, config = self.scene(tmp_path)
        monkeypatch.setenv("GITHUB_TOKEN", "of the process")
        monkeypatch.setenv("ONLY_HERE", "of the process")
        monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
        report = tmp_path / "report"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "REPORT": str(report),
            "MY_TOKEN": "hunter2hunter2",
            "NAMED_TOKEN": "swordfish",
            "GH_TOKEN": "hunter3hunter3",
        }
        before, path, folder = dict(os.environ), sys.path[:], os.getcwd()
        question = NextVersion(
            name="version",
            why="test",
            folder=str(clone),
            config=str(config),
            secrets=("NAMED_TOKEN",),
        )
        assert Answerer(environment)(question) == Decision(None, Version(0, 1, 0))
        seen = dict(line.split("=", 1) for line in report.read_text().splitlines())
        assert set(seen) == {"PATH", "HOME", "REPORT", "NAMED_TOKEN", *QUIET}
        assert seen["GITHUB_OUTPUT"] == seen["GH_TOKEN"] == ""
        assert (dict(os.environ), sys.path, os.getcwd()) == (before, path, folder)
        assert not [name for name in sys.modules if name.startswith("tools.parser")]
        assert capsys.readouterr() == ("", "")

    @pytest.mark.parametrize(
        "ending", ["raise KeyError('hunter2hunter2')", "raise SystemExit('hunter2hunter2')"]
    )
    def test_what_it_raises_is_told_and_all_is_as_before(self, tmp_path: Path, ending: str) -> None:
        clone, config = self.scene(tmp_path, ending)
        before, folder = dict(os.environ), os.getcwd()
        with pytest.raises(StepFailed, match=r"gave no version: \w+: .*\*\*\*"):
            decide(clone, config, REPORT=str(tmp_path / "report"), MY_TOKEN="hunter2hunter2")
        assert (dict(os.environ), os.getcwd()) == (before, folder)

    def test_the_next_project_has_another_parser(self, tmp_path: Path) -> None:
        first = self.scene(tmp_path / "first")
        second = self.scene(tmp_path / "second")
        report = str(tmp_path / "report")
        decide(*first, REPORT=report)
        (second[0] / "tools" / "parser.py").write_text("raise ValueError('of the second')")
        with pytest.raises(StepFailed, match="of the second"):
            decide(*second, REPORT=report)


def test_what_calls_for_the_version(tmp_path: Path) -> None:
    made = History(chance=at_random(0, 2).chance)
    made.begin()
    made.tag("v1.0.0", made.commit("main", "feat: before"))
    made.commit("main", "docs: words")
    made.commit("main", "Merge it (#7)\n\n* feat: of a squash\n\n* fix: of a squash, too\n")
    clone = clone_of(made.write(tmp_path / "source"), tmp_path / "clone")
    decision = decide(clone, config_of(tmp_path / "config"))
    head = git(clone, "rev-parse", "HEAD")
    assert decision.changes == (
        Change(head, "of a squash"),
        Change(head, "of a squash, too"),
    )


def test_build_metadata_is_a_part_of_the_last_version(tmp_path: Path) -> None:
    clone, config = first_release(tmp_path)
    git(clone, "update-ref", "refs/released/v1.0.0", "HEAD")
    commit(clone, "fix: built again")
    git(clone, "update-ref", "refs/released/v1.0.0+build.5", "HEAD")
    last = Version(1, 0, 0, build="build.5")
    assert decide(clone, config) == Decision(last, None)
    commit(clone, "fix: more")
    decision = decide(clone, config)
    assert (decision.current, decision.upcoming) == (last, Version(1, 0, 1))
    assert len(decision.changes) == 1
