"""A release is withdrawn: what people follow goes back, and nothing is deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from shipway.errors import ContextError, VerificationFailed
from shipway.image.labels import REVISION, VERSION
from shipway.model.release import GitTag
from shipway.model.target import Target, require_release
from shipway.model.version import Version, parse_version
from shipway.run.reconcile import reconcile
from shipway.run.result import Outcome
from shipway.stages.rollback import Rollback, plan_rollback
from shipway.stages.rollback.withdrawal import MARK
from shipway.target.release_page import LONGEST_BODY
from tests.support.cosign_lists import VULNERABILITIES
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
    rollback = plan_rollback(withdrawn, tags(names.split()), "v{version}", rolling=True)
    versions = {tag: parse_version(version) for tag, version in goals.items()}
    assert (rollback.tag, rollback.goals, rollback.kept) == (withdrawn, versions, kept)


def tags(names: Sequence[str]) -> list[GitTag]:
    """Tags with these names."""
    return [GitTag(name, "c" * 40, "") for name in names]


@pytest.mark.parametrize(
    ("names", "withdrawn", "reason"),
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
def test_what_cannot_be_withdrawn(names: str, withdrawn: str, reason: str) -> None:
    with pytest.raises(ContextError, match=reason):
        plan_rollback(withdrawn, tags(names.split()), "v{version}", rolling=False)


@pytest.fixture(name="remotes")
def fixture_remotes(target: Target) -> ModelRemotes:
    """Two releases."""
    remotes = ModelRemotes()
    run_pipeline(remotes, earlier(target))
    run_pipeline(remotes, based_on(target, "b" * 40))
    assert remotes.tags["latest"] == remotes.tags["v1.2.3"] != remotes.tags["v1.1.0"]
    return remotes


def based_on(target: Target, base: str) -> Target:
    """The target, of a release that was decided when the branch was at ``base``."""
    return replace(target, release=replace(require_release(target), base=base))


def release_of(target: Target, version: Version, commit: str) -> Target:
    """The target of another release of the same line of docs, as the latest one."""
    tag = f"v{version}"
    return replace(
        target,
        release=replace(require_release(target), version=version, tag=tag, commit=commit),
        commit=commit,
        staging=f"sha-{commit[:7]}",
        docs_version="1.1",
        tags=(tag, "latest"),
        labels={VERSION: str(version), REVISION: commit},
    )


def earlier(target: Target) -> Target:
    """The release before."""
    return release_of(target, Version(1, 1, 0), "b" * 40)


ROLLBACK = Rollback(tag="v1.2.3", goals={"latest": Version(1, 1, 0)})


def withdraw(remotes: ModelRemotes, target: Target) -> dict[str, str]:
    """One run; gives outcome by step."""
    outcomes: list[Outcome] = []
    reconcile(ROLLBACK.stages, target, remotes.executor, record=outcomes.append)
    return {outcome.name: outcome.outcome for outcome in outcomes}


def test_everything_that_people_follow_goes_back(target: Target, remotes: ModelRemotes) -> None:
    signatures, count = list(remotes.signatures), len(remotes.manifests)
    assert set(withdraw(remotes, target).values()) == {"done"}
    assert remotes.tags["latest"] == remotes.tags["v1.1.0"] != remotes.tags["v1.2.3"]
    assert {docs["version"]: docs["aliases"] for docs in remotes.docs} == {
        "1.1": ["latest"],
        "1.2": [],
    }
    pages = {page["tag_name"]: page for page in remotes.releases}
    assert pages["v1.2.3"]["name"] == f"v1.2.3{MARK}" and pages["v1.1.0"]["name"] == "v1.1.0"
    body = str(pages["v1.2.3"]["body"])
    assert body.startswith("> [!WARNING]\n> This release was withdrawn. Use v1.1.0.\n\n- A feature")
    assert [pages[name]["make_latest"] for name in ("v1.1.0", "v1.2.3")] == ["true", "false"]
    assert remotes.refs["refs/tags/withdrawn/v1.2.3"] == target.commit
    assert (remotes.signatures, len(remotes.manifests)) == (signatures, count)
    changes = remotes.changes
    assert set(withdraw(remotes, target).values()) == {"skipped"} and remotes.changes == changes


def test_a_page_without_room_says_so_in_its_title(target: Target, remotes: ModelRemotes) -> None:
    for page in remotes.releases:
        page["body"] = "x" * LONGEST_BODY
    assert set(withdraw(remotes, target).values()) == {"done"}
    pages = {page["tag_name"]: page for page in remotes.releases}
    assert pages["v1.2.3"]["name"] == f"v1.2.3{MARK}"
    assert pages["v1.2.3"]["body"] == "x" * LONGEST_BODY


@pytest.mark.parametrize("lost", [True, False])
@pytest.mark.parametrize("at", range(5))
def test_a_rerun_ends_where_an_undisturbed_run_does(
    target: Target, remotes: ModelRemotes, at: int, lost: bool
) -> None:
    undisturbed = ModelRemotes()
    run_pipeline(undisturbed, earlier(target))
    run_pipeline(undisturbed, based_on(target, "b" * 40))
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
    maintained = based_on(release_of(target, Version(1, 1, 1), "d" * 40), "c" * 40)
    release = replace(require_release(maintained), withdrawn=(Version(1, 2, 3),))
    run_pipeline(remotes, replace(maintained, release=release))
    assert {docs["title"]: docs["aliases"] for docs in remotes.docs} == {
        "1.1.1": ["latest"],
        "1.2.3": [],
    }
    assert remotes.tags["latest"] == remotes.tags["v1.1.1"]


def test_patches_share_their_docs(target: Target) -> None:
    rollback = replace(ROLLBACK, goals={"latest": Version(1, 2, 2)})
    document = rollback.stages[-1]
    assert document.skip_reason(target) == "1.2.2 shares the docs 1.2 with it"
    promote = replace(ROLLBACK, goals={}).stages[1]
    assert promote.skip_reason(target) == "no tag that people follow is at it"


def test_there_is_no_going_back_to_what_is_only_attested(
    target: Target, remotes: ModelRemotes
) -> None:
    goal = remotes.tags["v1.1.0"]
    remotes.signatures = [digest for digest in remotes.signatures if digest != goal]
    remotes.attested.append((goal, VULNERABILITIES))
    with pytest.raises(VerificationFailed, match="v1.1.0 is not signed by the expected identity"):
        withdraw(remotes, target)
    assert remotes.tags["latest"] == remotes.tags["v1.2.3"]
