"""SBOM and provenance as signed attestations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipway.model.actions import Command
from shipway.model.stage import State
from shipway.model.target import Target
from shipway.model.world import World
from shipway.run.reconcile import preview
from shipway.stages import PIPELINE, attest
from tests.support.model_remotes import Died, ModelRemotes
from tests.support.pipeline import run_pipeline


@pytest.fixture(name="asked")
def fixture_asked(target: Target) -> Target:
    """A release whose settings ask for attestations."""
    return replace(target, signing=replace(target.signing, attest=True))


def test_two_for_each_platform_and_none_twice(asked: Target) -> None:
    remotes = ModelRemotes()
    seen = {one.name: one for one in run_pipeline(remotes, asked)}
    assert (
        seen["attest"].reason == "4 of 4 attestations are signed"
        and len(set(remotes.attested)) == 4
    )
    assert {one.outcome for one in run_pipeline(remotes, asked)} == {"skipped"} and len(
        remotes.attested
    ) == 4


def test_statements_of_one_digest_are_written_one_after_the_other(asked: Target) -> None:
    remotes = ModelRemotes()
    run_pipeline(remotes, replace(asked, signing=replace(asked.signing, attest=False)))
    (row,) = (one for one in preview(PIPELINE, asked, remotes.executor) if one[0] == "attest")
    commands = [action for action in row[2] if isinstance(action, Command)]
    images = [command.argv[-1] for command in commands]
    assert len(images) == 4 and images[:2] == images[2:] and len(set(images)) == 2
    first = commands[0]
    assert (
        first.side_by_side
        and first.argv[4] == attest.TYPES["spdxjson"]
        and "--predicate=-" in first.argv
    )
    assert first.argv[3] != first.argv[-1] and first.secrets == ("COSIGN_PASSWORD",)


@pytest.mark.parametrize("at", range(6, 10))
def test_a_rerun_after_a_death_completes(asked: Target, at: int) -> None:
    remotes = ModelRemotes(die_at=at)
    with pytest.raises(Died):
        run_pipeline(remotes, asked)
    remotes.die_at = -1
    run_pipeline(remotes, asked)
    assert sorted(remotes.attested) == sorted(set(remotes.attested)) and len(remotes.attested) == 4


def test_without_an_image_there_is_nothing_to_attest(asked: Target) -> None:
    assert attest.judge(asked, World()).state is State.ABSENT
    assert "attest" in attest.skip_reason(
        replace(asked, signing=replace(asked.signing, attest=False))
    )
