"""The stage `commit`."""

from __future__ import annotations

from dataclasses import replace

from shipway.model.actions import Answer, Command
from shipway.model.stage import State
from shipway.model.target import Target
from shipway.model.world import World
from shipway.stages import PIPELINE, commit
from tests.support.conversation import talk


class TestCommit:
    """The commit point."""

    def test_an_annotated_tag_is_peeled(self, target: Target) -> None:
        listed = (
            f"{'b' * 40}\trefs/heads/main\n"
            f"{'7' * 40}\trefs/tags/v1.2.3\n"
            f"{'c' * 40}\trefs/tags/v1.2.3^{{}}\n"
        )
        world = talk(commit.observe, target, World(), (Answer(code=0, out=listed),))
        assert (world.git_tag, world.head) == ("c" * 40, "b" * 40)
        assert commit.judge(target, world).state is State.SAME

    def test_branch_and_tag_are_pushed_together_or_not_at_all(self, target: Target) -> None:
        (push,) = commit.plan(target, World())
        assert isinstance(push, Command)
        assert push.argv == (
            "git",
            "push",
            "--atomic",
            "origin",
            f"{'c' * 40}:refs/heads/main",
            "refs/tags/v1.2.3",
        )

    def test_what_later_stages_need_is_tried_before_it(self, target: Target) -> None:
        (stage,) = (stage for stage in PIPELINE if stage.is_commit_point)
        assert stage.name == commit.NAME
        *trials, push = stage.plan(target, World())
        assert (push,) == commit.plan(target, World())
        version, build = trials
        assert isinstance(version, Command) and version.argv == ("mike", "--version")
        assert isinstance(build, Command) and build.argv[:3] == ("mkdocs", "build", "--strict")
        assert build.folder == target.folder and build.secrets == ()
        assert {trial.effect.value for trial in trials} == {"read", "local"}
        without_docs = replace(target, docs_version=None)
        assert len(stage.plan(without_docs, World())) == 1
