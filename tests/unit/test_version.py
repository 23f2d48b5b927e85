"""The version: read from python-semantic-release, stamped and tagged deterministically."""

from __future__ import annotations

import tomllib

import pytest

from shipway.config import Release
from shipway.errors import ContextError, StepFailed
from shipway.model import Answer
from shipway.stages import version
from shipway.stages.version import Decision, Tag


@pytest.mark.parametrize(("current", "upcoming", "bump"), [
    ("1.2.3", "2.0.0", "major"), ("1.2.3", "1.3.0", "minor"), ("1.2.3", "1.2.4", "patch"), ("1.2.3", "", ""),
    ("", "0.1.0", "minor"), ("1.2.3-rc.1", "1.2.3", "patch"),
])
def test_the_bump_is_the_first_number_that_differs(current: str, upcoming: str, bump: str) -> None:
    assert Decision(current, upcoming).bump == bump


def test_what_is_due() -> None:
    assert version.read_decision(Answer(code=0, out='{"current": "", "next": "0.1.0"}')) == Decision("", "0.1.0")


@pytest.mark.parametrize("said", ["branch 'x' isn't in any release groups; no release will be made", ""])
def test_a_branch_that_it_does_not_release_is_an_error_not_nothing_due(said: str) -> None:
    with pytest.raises(StepFailed, match="gave no version"):
        version.read_decision(Answer(code=1, err=said))


def test_tags_are_peeled() -> None:
    out = f"v1\t{'7' * 40}\t{'c' * 40}\t\t{'p' * 40} {'q' * 40}\nlight\t{'d' * 40}\t\t{'p' * 40}\t\n"
    found = version.read_tags(Answer(code=0, out=out))
    assert found == (Tag("v1", "c" * 40, "p" * 40), Tag("light", "d" * 40, "p" * 40))


@pytest.mark.parametrize(("tag", "found"), [
    ("v1.2.3", "1.2.3"), ("v1.2.3-rc.1", "1.2.3-rc.1"), ("1.2.3", ""), ("vnext", ""), ("v1.2", ""), ("xv1.2.3", ""),
])
def test_versions_in_tags(tag: str, found: str) -> None:
    assert version.version_of(tag, "v{version}") == found


def test_the_release_of_a_commit_is_its_own_tag_or_the_one_made_on_top_of_it() -> None:
    tags = (Tag("v1.0.0", "a", ""), Tag("v1.1.0", "b", "a"), Tag("other", "a", ""), Tag("v0.9.0", "a", ""))
    assert version.find_release(tags, "a", "v{version}") == Tag("v1.0.0", "a", "")
    assert version.find_release(tags[1:3], "a", "v{version}") == Tag("v1.1.0", "b", "a")
    assert version.find_release(tags, "c", "v{version}") is None


def test_the_release_commit_depends_on_nothing_but_what_is_released() -> None:
    commands = version.commit_commands("/clone", "v1.2.3", 1_700_000_000)
    assert {command.env["GIT_COMMITTER_DATE"] for command in commands} == {"1700000000 +0000"}
    assert commands[1].argv[-1] == "chore(release): v1.2.3 [skip ci]"
    assert all(command.effect == "local" for command in commands)


def test_a_level_that_somebody_asks_for() -> None:
    assert version.read_override("", "") == version.Override()
    assert version.read_override("minor", "it\n is  new") == version.Override("minor", "it is new")
    assert version.question("/c", "f", "python", "minor").argv[-1] == "minor"
    assert version.stamp_command("/c", "f", "python", "major").argv[-1] == "--major"
    assert len(version.question("/c", "f", "python").argv) == 5


@pytest.mark.parametrize(("level", "reason"), [("minor", ""), ("", "because"), ("huge", "because"), ("minor", " \n")])
def test_a_level_without_a_reason_is_refused(level: str, reason: str) -> None:
    with pytest.raises(ContextError) as caught:
        version.read_override(level, reason)
    assert "minor" in caught.value.hint


def test_settings_for_a_project_without_its_own() -> None:
    text = version.render_config(Release(branches=("main", "1.x")), "", inside=False)
    assert r"match = '(main|1\.x)'" in text and "owner/name" in text and "path_filters" not in text


def test_settings_for_a_project_in_a_folder_of_its_repository() -> None:
    alone = tomllib.loads(version.render_config(Release(tag_format="app-v{version}"), "acme/toy", inside=True))
    assert alone["semantic_release"]["commit_parser"] == "conventional-monorepo"
    assert alone["semantic_release"]["commit_parser_options"] == {"path_filters": ["."]}
    more = version.render_config(Release(paths=(".", "../common"), tag_only=True), "acme/toy", inside=True)
    assert tomllib.loads(more)["semantic_release"]["commit_parser_options"] == {"path_filters": [".", "../common"]}
    assert not tomllib.loads(more)["semantic_release"]["version_toml"]
