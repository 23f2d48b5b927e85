"""The loop, over remotes in memory: it converges from every point at which it can die."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shipway.errors import Conflict, StepFailed, VerificationFailed
from shipway.image.labels import REVISION
from shipway.model.actions import Answer, Command, Effect, Request
from shipway.model.stage import Asking, Finding, State
from shipway.model.target import Target
from shipway.model.world import World
from shipway.run.reconcile import Executor, Outcome, preview, reconcile
from shipway.stages import ORDER, PIPELINE, build, commit, promote, sign, verify
from tests.support.model_remotes import Died, ModelRemotes, digest_of
from tests.support.pipeline import run_pipeline

CHANGES = 12
"""Changes of an undisturbed run: build, five signatures, push, promotion, three for the release, docs."""


def test_an_undisturbed_run_does_every_stage(target: Target) -> None:
    remotes = ModelRemotes()
    seen = run_pipeline(remotes, target)
    assert [one.name for one in seen] == list(ORDER[1:])
    assert [one.name for one in seen if one.outcome != "done"] == [
        "attest"
    ]  # it has to be asked for
    assert remotes.changes == CHANGES
    assert remotes.tags["v1.2.3"] == remotes.tags["latest"] == remotes.tags["sha-ccccccc"]


def test_a_second_run_changes_nothing_and_gives_a_reason_for_each_stage(target: Target) -> None:
    remotes = ModelRemotes()
    run_pipeline(remotes, target)
    seen = run_pipeline(remotes, target)
    assert remotes.changes == CHANGES
    assert {one.outcome for one in seen} == {"skipped"}
    assert all(one.reason for one in seen)


@pytest.mark.parametrize("lost", [True, False], ids=["before the change", "after the change"])
@pytest.mark.parametrize("point", range(CHANGES))
def test_a_rerun_after_any_death_ends_in_the_undisturbed_state(
    target: Target, point: int, lost: bool
) -> None:
    undisturbed = ModelRemotes()
    run_pipeline(undisturbed, target)
    remotes = ModelRemotes(die_at=point, lost=lost)
    with pytest.raises(Died):
        run_pipeline(remotes, target)
    if "v1.2.3" in remotes.tags:
        assert remotes.refs["refs/tags/v1.2.3"] == target.commit
    remotes.die_at = -1
    run_pipeline(remotes, target)
    assert remotes.state() == undisturbed.state()
    assert remotes.builds == 1 or (lost and point == 0)


def test_the_index_is_signed_last(target: Target) -> None:
    remotes = ModelRemotes()
    run_pipeline(remotes, target)
    assert remotes.signatures[-1] == remotes.tags["v1.2.3"]
    assert len(remotes.signatures) == 5


def test_nothing_public_moves_while_the_verification_fails(target: Target) -> None:
    remotes = ModelRemotes(packages=0)
    seen: list[Outcome] = []
    with pytest.raises(VerificationFailed, match="SBOM of linux/amd64: 0 packages"):
        reconcile(PIPELINE, target, remotes.executor, record=seen.append)
    assert seen[-1].name == "inspect" and seen[-1].outcome == "failed" and not remotes.signatures
    assert set(remotes.tags) == {"sha-ccccccc"} and not remotes.refs and not remotes.releases


def test_a_version_tag_with_another_digest_is_a_conflict(target: Target) -> None:
    remotes = ModelRemotes()
    run_pipeline(remotes, target)
    other = dict(remotes.manifests[remotes.tags["v1.2.3"]], digest=digest_of("another"))
    remotes.manifests[digest_of("another")] = other
    remotes.tags["v1.2.3"] = digest_of("another")
    with pytest.raises(Conflict, match="v1.2.3 is already"):
        run_pipeline(remotes, target)
    assert remotes.tags["v1.2.3"] == digest_of("another")
    assert digest_of("another") not in remotes.signatures


def test_a_git_tag_elsewhere_is_a_conflict(target: Target) -> None:
    remotes = ModelRemotes(refs={"refs/tags/v1.2.3": "e" * 40})
    with pytest.raises(Conflict, match="in the origin"):
        run_pipeline(remotes, target)
    assert "v1.2.3" not in remotes.tags


def test_a_branch_ends_after_its_tags_moved(target: Target) -> None:
    branch = replace(
        target, version="", tag="", channel="branch", tags=("topic",), latest=False, docs=""
    )
    remotes = ModelRemotes()
    seen = run_pipeline(remotes, branch)
    assert {one.name: one.outcome for one in seen} == {
        "build": "done",
        "inspect": "done",
        "sign": "done",
        "attest": "skipped",
        "verify": "done",
        "commit": "skipped",
        "promote": "done",
        "publish": "skipped",
        "document": "skipped",
    }
    assert set(remotes.tags) == {"sha-ccccccc", "topic"} and not remotes.refs


def test_a_branch_tag_moves_to_a_new_digest(target: Target) -> None:
    branch = replace(
        target, version="", tag="", channel="branch", tags=("topic",), latest=False, docs=""
    )
    remotes = ModelRemotes()
    run_pipeline(remotes, branch)
    labels = {**branch.labels, REVISION: "d" * 40}
    later = replace(branch, staging="sha-ddddddd", commit="d" * 40, labels=labels)
    before = remotes.tags["topic"]
    run_pipeline(remotes, later)
    assert remotes.tags["topic"] == remotes.tags["sha-ddddddd"] != before


def test_a_dry_run_changes_nothing_and_foresees_every_change(target: Target) -> None:
    remotes = ModelRemotes()
    rows = preview(PIPELINE, target, remotes.executor)
    assert remotes.changes == 0
    planned = [
        action for _, _, actions in rows for action in actions if action.effect is Effect.PUBLISH
    ]
    assert len(planned) == CHANGES + 1  # mike's default page is set without a change of its own
    assert [name for name, finding, _ in rows if finding.state is not State.ABSENT] == ["attest"]


def test_a_dry_run_of_a_finished_release_plans_nothing(target: Target) -> None:
    remotes = ModelRemotes()
    run_pipeline(remotes, target)
    assert not [actions for _, _, actions in preview(PIPELINE, target, remotes.executor) if actions]


def test_a_single_stage_wants_the_ones_before_it(target: Target) -> None:
    remotes = ModelRemotes()
    seen: list[Outcome] = []
    with pytest.raises(StepFailed, match="build comes first"):
        reconcile((build, sign), target, remotes.executor, record=seen.append, only=("sign",))
    reconcile((build,), target, remotes.executor, record=seen.append, only=("build",))
    reconcile((build, sign), target, remotes.executor, record=seen.append, only=("sign",))
    reconcile((build, sign, verify), target, remotes.executor, record=seen.append, only=("verify",))
    assert [(one.name, one.outcome) for one in seen] == [
        ("build", "done"),
        ("sign", "done"),
        ("verify", "done"),
    ]
    with pytest.raises(StepFailed, match="commit comes first"):
        reconcile(
            (build, sign, verify, commit, promote),
            target,
            remotes.executor,
            record=seen.append,
            only=("promote",),
        )


def test_a_stage_that_does_not_converge_is_an_error(target: Target) -> None:
    class Deaf:  # pylint: disable=missing-function-docstring
        """A stage whose remote never shows what was done."""

        NAME = "deaf"

        def skip_reason(self, _target: Target) -> str:
            return ""

        def observe(self, _target: Target, world: World) -> Asking:
            yield ()
            return world

        def judge(self, _target: Target, _world: World) -> Finding:
            return Finding(State.ABSENT, "nothing to see")

        def plan(self, _target: Target, _world: World) -> tuple[Command, ...]:
            return ()

        def simulate(self, _target: Target, world: World) -> World:
            return world

    executor = Executor(runner=lambda _: Answer(code=0), api=lambda _: Answer(code=0))
    with pytest.raises(StepFailed, match="its steps ran, and still: nothing to see"):
        reconcile((Deaf(),), target, executor, record=lambda _: None)


@pytest.mark.parametrize("done", [False, True])
def test_a_trouble_that_passes_is_waited_for_and_nothing_is_done_twice(
    target: Target, done: bool
) -> None:
    remotes, troubled, waited = ModelRemotes(), set[str](), list[float]()

    def troubling(do: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
        def once(action: Command | Request) -> Answer:
            if action.effect != "publish" or action.why in troubled:
                return do(action)
            troubled.add(action.why)
            if done:
                do(action)
            raise StepFailed("the answer was lost", hint="", passes=True)

        return once

    executor = Executor(
        runner=troubling(remotes.run), api=troubling(remotes.request), wait=waited.append, workers=1
    )
    reconcile(PIPELINE, target, executor, record=lambda _: None)
    undisturbed = ModelRemotes()
    run_pipeline(undisturbed, target)
    assert remotes.state() == undisturbed.state() and remotes.builds == 1
    assert len(waited) == len(troubled) and all(1 <= seconds <= 120 for seconds in waited)


def test_patience_ends(target: Target) -> None:
    def down(_: Command) -> Answer:
        raise StepFailed("503", hint="", passes=True)

    waited: list[float] = []
    executor = Executor(runner=down, api=ModelRemotes().request, patience=0.0, wait=waited.append)
    with pytest.raises(StepFailed, match="503"):
        reconcile(PIPELINE, target, executor, record=lambda _: None)
    assert not waited
