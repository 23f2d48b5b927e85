"""The stage `document`."""

from __future__ import annotations

from dataclasses import replace

from shipway.model.actions import Answer, Command
from shipway.model.stage import State
from shipway.model.target import Target, require_release
from shipway.model.world import DocsVersion, World
from shipway.stages import document
from tests.support.conversation import talk


class TestDocument:
    """The docs."""

    def test_a_docs_branch_without_a_list_has_no_versions(self, target: Target) -> None:
        refs = Answer(code=0, out=f"{'d' * 40}\trefs/heads/gh-pages\n")
        world = talk(
            document.observe,
            target,
            World(),
            (refs,),
            (Answer(code=0),),
            (Answer(code=128),),
        )
        assert world.docs == {} and "no docs version 1.2" in document.judge(target, world).evidence

    def test_an_older_patch_is_replaced(self, target: Target) -> None:
        finding = document.judge(target, World(docs={"1.2": DocsVersion("1.2.2", ("latest",))}))
        assert (finding.state, finding.evidence) == (State.ABSENT, "1.2 shows 1.2.2")

    def test_latest_has_to_point_at_the_highest_version(self, target: Target) -> None:
        finding = document.judge(target, World(docs={"1.2": DocsVersion("1.2.3", ())}))
        assert finding.state is State.ABSENT and "latest is not an alias" in finding.evidence

    def test_an_older_line_leaves_latest_alone(self, target: Target) -> None:
        older = replace(target, release=replace(require_release(target), moving=()))
        (deploy,) = document.plan(older, World())
        assert isinstance(deploy, Command) and deploy.argv[-1] == "1.2"
        world = document.simulate(older, World(docs={"2.0": DocsVersion("2.0.0", ("latest",))}))
        assert world.docs == {
            "2.0": DocsVersion("2.0.0", ("latest",)),
            "1.2": DocsVersion("1.2.3", ()),
        }
        assert document.judge(older, world).state is State.SAME

    def test_latest_moves_from_the_version_before(self, target: Target) -> None:
        world = document.simulate(target, World(docs={"1.1": DocsVersion("1.1.0", ("latest",))}))
        assert world.docs == {
            "1.1": DocsVersion("1.1.0", ()),
            "1.2": DocsVersion("1.2.3", ("latest",)),
        }

    def test_who_has_no_docs(self, target: Target) -> None:
        assert "no docs" in (document.skip_reason(replace(target, docs_version=None)) or "")
        assert "not released" in (document.skip_reason(replace(target, release=None)) or "")
        early = replace(target, channel="prerelease", docs_version=None)
        assert document.skip_reason(early) == "a pre-release publishes no docs"
        assert document.skip_reason(target) is None
