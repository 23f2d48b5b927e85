"""The stage `document`."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from shipway.effects.executor import Executor
from shipway.effects.processes import Processes
from shipway.effects.questions import Answerer
from shipway.errors import StepFailed
from shipway.model.actions import Answer, Command
from shipway.model.stage import State
from shipway.model.target import Target, require_release
from shipway.model.version import Version
from shipway.model.world import DocsVersion, World
from shipway.stages import document
from tests.support.conversation import talk
from tests.support.repositories import commit, git, make_clone


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
            (Answer(code=0),),
        )
        assert world.docs == {} and "no docs version 1.2" in document.judge(target, world).evidence

    @pytest.mark.process
    @pytest.mark.parametrize("harm", ["origin.git", "versions.json"])
    def test_a_list_that_git_cannot_read_is_not_an_empty_one(
        self, target: Target, tmp_path: Path, harm: str
    ) -> None:
        clone = make_clone(tmp_path)
        bare = tmp_path / "origin.git"
        git(clone, "remote", "set-url", "origin", str(bare))
        git(clone, "checkout", "--quiet", "--orphan", "gh-pages")
        (clone / "versions.json").write_text("[]")
        commit(clone, "docs")
        git(clone, "push", "--quiet", "origin", "gh-pages")
        git(clone, "checkout", "--quiet", "main")
        asking = replace(target, folder=str(clone))
        executor = Executor(runner=Processes({"PATH": os.environ["PATH"]}), answers=Answerer({}))
        assert document.observe(asking, World(), executor).docs == {}
        if harm == "origin.git":
            (bare / "HEAD").unlink()
        else:
            blob = git(clone, "rev-parse", f"gh-pages:{harm}")
            (clone / ".git/objects" / blob[:2] / blob[2:]).unlink()
        with pytest.raises(StepFailed):
            document.observe(asking, World(), executor)

    def test_an_older_patch_is_replaced(self, target: Target) -> None:
        finding = document.judge(target, World(docs={"1.2": DocsVersion("1.2.2", ("latest",))}))
        assert (finding.state, finding.evidence) == (State.ABSENT, "1.2 shows 1.2.2")

    @pytest.mark.parametrize(
        ("title", "state", "evidence"),
        [
            ("1.2.4", State.SAME, "1.2 shows 1.2.4, which is newer"),
            ("1.2.10", State.SAME, "1.2 shows 1.2.10, which is newer"),
            ("v1.2.4", State.ABSENT, "1.2 shows v1.2.4"),
            ("1.2.5", State.ABSENT, "1.2 shows 1.2.5"),  # which was withdrawn
            ("1.2.4-rc.1", State.ABSENT, "1.2 shows 1.2.4-rc.1"),
            ("the second edition", State.ABSENT, "1.2 shows the second edition"),
        ],
    )
    @pytest.mark.parametrize("aliases", [(), ("latest",)])
    def test_the_docs_of_a_newer_patch_stay(
        self, target: Target, title: str, state: State, evidence: str, aliases: tuple[str, ...]
    ) -> None:
        release = replace(require_release(target), withdrawn=(Version(1, 2, 5),))
        target = replace(target, release=release)
        finding = document.judge(target, World(docs={"1.2": DocsVersion(title, aliases)}))
        assert (finding.state, finding.evidence) == (state, evidence)

    def test_the_default_page_is_set_before_the_docs_tell_that_all_is_done(
        self, target: Target
    ) -> None:
        verbs = [
            action.argv[1]
            for action in document.plan(target, World())
            if isinstance(action, Command)
        ]
        assert verbs == ["set-default", "deploy"]

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
