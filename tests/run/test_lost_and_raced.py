"""What the fault matrix found: answers that are lost, and two releases at the same moment."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from shipway.effects.executor import Executor
from shipway.errors import Conflict, StepFailed
from shipway.image.labels import REVISION
from shipway.model.actions import Answer, Command, Effect, Json, Request
from shipway.model.target import Target, require_release
from shipway.model.version import Version
from shipway.run.preview import preview
from shipway.run.reconcile import reconcile
from shipway.run.result import Outcome
from shipway.stages import PIPELINE, build, document
from tests.support.model_remotes import ModelRemotes, digest_of, manifest
from tests.support.pipeline import run_pipeline


class Deaf(ModelRemotes):
    """Remotes that lose the answer to one change, or refuse it: ``done`` says which."""

    def __init__(self, at: int, *, done: bool, passes: bool = True) -> None:
        super().__init__()
        self.at, self.done, self.passes = at, done, passes

    @property
    def executor(self) -> Executor:
        """Hands whose change with that number fails."""

        def carry_out(action: Command | Request) -> Answer:
            is_counted = action.effect is Effect.PUBLISH and "site opens" not in action.why
            fails = is_counted and self.changes == self.at
            if fails and not self.done:
                self.at = -1
                raise StepFailed("refused", hint="run the same command again")
            answer = self.run(action) if isinstance(action, Command) else self.request(action)
            if fails:
                self.at = -1
                raise StepFailed(
                    "connection reset", hint="run the same command again", passes=self.passes
                )
            return answer

        return replace(
            super().executor, runner=carry_out, api=carry_out, wait=lambda _seconds: None
        )


class TestAnAnswerThatIsLost:
    """A write counts when it is done, whatever was answered."""

    @pytest.mark.parametrize("at", range(12))
    def test_does_not_end_the_release(self, target: Target, at: int) -> None:
        undisturbed, deaf = ModelRemotes(), Deaf(at, done=True)
        run_pipeline(undisturbed, target)
        run_pipeline(deaf, target)
        assert deaf.at == -1 and deaf.state() == undisturbed.state()

    @pytest.mark.parametrize("at", range(12))
    def test_does_not_end_it_where_the_answer_is_a_refusal(self, target: Target, at: int) -> None:
        raced = Deaf(at, done=True, passes=False)
        run_pipeline(raced, target)
        assert raced.at == -1 and raced.changes == 12

    @pytest.mark.parametrize("at", [0, 1, 6, 7, 8, 11])
    def test_is_told_from_a_write_that_was_refused(self, target: Target, at: int) -> None:
        deaf = Deaf(at, done=False)
        with pytest.raises(StepFailed, match="refused"):
            run_pipeline(deaf, target)
        run_pipeline(deaf, target)
        assert deaf.builds == 1 and len(deaf.signatures) == 5


class TestTwoAtOnce:
    """The loser takes what the winner has published."""

    @pytest.fixture(name="raced")
    def fixture_raced(self, target: Target) -> ModelRemotes:
        """A finished release, whose staging tag was then taken by another image of the same commit."""
        remotes = ModelRemotes()
        run_pipeline(remotes, target)
        remotes.manifests[remotes.tags["v1.2.3"]]["annotations"] = {REVISION: target.commit}
        other = manifest("other", target.platforms)
        remotes.manifests[digest_of("other")] = {**other, "annotations": {REVISION: target.commit}}
        remotes.tags[target.staging] = digest_of("other")
        return remotes

    def test_the_image_of_the_version_is_the_image(
        self, target: Target, raced: ModelRemotes
    ) -> None:
        outcomes = run_pipeline(raced, target)
        assert raced.tags[target.staging] == raced.tags["v1.2.3"] != digest_of("other")
        done = [outcome.name for outcome in outcomes if outcome.outcome == "done"]
        assert raced.builds == 1 and done[0] == "build"

    def test_it_is_staged_again_where_the_staging_tag_is_gone(
        self, target: Target, raced: ModelRemotes
    ) -> None:
        del raced.tags[target.staging]
        run_pipeline(raced, target)
        assert raced.tags[target.staging] == raced.tags["v1.2.3"] and raced.builds == 1

    def test_a_dry_run_says_so(self, target: Target, raced: ModelRemotes) -> None:
        (row,) = preview((build.STAGE,), target, raced.executor)
        (command,) = row.actions
        assert "is not at the image of v1.2.3" in row.finding.evidence
        assert "stage the image" in command.why

    def test_a_draft_that_the_loser_made_is_deleted_and_nobody_elses(self, target: Target) -> None:
        remotes = Drafts()
        run_pipeline(remotes, target)
        ours = remotes.releases[0]
        remotes.releases += [
            {**ours, "id": 8, "draft": True, "assets": []},
            {**ours, "id": 9, "draft": True, "body": "somebody's own"},
        ]
        outcomes: list[Outcome] = []
        reconcile(PIPELINE, target, remotes.executor, record=outcomes.append)
        assert [release["id"] for release in remotes.releases] == [7, 9]
        done = [outcome.name for outcome in outcomes if outcome.outcome == "done"]
        assert done == ["publish"]


class MovedBranch(ModelRemotes):
    """Remotes whose docs branch somebody else moves while mike builds, ``times`` times.

    ``docs`` are theirs.
    """

    def __init__(self, times: int, theirs: dict[str, Json]) -> None:
        super().__init__()
        self.times, self.theirs = times, theirs
        self.waited: list[float] = []

    @property
    def executor(self) -> Executor:
        """Hands that may wait."""
        return replace(super().executor, wait=self.waited.append)

    def _deploy(self, command: Command) -> Answer:
        if not self.times:
            return super()._deploy(command)
        self.times -= 1
        self.refs["refs/heads/gh-pages"] = "d0c5"
        self.docs = [self.theirs]
        words = "error: failed to push branch gh-pages to origin:\n  ! [rejected] (fetch first)"
        return Answer(code=1, err=words)


class TestADocsBranchThatMoved:
    """A push of docs that is refused is tried again, on what somebody else pushed."""

    @pytest.mark.parametrize("times", [1, 3])
    def test_keeps_what_the_other_published(self, target: Target, times: int) -> None:
        theirs: dict[str, Json] = {"version": "1.1", "title": "1.1.9", "aliases": []}
        remotes = MovedBranch(times, theirs)
        run_pipeline(remotes, target)
        ours = {"version": "1.2", "title": "1.2.3", "aliases": ["latest"]}
        assert remotes.docs == [theirs, ours] and len(remotes.waited) == times

    def test_is_left_where_the_other_is_newer(self, target: Target) -> None:
        theirs: dict[str, Json] = {"version": "1.2", "title": "1.2.4", "aliases": ["latest"]}
        remotes = MovedBranch(1, theirs)
        outcomes = run_pipeline(remotes, target)
        assert remotes.docs == [theirs]
        assert outcomes[-1].reason == "1.2 shows 1.2.4, which is newer"

    def test_is_not_tried_for_ever(self, target: Target) -> None:
        remotes = MovedBranch(1000, {"version": "1.1", "title": "1.1.9", "aliases": []})
        with pytest.raises(StepFailed, match="fetch first"):
            run_pipeline(remotes, target)
        assert 1 < len(remotes.waited) < 20


def test_the_docs_of_an_older_run_that_ends_late_are_left_out(target: Target) -> None:
    remotes = ModelRemotes()
    release = require_release(target)
    newer = replace(target, release=replace(release, version=Version(1, 2, 4)))
    remotes.docs = [{"version": "1.2", "title": "1.2.4", "aliases": ["latest"]}]
    remotes.refs["refs/heads/gh-pages"] = "d0c5"
    docs = list(remotes.docs)
    run_pipeline(remotes, target)
    assert remotes.docs == docs
    reconcile((document.STAGE,), newer, remotes.executor, record=lambda _: None)
    assert remotes.docs == docs


class TestSomebodyElsesPage:
    """A page of the release's tag that shipway did not make."""

    def page(self, **fields: Json) -> dict[str, Json]:
        return {
            "id": 3,
            "tag_name": "v1.2.3",
            "body": "What a person wrote.",
            "draft": True,
            "assets": [],
            "upload_url": "/upload/3/assets{?name}",
            "html_url": "https://github.com/acme/toy/releases/untagged-3",
            **fields,
        }

    def test_is_completed_where_it_is_a_draft(self, target: Target) -> None:
        remotes = ModelRemotes(releases=[self.page()])
        run_pipeline(remotes, target)
        (release,) = remotes.releases
        body = str(release["body"])
        assert release["draft"] is False and release["assets"] == [{"name": "image.json"}]
        assert body.startswith("What a person wrote.\n\n- A feature")
        assert remotes.tags["v1.2.3"] in body and "shipway verify" in body
        changes = remotes.changes
        run_pipeline(remotes, target)
        assert remotes.changes == changes

    @pytest.mark.parametrize("assets", [[], [{"name": "image.json"}]])
    def test_is_refused_by_name_where_it_is_public(
        self, target: Target, assets: list[Json]
    ) -> None:
        theirs = self.page(draft=False, assets=assets)
        remotes = ModelRemotes(releases=[dict(theirs)])
        with pytest.raises(Conflict, match="v1.2.3 is published without.*untagged-3"):
            run_pipeline(remotes, target)
        assert remotes.releases == [theirs]


class Drafts(ModelRemotes):
    """Remotes whose releases can be deleted."""

    def request(self, request: Request) -> Answer:
        """As GitHub's API would."""
        if request.method != "DELETE":
            return super().request(request)
        number = int(request.path.rpartition("/")[2])
        left = [release for release in self.releases if release["id"] != number]
        return self.change(request, lambda: self.releases.__init__(left))  # type: ignore[misc]


def test_the_target_of_a_branch_asks_for_no_version(branch_target: Target) -> None:
    remotes = ModelRemotes()
    run_pipeline(remotes, branch_target)
    assert json.dumps(remotes.tags).count("sha256:") == 2
