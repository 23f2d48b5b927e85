"""A released digest stays, also where somebody deleted the image or a part of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipway.errors import VerificationFailed
from shipway.image.contents import LAYER, BrokenPart
from shipway.image.labels import VERSION
from shipway.model.actions import Answer
from shipway.model.stage import State
from shipway.model.target import Target
from shipway.run.preview import preview
from shipway.run.reconcile import reconcile
from shipway.run.status import stage_statuses
from shipway.stages import PIPELINE, build
from shipway.stages.rollback.image_tags import MoveTagsBack
from tests.support.model_remotes import ModelRemotes, digest_of, manifest
from tests.support.pipeline import run_pipeline


@pytest.fixture(name="released")
def fixture_released(target: Target) -> ModelRemotes:
    """Remotes after a finished release."""
    remotes = ModelRemotes()
    run_pipeline(remotes, target)
    return remotes


def parts(remotes: ModelRemotes, tag: str) -> list[str]:
    """Digests of what the index of a tag names: image and attestations, platform by platform."""
    manifests = remotes.manifests[remotes.tags[tag]]["manifests"]
    assert isinstance(manifests, list)
    return [str(entry["digest"]) for entry in manifests if isinstance(entry, dict)]


class TestAPartThatIsGone:
    """A part of a released image was deleted, as clean-ups of untagged versions do."""

    @pytest.mark.parametrize(
        ("number", "words"),
        [(0, "linux/amd64"), (1, "attestations of linux/amd64"), (2, "linux/arm64")],
    )
    @pytest.mark.parametrize("staged", [True, False])
    def test_is_named_and_nothing_is_built_or_moved(
        self, target: Target, released: ModelRemotes, number: int, words: str, staged: bool
    ) -> None:
        gone = parts(released, "v1.2.3")[number]
        released.gone.add(gone)
        if not staged:
            del released.tags[target.staging]
        before, changes = dict(released.tags), released.changes
        with pytest.raises(VerificationFailed, match="v1.2.3 is sha256:") as caught:
            run_pipeline(released, target)
        assert f"{gone} ({words})" in caught.value.message and "put the" in caught.value.hint
        assert (released.tags, released.changes) == (before, changes)

    def test_that_is_back_is_all_that_was_missing(
        self, target: Target, released: ModelRemotes
    ) -> None:
        changes = released.changes
        released.gone.add(parts(released, "v1.2.3")[0])
        with pytest.raises(VerificationFailed):
            run_pipeline(released, target)
        released.gone.clear()
        run_pipeline(released, target)
        assert released.changes == changes

    def test_is_told_by_a_dry_run(self, target: Target, released: ModelRemotes) -> None:
        released.gone.update(parts(released, "v1.2.3"))
        (row,) = preview((build.STAGE,), target, released.executor)
        assert row.finding.state is State.FAULT and not row.actions
        assert all(part in row.finding.evidence for part in released.gone)

    def test_of_an_image_that_no_version_has_is_built_again(self, target: Target) -> None:
        remotes = ModelRemotes()
        reconcile((build.STAGE,), target, remotes.executor, record=lambda _: None)
        first = remotes.tags[target.staging]
        remotes.gone.add(parts(remotes, target.staging)[1])
        run_pipeline(remotes, target)
        assert remotes.builds == 2 and remotes.tags["v1.2.3"] != first

    def test_of_a_branchs_image_is_built_again(self, branch_target: Target) -> None:
        remotes = ModelRemotes()
        run_pipeline(remotes, branch_target)
        remotes.gone.add(parts(remotes, "topic")[0])
        run_pipeline(remotes, branch_target)
        assert remotes.builds == 2 and remotes.tags["topic"] == remotes.tags[branch_target.staging]

    @pytest.mark.parametrize("holds", [True, False])
    def test_is_not_built_again_for_a_branch_where_a_version_has_the_image(
        self, branch_target: Target, holds: bool
    ) -> None:
        remotes = ModelRemotes()
        run_pipeline(remotes, branch_target)
        digest = remotes.tags[branch_target.staging]
        remotes.manifests[digest]["annotations"] = {VERSION: "1.2.3"}
        remotes.tags["v1.2.3"] = digest if holds else digest_of("another")
        remotes.manifests[digest_of("another")] = manifest("another", ("linux/amd64",))
        remotes.gone.add(parts(remotes, branch_target.staging)[0])
        if holds:
            with pytest.raises(VerificationFailed, match="v1.2.3 is sha256:"):
                run_pipeline(remotes, branch_target)
            assert remotes.tags[branch_target.staging] == digest
            return
        run_pipeline(remotes, branch_target)
        assert remotes.tags[branch_target.staging] != digest

    def test_keeps_a_rollback_from_going_back_to_it(
        self, target: Target, released: ModelRemotes
    ) -> None:
        released.tags |= {"v1.3.0": digest_of("x"), "latest": digest_of("x")}
        released.gone.add(parts(released, "v1.2.3")[0])
        (stage,) = (MoveTagsBack({"latest": "v1.2.3"}, ()).stage,)
        with pytest.raises(VerificationFailed, match="no going back to v1.2.3"):
            reconcile((stage,), target, released.executor, record=lambda _: None)
        assert released.tags["latest"] == digest_of("x")

    @pytest.mark.parametrize("number", [0, 1])
    def test_is_named_by_the_status_of_each_stage_that_asks_for_it(
        self, target: Target, released: ModelRemotes, number: int
    ) -> None:
        gone = parts(released, "v1.2.3")[number]
        released.gone.add(gone)
        statuses = {
            status.name: status for status in stage_statuses(PIPELINE, target, released.executor)
        }
        for name in ("build", "inspect", "sign", "verify", "promote"):
            status = statuses[name]
            assert status.finding.state is State.FAULT, status
            assert gone in status.finding.evidence and "put the very same" in status.advice

    def test_of_an_image_that_no_version_has_is_missing_in_the_status(self, target: Target) -> None:
        remotes = ModelRemotes()
        reconcile((build.STAGE,), target, remotes.executor, record=lambda _: None)
        gone = parts(remotes, target.staging)[0]
        remotes.gone.add(gone)
        statuses = {
            status.name: status for status in stage_statuses(PIPELINE, target, remotes.executor)
        }
        for name in ("build", "sign"):
            assert statuses[name].finding.state is State.ABSENT
            assert gone in statuses[name].finding.evidence
            assert statuses[name].advice == "shipway release"

    def test_that_could_not_be_asked_for_stays_unknown(
        self, target: Target, released: ModelRemotes
    ) -> None:
        released.gone.add(parts(released, "v1.2.3")[0])
        busy = Answer(code=1, err="503 Service Unavailable")
        remotes = replace(
            released.executor,
            runner=lambda command: (
                busy if command.argv[:2] == ("cosign", "verify") else released.run(command)
            ),
        )
        statuses = {status.name: status for status in stage_statuses(PIPELINE, target, remotes)}
        assert statuses["sign"].finding.state is State.UNKNOWN

    def test_below_a_manifest_is_a_fault_of_the_inspection(
        self, target: Target, released: ModelRemotes
    ) -> None:
        layer = BrokenPart(
            kind=LAYER, digest=digest_of("x"), platform="linux/amd64", problem="is not there"
        )
        released.broken = (layer,)
        with pytest.raises(
            VerificationFailed, match=f"{layer.digest} of linux/amd64 is not"
        ) as caught:
            run_pipeline(released, target)
        assert "put the very same" in caught.value.hint
        remotes = ModelRemotes(broken=(layer,))
        with pytest.raises(VerificationFailed, match="is not there") as caught:
            run_pipeline(remotes, target)
        assert f"delete the tag {target.staging}" in caught.value.hint
        assert not remotes.signatures

    def test_below_a_manifest_keeps_a_rollback_from_going_back_to_it(
        self, released: ModelRemotes, target: Target
    ) -> None:
        released.tags |= {"v1.3.0": digest_of("x"), "latest": digest_of("x")}
        layer = BrokenPart(
            kind=LAYER, digest=digest_of("y"), platform="linux/amd64", problem="is not there"
        )
        released.broken = (layer,)
        stage = MoveTagsBack({"latest": "v1.2.3"}, ()).stage
        with pytest.raises(
            VerificationFailed, match=f"no going back to v1.2.3: {layer.describe()}"
        ):
            reconcile((stage,), target, released.executor, record=lambda _: None)
        assert released.tags["latest"] == digest_of("x")


class TestATagThatIsGone:
    """The version's tag was deleted; the release's page says which digest it had."""

    def test_gets_the_very_same_digest_back(self, target: Target, released: ModelRemotes) -> None:
        digest = released.tags.pop("v1.2.3")
        run_pipeline(released, target)
        assert released.tags["v1.2.3"] == digest and released.builds == 1

    @pytest.mark.parametrize("latest", [True, False])
    def test_gets_no_other_digest(
        self, target: Target, released: ModelRemotes, latest: bool
    ) -> None:
        digest = released.tags["v1.2.3"]
        left = {"latest": digest_of("newer")} if latest else {}
        released.manifests[digest_of("newer")] = {"digest": digest_of("newer"), "manifests": []}
        released.tags = dict(left)
        for _ in range(2):
            with pytest.raises(VerificationFailed, match=f"v1.2.3 was released as {digest}"):
                run_pipeline(released, target)
            assert "v1.2.3" not in released.tags
            assert released.tags.get("latest") == left.get("latest")

    def test_is_moved_where_nothing_was_published_of_it(self, target: Target) -> None:
        remotes = ModelRemotes()
        earlier = [stage for stage in PIPELINE if stage.name not in ("publish", "document")]
        reconcile(earlier, target, remotes.executor, record=lambda _: None)
        remotes.tags.clear()
        run_pipeline(remotes, target)
        assert remotes.builds == 2 and remotes.tags["v1.2.3"] == remotes.tags[target.staging]
