"""The loop, over remotes in memory: it converges from every point at which it can die."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shipway.effects.executor import Executor
from shipway.errors import Conflict, StepFailed, VerificationFailed
from shipway.image.labels import REVISION
from shipway.model.actions import Answer, Ask, Command, Effect, Request
from shipway.model.stage import Finding, Stage, State
from shipway.model.target import Signer, Target
from shipway.model.world import World
from shipway.run.preview import preview
from shipway.run.reconcile import reconcile
from shipway.run.release import ORDER
from shipway.run.result import Outcome
from shipway.stages import PIPELINE, build, commit, inspect, promote, sign, verify
from tests.support.model_remotes import Died, ModelRemotes, digest_of
from tests.support.pipeline import run_pipeline
from tests.support.targets import change_settings

CHANGES = 12
"""Changes of an undisturbed run: build, five signatures, push, promotion, three for the release, docs."""


class CountingRemotes(ModelRemotes):
    """Count how often cosign is asked to verify a signature."""

    verifications = 0

    def run(self, command: Command) -> Answer:
        """Answer a command, and count it."""
        if command.argv[:2] == ("cosign", "verify"):
            self.verifications += 1
        return super().run(command)


def test_an_undisturbed_run_does_every_stage(target: Target) -> None:
    remotes = ModelRemotes()
    outcomes = run_pipeline(remotes, target)
    assert [outcome.name for outcome in outcomes] == list(ORDER[1:])
    # It has to be asked for.
    assert [outcome.name for outcome in outcomes if outcome.outcome != "done"] == ["attest"]
    assert remotes.changes == CHANGES
    assert remotes.tags["v1.2.3"] == remotes.tags["latest"] == remotes.tags["sha-ccccccc"]


def test_a_second_run_changes_nothing_and_gives_a_reason_for_each_stage(target: Target) -> None:
    remotes = ModelRemotes()
    run_pipeline(remotes, target)
    outcomes = run_pipeline(remotes, target)
    assert remotes.changes == CHANGES
    assert {outcome.outcome for outcome in outcomes} == {"skipped"}
    assert all(outcome.reason for outcome in outcomes)


def test_cosign_verifies_no_more_often_than_it_has_to(target: Target) -> None:
    remotes = CountingRemotes()
    run_pipeline(remotes, target)
    # All five entries: three looks of `sign`, one of `verify`, one of `promote` before it moves tags.
    assert 0 < remotes.verifications <= 25
    remotes.verifications = 0
    run_pipeline(remotes, target)
    assert 0 < remotes.verifications <= 15


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
    outcomes: list[Outcome] = []
    with pytest.raises(VerificationFailed, match="SBOM of linux/amd64: 0 packages"):
        reconcile(PIPELINE, target, remotes.executor, record=outcomes.append)
    assert (outcomes[-1].name, outcomes[-1].outcome) == ("inspect", "failed")
    assert not remotes.signatures
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


def test_a_version_of_another_commit_stops_before_anything_is_pushed(target: Target) -> None:
    remotes = ModelRemotes()
    labels = {**target.labels, REVISION: "d" * 40}
    run_pipeline(remotes, replace(target, commit="d" * 40, staging="sha-ddddddd", labels=labels))
    remotes.refs.clear()
    builds = remotes.builds
    with pytest.raises(Conflict, match=f"v1.2.3 is already an image of commit {'d' * 40}"):
        run_pipeline(remotes, target)
    assert not remotes.refs and remotes.builds == builds


def test_an_image_that_is_there_needs_no_builder(target: Target) -> None:
    emulated = change_settings(target, "build", strategy="emulated")
    remotes = ModelRemotes()
    run_pipeline(remotes, target)
    outcomes: list[Outcome] = []
    stages = (build.STAGE, inspect.STAGE)
    names = ("build", "inspect")
    reconcile(stages, emulated, remotes.executor, record=outcomes.append, only=names)
    assert [outcome.outcome for outcome in outcomes] == ["skipped", "done"]


def test_a_git_tag_elsewhere_is_a_conflict(target: Target) -> None:
    remotes = ModelRemotes(refs={"refs/tags/v1.2.3": "e" * 40})
    with pytest.raises(Conflict, match="in the origin"):
        run_pipeline(remotes, target)
    assert "v1.2.3" not in remotes.tags


def test_a_branch_ends_after_its_tags_moved(branch_target: Target) -> None:
    remotes = ModelRemotes()
    outcomes = run_pipeline(remotes, branch_target)
    assert {outcome.name: outcome.outcome for outcome in outcomes} == {
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


def test_a_branch_tag_moves_to_a_new_digest(branch_target: Target) -> None:
    remotes = ModelRemotes()
    run_pipeline(remotes, branch_target)
    labels = {**branch_target.labels, REVISION: "d" * 40}
    later = replace(branch_target, staging="sha-ddddddd", commit="d" * 40, labels=labels)
    before = remotes.tags["topic"]
    run_pipeline(remotes, later)
    assert remotes.tags["topic"] == remotes.tags["sha-ddddddd"] != before


def test_a_dry_run_changes_nothing_and_foresees_every_change(target: Target) -> None:
    remotes = ModelRemotes()
    rows = preview(PIPELINE, target, remotes.executor)
    assert remotes.changes == 0
    actions = [action for row in rows for action in row.actions]
    planned = [action for action in actions if action.effect is Effect.PUBLISH]
    assert len(planned) == CHANGES + 1  # mike's default page is set without a change of its own
    standing = [row.stage.name for row in rows if row.finding.state is not State.ABSENT]
    assert standing == ["attest"]


def test_a_dry_run_of_a_finished_release_plans_nothing(target: Target) -> None:
    remotes = ModelRemotes()
    run_pipeline(remotes, target)
    assert not [row for row in preview(PIPELINE, target, remotes.executor) if row.actions]


def test_a_single_stage_wants_the_ones_before_it(target: Target) -> None:
    remotes = ModelRemotes()
    outcomes: list[Outcome] = []

    def run_last(*stages: Stage) -> None:
        names = (stages[-1].name,)
        reconcile(stages, target, remotes.executor, record=outcomes.append, only=names)

    with pytest.raises(StepFailed, match="build comes first"):
        run_last(build.STAGE, sign.STAGE)
    run_last(build.STAGE)
    run_last(build.STAGE, sign.STAGE)
    run_last(build.STAGE, sign.STAGE, verify.STAGE)
    assert [(outcome.name, outcome.outcome) for outcome in outcomes] == [
        ("build", "done"),
        ("sign", "done"),
        ("verify", "done"),
    ]
    # A stage such as `commit` has no task of its own.
    with pytest.raises(StepFailed, match="(?s)commit comes first.*run `shipway release`"):
        run_last(build.STAGE, sign.STAGE, verify.STAGE, commit.STAGE, promote.STAGE)


def test_a_branch_is_brought_about_stage_by_stage(branch_target: Target) -> None:
    with pytest.raises(StepFailed, match="(?s)build comes first.*run `shipway build`"):
        reconcile(
            (build.STAGE, sign.STAGE),
            branch_target,
            ModelRemotes().executor,
            record=lambda _: None,
            only=("sign",),
        )


def test_a_stage_that_does_not_converge_is_an_error(target: Target) -> None:
    deaf = Stage(
        name="deaf",
        observe=lambda _target, world, _ask: world,
        judge=lambda _target, _world: Finding(State.ABSENT, "nothing to see"),
        plan=lambda _target, _world: (),
        simulate=lambda _target, world: world,
    )
    with pytest.raises(StepFailed, match="its steps ran, and still: nothing to see"):
        reconcile((deaf,), target, ModelRemotes().executor, record=lambda _: None)


def test_a_stage_that_knows_no_step_is_looked_at_once(target: Target) -> None:
    looks: list[World] = []

    def observe(_target: Target, world: World, _ask: Ask) -> World:
        looks.append(world)
        return world

    lost = Stage(
        name="lost",
        observe=observe,
        judge=lambda _target, _world: Finding(State.ABSENT, "nothing to see"),
        plan=lambda _target, _world: (),
        simulate=lambda _target, world: world,
    )
    with pytest.raises(StepFailed, match="lost: its steps ran, and still: nothing to see"):
        reconcile((lost,), target, ModelRemotes().executor, record=lambda _: None)
    assert len(looks) == 1


class RefusingRemotes(ModelRemotes):
    """cosign signs and attests, and finds that somebody else did."""

    REASON = (
        "Error: no matching signatures: none of the expected identities matched what was in the "
        "certificate, got subjects [https://github.com/acme/ci/x.yml@v1] with issuer y"
    )
    refused: tuple[str, ...] = ("verify", "verify-attestation")

    def run(self, command: Command) -> Answer:
        """Answer a command; what cosign finds is refused."""
        answer = super().run(command)
        if command.argv[1] in self.refused and answer.code == 0:
            return Answer(code=12, err=self.REASON)
        return answer


def refuse(remotes: ModelRemotes, target: Target) -> tuple[str, str]:
    """A run whose check refuses what it made; gives message and hint."""
    with pytest.raises(VerificationFailed) as caught:
        run_pipeline(remotes, target)
    return caught.value.message, caught.value.hint


def test_what_is_signed_and_refused_is_signed_once(target: Target) -> None:
    keyless = Signer(identity="https://github.com/acme/toy/r.yml@refs/heads/main", issuer="y")
    target = replace(target, signer=keyless)
    remotes = RefusingRemotes()
    message, hint = refuse(remotes, target)
    (signed,) = remotes.signatures
    assert f"sign {signed[:19]}" in message and "[https://github.com/acme/ci/x.yml@v1]" in message
    assert f"the settings expect {keyless.identity} by y" in hint and "set `identity`" in hint
    assert not remotes.refs and set(remotes.tags) == {"sha-ccccccc"}
    refuse(remotes, target)
    assert remotes.signatures == [signed] * 2


def test_what_is_attested_and_refused_is_attested_once(target: Target) -> None:
    remotes = RefusingRemotes()
    remotes.refused = ("verify-attestation",)
    message, hint = refuse(remotes, change_settings(target, "sign", attest=True))
    assert len(remotes.attested) == 1 and len(remotes.signatures) == 5
    assert "0 of 4 attestations are signed; cosign refuses: no matching signatures" in message
    assert "the settings expect" in hint


@pytest.mark.parametrize("attest", [False, True])
def test_what_is_signed_and_never_seen_is_signed_once(target: Target, attest: bool) -> None:
    class BlindRemotes(ModelRemotes):
        """cosign finds nothing of what it made."""

        def run(self, command: Command) -> Answer:
            answer = super().run(command)
            verb = "verify-attestation" if attest else "verify"
            return Answer(code=10) if command.argv[:2] == ("cosign", verb) else answer

    remotes = BlindRemotes()
    message, hint = refuse(remotes, change_settings(target, "sign", attest=attest))
    made = remotes.attested if attest else remotes.signatures
    assert len(made) == 1 and "0 of" in message and "a second time" in hint


def test_what_is_built_and_lacks_a_platform_is_built_once(target: Target) -> None:
    class Remotes(ModelRemotes):
        """Builds one platform, whatever it is told."""

        def run(self, command: Command) -> Answer:
            argv = [word.replace(",linux/arm64", "") for word in command.argv]
            return super().run(replace(command, argv=tuple(argv)))

    remotes = Remotes()
    message, hint = refuse(remotes, target)
    assert "build linux/amd64, linux/arm64 and push" in message
    assert "sha-ccccccc lacks linux/arm64" in message and "a second time" in hint
    assert remotes.builds == 1 and not remotes.signatures


def test_docs_that_are_never_seen_are_published_once(target: Target) -> None:
    class Remotes(ModelRemotes):
        """Loses what is published of the docs."""

        deployments = 0

        def run(self, command: Command) -> Answer:
            answer = super().run(command)
            if command.argv[:2] == ("mike", "deploy"):
                self.deployments += 1
                self.docs.clear()
            return answer

    remotes = Remotes()
    message, _ = refuse(remotes, target)
    assert "document: this went well and is not accepted" in message
    assert remotes.deployments == 1 and remotes.releases


@pytest.mark.parametrize("workers", [1, 4])
def test_what_went_well_beside_a_failure_is_not_done_again(target: Target, workers: int) -> None:
    # The first leaf is accepted. Of the others one fails, and what went well is refused.
    class Remotes(RefusingRemotes):
        """One of the signatures side by side fails, and the others are refused."""

        failures = 0

        def run(self, command: Command) -> Answer:
            digest = command.argv[-1].partition("@")[2]
            if command.argv[:2] == ("cosign", "sign") and len(self.signatures) == 3:
                self.failures += 1
                if self.failures == 1:
                    raise StepFailed("503", hint="", passes=True)
            self.refused = () if digest in self.signatures[:1] else ("verify",)
            return super().run(command)

    remotes = Remotes()
    executor = replace(remotes.executor, workers=workers, wait=lambda _seconds: None)
    with pytest.raises(VerificationFailed, match="1 of 5 entries are signed"):
        reconcile(PIPELINE, target, executor, record=lambda _: None)
    assert len(remotes.signatures) == len(set(remotes.signatures))


@pytest.mark.parametrize("done", [False, True])
def test_a_trouble_that_passes_is_waited_for_and_nothing_is_done_twice(
    target: Target, done: bool
) -> None:
    remotes, troubled, waited = ModelRemotes(), set[str](), list[float]()
    lines: list[str] = []

    def troubling(do: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
        def once(action: Command | Request) -> Answer:
            if action.effect != "publish" or action.why in troubled:
                return do(action)
            troubled.add(action.why)
            if done:
                do(action)
            raise StepFailed("the answer was lost", hint="", passes=True)

        return once

    executor = replace(
        remotes.executor,
        runner=troubling(remotes.run),
        api=troubling(remotes.request),
        wait=waited.append,
        echo=lines.append,
    )
    reconcile(PIPELINE, target, executor, record=lambda _: None)
    undisturbed = ModelRemotes()
    run_pipeline(undisturbed, target)
    assert remotes.state() == undisturbed.state() and remotes.builds == 1
    assert len(waited) == len(troubled) and all(1 <= seconds <= 60 for seconds in waited)
    assert lines == [f"the answer was lost; again in {seconds:.0f} s" for seconds in waited]


def test_no_pause_is_longer_than_a_minute(target: Target) -> None:
    waited: list[float] = []

    def down(_: Command) -> Answer:
        message = "503"
        raise StepFailed(message, hint="", passes=len(waited) < 20)

    executor = replace(ModelRemotes().executor, runner=down, wait=waited.append, patience=3600.0)
    with pytest.raises(StepFailed, match="503"):
        reconcile(PIPELINE, target, executor, record=lambda _: None)
    assert max(waited) == 60


@pytest.mark.parametrize("patience", [90.0, 1.0])
def test_a_pause_that_is_asked_for_is_kept_or_the_run_ends(target: Target, patience: float) -> None:
    remotes, waited, refused = ModelRemotes(), list[float](), set[str]()

    def limiting(request: Request) -> Answer:
        if request.effect is Effect.PUBLISH and request.why not in refused:
            refused.add(request.why)
            raise StepFailed("secondary rate limit", hint="", passes=True, pause=42)
        return remotes.request(request)

    executor = replace(remotes.executor, api=limiting, wait=waited.append, patience=patience)
    if patience < 42:
        with pytest.raises(StepFailed, match="rate limit"):
            reconcile(PIPELINE, target, executor, record=lambda _: None)
        assert not waited and not remotes.releases
        return
    reconcile(PIPELINE, target, executor, record=lambda _: None)
    # Draft, asset and publication: each was refused once, and is there once.
    assert len(waited) == 3 and all(42 <= seconds <= 43 for seconds in waited)
    assert len(remotes.releases) == 1


def test_patience_ends(target: Target) -> None:
    def down(_: Command) -> Answer:
        raise StepFailed("503", hint="", passes=True)

    waited: list[float] = []
    remotes = ModelRemotes()
    executor = Executor(
        runner=down,
        answers=remotes.answer,
        api=remotes.request,
        patience=0.0,
        wait=waited.append,
    )
    with pytest.raises(StepFailed, match="503"):
        reconcile(PIPELINE, target, executor, record=lambda _: None)
    assert not waited
