"""A release is withdrawn: what people follow goes back, and nothing is deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from shipway.errors import ContextError, VerificationFailed
from shipway.model.release import GitTag
from shipway.model.target import Target
from shipway.run.reconcile import Outcome, reconcile
from shipway.stages.rollback import MARK, Rollback, plan_rollback
from tests.support.model_remotes import Died, ModelRemotes
from tests.support.pipeline import run_pipeline


@pytest.mark.parametrize(
    ("names", "withdrawn", "goals", "kept"),
    [
        ("v1.1.0 v1.2.0", "v1.2.0", {"latest": "1.1.0", "v1": "1.1.0"}, ("v1.2",)),
        ("v1.2.0 v1.2.1 v1.2.2", "v1.2.2", {"latest": "1.2.1", "v1": "1.2.1", "v1.2": "1.2.1"}, ()),
        (
            "v1.2.0 v1.2.1 withdrawn/v1.2.1 v1.2.2",
            "v1.2.2",
            {"latest": "1.2.0", "v1": "1.2.0", "v1.2": "1.2.0"},
            (),
        ),
        ("v1.2.0 v1.2.1 v2.0.0", "v1.2.1", {"v1": "1.2.0", "v1.2": "1.2.0"}, ()),
        ("v1.2.0 v1.2.1 v2.0.0", "v1.2.0", {}, ()),
        ("v1.2.0 v1.3.0-rc.1 other-9.0.0", "v1.3.0-rc.1", {}, ()),
        ("v1.9.0 v2.0.0 v2.0.0-rc.1", "v2.0.0", {"latest": "1.9.0"}, ("v2.0", "v2")),
        ("v1.1.0 v1.2.0 withdrawn/v1.2.0", "v1.2.0", {"latest": "1.1.0", "v1": "1.1.0"}, ("v1.2",)),
    ],
)
def test_where_each_tag_goes(
    names: str, withdrawn: str, goals: dict[str, str], kept: tuple[str, ...]
) -> None:
    assert plan_rollback(withdrawn, tags(names.split()), "v{version}", rolling=True) == Rollback(
        tag=withdrawn, goals=goals, kept=kept
    )


def tags(names: Sequence[str]) -> list[GitTag]:
    """Tags with these names."""
    return [GitTag(name, "c" * 40, "") for name in names]


@pytest.mark.parametrize(
    ("names", "asked", "said"),
    [
        ("v1.0.0", "v1.0.0", "no release before v1.0.0"),
        ("v1.0.0", "v2.0.0", "'v2.0.0' is no release"),
        ("v1.0.0 nightly", "nightly", "'nightly' is no release"),
        (
            "v1.0.0 withdrawn/v1.0.0 v1.1.0",
            "v1.1.0",
            "no release before v1.1.0 that was not withdrawn",
        ),
    ],
)
def test_what_cannot_be_withdrawn(names: str, asked: str, said: str) -> None:
    with pytest.raises(ContextError, match=said):
        plan_rollback(asked, tags(names.split()), "v{version}", rolling=False)


@pytest.fixture(name="remotes")
def fixture_remotes(target: Target) -> ModelRemotes:
    """Two releases."""
    remotes = ModelRemotes()
    run_pipeline(remotes, earlier(target))
    run_pipeline(remotes, replace(target, base="b" * 40))
    assert remotes.tags["latest"] == remotes.tags["v1.2.3"] != remotes.tags["v1.1.0"]
    return remotes


def earlier(target: Target) -> Target:
    """The release before."""
    labels = {
        name: {target.version: "1.1.0", target.commit: "b" * 40}[value]
        for name, value in target.labels.items()
    }
    return replace(
        target,
        version="1.1.0",
        tag="v1.1.0",
        commit="b" * 40,
        staging="sha-bbbbbbb",
        docs="1.1",
        tags=("v1.1.0", "latest"),
        labels=labels,
    )


ROLLBACK = Rollback(tag="v1.2.3", goals={"latest": "1.1.0"})


def withdraw(remotes: ModelRemotes, target: Target) -> dict[str, str]:
    """One run; gives outcome by step."""
    seen: list[Outcome] = []
    reconcile(ROLLBACK.steps, target, remotes.executor, record=seen.append)
    return {one.name: one.outcome for one in seen}


def test_everything_that_people_follow_goes_back(target: Target, remotes: ModelRemotes) -> None:
    signatures, count = list(remotes.signatures), len(remotes.manifests)
    assert set(withdraw(remotes, target).values()) == {"done"}
    assert remotes.tags["latest"] == remotes.tags["v1.1.0"] != remotes.tags["v1.2.3"]
    assert {one["version"]: one["aliases"] for one in remotes.docs} == {
        "1.1": ["latest"],
        "1.2": [],
    }
    pages = {one["tag_name"]: one for one in remotes.releases}
    assert pages["v1.2.3"]["name"] == f"v1.2.3{MARK}" and pages["v1.1.0"]["name"] == "v1.1.0"
    body = str(pages["v1.2.3"]["body"])
    assert body.startswith("> [!WARNING]\n> This release was withdrawn. Use v1.1.0.\n\n- A feature")
    assert [pages[name]["make_latest"] for name in ("v1.1.0", "v1.2.3")] == ["true", "false"]
    assert remotes.refs["refs/tags/withdrawn/v1.2.3"] == target.commit
    assert (remotes.signatures, len(remotes.manifests)) == (signatures, count)
    changes = remotes.changes
    assert set(withdraw(remotes, target).values()) == {"skipped"} and remotes.changes == changes


@pytest.mark.parametrize("lost", [True, False])
@pytest.mark.parametrize("at", range(5))
def test_a_rerun_ends_where_an_undisturbed_run_does(
    target: Target, remotes: ModelRemotes, at: int, lost: bool
) -> None:
    undisturbed = ModelRemotes()
    run_pipeline(undisturbed, earlier(target))
    run_pipeline(undisturbed, replace(target, base="b" * 40))
    withdraw(undisturbed, target)
    remotes.die_at, remotes.lost = remotes.changes + at, lost
    with pytest.raises(Died):
        withdraw(remotes, target)
    remotes.die_at = -1
    withdraw(remotes, target)
    assert remotes.state() == undisturbed.state()


def test_an_image_that_is_not_signed_is_not_gone_back_to(
    target: Target, remotes: ModelRemotes
) -> None:
    remotes.signatures.remove(remotes.tags["v1.1.0"])
    with pytest.raises(VerificationFailed, match="v1.1.0 is not signed"):
        withdraw(remotes, target)
    assert remotes.tags["latest"] == remotes.tags["v1.2.3"]


def test_an_image_that_is_gone_is_not_gone_back_to(target: Target, remotes: ModelRemotes) -> None:
    del remotes.tags["v1.1.0"]
    with pytest.raises(ContextError, match="the image of v1.1.0 is not in the registry"):
        withdraw(remotes, target)


def test_docs_of_a_withdrawn_version_stand_in_no_ones_way(
    target: Target, remotes: ModelRemotes
) -> None:
    withdraw(remotes, target)
    labels = {
        name: {target.version: "1.1.1", target.commit: "d" * 40}[value]
        for name, value in target.labels.items()
    }
    maintained = replace(
        target,
        version="1.1.1",
        tag="v1.1.1",
        commit="d" * 40,
        base="c" * 40,
        docs="1.1",
        staging="sha-ddddddd",
        tags=("v1.1.1", "latest"),
        labels=labels,
        withdrawn=("1.2.3",),
    )
    run_pipeline(remotes, maintained)
    assert {one["title"]: one["aliases"] for one in remotes.docs} == {
        "1.1.1": ["latest"],
        "1.2.3": [],
    }
    assert remotes.tags["latest"] == remotes.tags["v1.1.1"]


def test_patches_share_their_docs(target: Target) -> None:
    steps = replace(ROLLBACK, goals={"latest": "1.2.2"}).steps
    assert steps[-1].skip_reason(target) == "1.2.2 shares the docs 1.2 with it"
    assert (
        replace(ROLLBACK, goals={}).steps[1].skip_reason(target)
        == "no tag that people follow is at it"
    )
