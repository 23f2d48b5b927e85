"""What git is asked and told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shipway.errors import StepFailed
from shipway.model.actions import Answer
from shipway.model.release import GitTag
from shipway.tools.git import (
    read_dated_commit,
    read_differences,
    read_refs,
)
from shipway.tools.git_checkout import read_shallow, read_top
from shipway.tools.git_clone import commit_commands
from shipway.tools.git_tags import read_git_tags


def test_tags_are_peeled() -> None:
    out = (
        f"v1\t{'7' * 40}\t{'c' * 40}\t\t{'p' * 40} {'q' * 40}\ttag\tcommit\n"
        f"light\t{'d' * 40}\t\t{'p' * 40}\t\tcommit\t\n"
        f"v2-tree\t{'e' * 40}\t\t\t\ttree\t\nv3\t{'f' * 40}\t{'1' * 40}\t\t\ttag\tblob\n"
    )
    tags = read_git_tags(Answer(code=0, out=out))
    assert tags == (GitTag("v1", "c" * 40, "p" * 40), GitTag("light", "d" * 40, "p" * 40))


def test_a_ref_may_hold_what_ends_a_line_elsewhere() -> None:
    tags = read_git_tags(Answer(code=0, out=f"a\u2028b\t{'d' * 40}\t\t\t\tcommit\t\n"))
    assert tags == (GitTag("a\u2028b", "d" * 40, ""),)
    assert read_refs(Answer(code=0, out="1\trefs/heads/a\x85b\n")) == {"refs/heads/a\x85b": "1"}
    assert not read_git_tags(Answer(code=0)) and not read_refs(Answer(code=0))


def test_the_release_commit_depends_on_nothing_but_what_is_released() -> None:
    commands = commit_commands("/clone", "v1.2.3", 1_700_000_000)
    assert {command.env["GIT_COMMITTER_DATE"] for command in commands} == {"1700000000 +0000"}
    assert commands[1].argv[-1] == "chore(release): v1.2.3 [skip ci]"
    assert all(command.effect == "local" for command in commands)


@pytest.mark.parametrize(
    ("read", "out"),
    [
        (read_dated_commit, ""),
        (read_dated_commit, f"gpg: Good signature\n1700000000 {'a' * 40}"),
        (read_dated_commit, f"-5 {'a' * 40}"),
        (read_dated_commit, "1700000000 HEAD"),
        (read_differences, "1"),
        (read_differences, "a\tb"),
        (read_git_tags, "v1\n"),
        (read_shallow, "true\n"),
        (read_top, ""),
        (read_top, "/top\n"),
        (read_top, "/of two\nlines\n\n"),
    ],
)
def test_an_answer_that_was_not_asked_for_is_an_error(
    read: Callable[[Answer], object], out: str
) -> None:
    with pytest.raises(StepFailed, match="git was asked"):
        read(Answer(code=0, out=out))


def test_answers() -> None:
    digest = "a" * 64
    assert read_dated_commit(Answer(code=0, out=f"17 {digest}\n")) == (17, digest)
    assert read_differences(Answer(code=0, out="1\t2\n")) == (1, 2)
    assert read_top(Answer(code=0, out="/a b\nc d/\n")) == ("/a b", "c d/")
