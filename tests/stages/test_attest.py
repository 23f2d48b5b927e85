"""SBOM and provenance as signed attestations."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from shipway.image.contents import SPDX
from shipway.model.actions import Command, ReadPredicate
from shipway.model.stage import State
from shipway.model.target import Target
from shipway.model.world import World
from shipway.run.preview import preview
from shipway.stages import PIPELINE, attest, build
from tests.support.cosign_lists import VULNERABILITIES
from tests.support.model_remotes import Died, ModelRemotes, contents_of
from tests.support.pipeline import run_pipeline
from tests.support.targets import change_settings


@pytest.fixture(name="asked")
def fixture_asked(target: Target) -> Target:
    """A release whose settings ask for attestations."""
    return change_settings(target, "sign", attest=True)


def test_two_for_each_platform_and_none_twice(asked: Target) -> None:
    remotes = ModelRemotes()
    outcomes = {outcome.name: outcome for outcome in run_pipeline(remotes, asked)}
    assert outcomes["attest"].reason == "4 of 4 attestations are signed"
    assert len(set(remotes.attested)) == 4
    again = run_pipeline(remotes, asked)
    reasons = {outcome.name: outcome.reason for outcome in again}
    assert reasons["sign"] == "5 of 5 entries are signed, 5 signatures"
    assert {outcome.outcome for outcome in again} == {"skipped"}
    assert len(remotes.attested) == 4


def test_what_is_attested_already_is_signed_all_the_same(asked: Target) -> None:
    remotes = ModelRemotes()
    run_pipeline(remotes, asked)
    signatures = set(remotes.signatures)
    remotes.signatures.clear()
    remotes.attested += [(digest, VULNERABILITIES) for digest in signatures]
    outcomes = {outcome.name: outcome for outcome in run_pipeline(remotes, asked)}
    assert outcomes["sign"].reason == "5 of 5 entries are signed, 5 signatures"
    assert set(remotes.signatures) == signatures


def test_statements_of_one_digest_are_written_one_after_the_other(asked: Target) -> None:
    remotes = ModelRemotes()
    run_pipeline(remotes, change_settings(asked, "sign", attest=False))
    rows = {row.stage.name: row for row in preview(PIPELINE, asked, remotes.executor)}
    actions = rows["attest"].actions
    commands = [action for action in actions if isinstance(action, Command)]
    images = [command.argv[-1] for command in commands]
    assert len(images) == 4 and images[:2] == images[2:] and len(set(images)) == 2
    first = commands[0]
    assert first.side_by_side and first.secrets == ("COSIGN_PASSWORD",)
    assert "--type=spdxjson" in first.argv and "--predicate=-" in first.argv
    question = first.stdin
    assert isinstance(question, ReadPredicate)
    assert question.predicate_type == SPDX
    assert question.digest != first.argv[-1].partition("@")[2]


def test_two_manifests_that_speak_of_one_image(asked: Target) -> None:
    world = attest_world(asked)
    assert world.contents is not None
    first, *others = world.contents.attestations
    sbom, provenance = first.statements
    halves = (
        structs.replace(first, statements=(sbom,)),
        structs.replace(first, digest="sha256:" + "e" * 64, statements=(sbom, provenance)),
    )
    contents = structs.replace(world.contents, attestations=(*halves, *others))
    world = replace(world, contents=contents)
    while attest.judge(asked, world).state is State.ABSENT:
        assert attest.plan(asked, world)
        world = attest.simulate(asked, world)
    assert attest.judge(asked, world).evidence == "4 of 4 attestations are signed"


def attest_world(target: Target) -> World:
    """Give the world of an image that was read back and is not attested yet."""
    index = build.simulate(target, World()).index
    assert index is not None
    return World(index=index, contents=contents_of(index, {}))


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
    unasked = change_settings(asked, "sign", attest=False)
    assert "attest" in (attest.skip_reason(unasked) or "")
