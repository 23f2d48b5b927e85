"""Facts in, context out: GitHub's events as recorded, a laptop, no git at all."""

from __future__ import annotations

import json
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from shipway.errors import ContextError
from shipway.image.repository import parse_remote
from shipway.settings import ReleaseSettings
from shipway.target.context import Context, Facts, Git, detect
from shipway.target.preconditions import (
    require_clean,
    require_git,
    require_history,
    require_releasable,
)
from shipway.target.tags import plan_tags

EVENTS = Path(__file__).parents[1] / "fixtures/events"
HEAD = "a1b2c3d" + "0" * 33
GIT = Git(
    commit="f" * 40, branch="topic", remote_url="git@github.com:Acme/Toy.git", epoch=1_700_000_000
)
RUN = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_SHA": HEAD,
    "GITHUB_REPOSITORY": "acme/toy",
    "GITHUB_RUN_ID": "42",
}
"""What a runner tells of a push."""


def recorded(name: str, git: Git = replace(GIT, commit=HEAD)) -> Context:
    """The context of a recorded event, by default with its commit checked out."""
    lines = (EVENTS / f"{name}.env").read_text("utf-8").split()
    environment = dict(line.split("=", 1) for line in lines)
    return detect(
        Facts(
            environment=environment,
            event=json.loads((EVENTS / f"{name}.json").read_text("utf-8")),
            git=git,
        )
    )


def test_a_push_to_a_branch() -> None:
    context = recorded("push")
    assert (context.branch, context.commit, context.tag) == ("feature/new-thing", HEAD, "")
    assert (context.repository, context.ci, context.pull_request) == ("acme/toy", True, None)
    assert context.run_url == "https://github.com/acme/toy/actions/runs/42"
    assert context.epoch == GIT.epoch


def test_a_pull_request_is_built_from_its_head_not_from_the_merge_commit() -> None:
    context = recorded("pull_request")
    assert (context.pull_request, context.commit, context.fork, context.branch) == (
        123,
        HEAD,
        False,
        "",
    )


def test_a_pull_request_from_a_fork_cannot_push() -> None:
    assert recorded("pull_request_fork").fork


@pytest.mark.parametrize("name", ["push_tag", "release"])
def test_a_tag_and_a_published_release_name_the_tag(name: str) -> None:
    assert (recorded(name).tag, recorded(name).branch) == ("v1.2.3", "")


def test_a_dispatch_is_one_of_its_branch() -> None:
    assert (recorded("workflow_dispatch").branch, recorded("workflow_dispatch").event) == (
        "main",
        "workflow_dispatch",
    )


def test_a_merge_queue_is_a_branch_of_its_own() -> None:
    assert recorded("merge_group").branch.startswith("gh-readonly-queue/main/pr-123-")


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        ("push", ("feature-new-thing-*", "sha-a1b2c3d")),
        ("pull_request", ("pr-123", "sha-a1b2c3d")),
        ("pull_request_fork", ("pr-124", "sha-a1b2c3d")),
        ("push_tag", ("sha-a1b2c3d",)),
        ("release", ("sha-a1b2c3d",)),
        ("workflow_dispatch", ("main", "sha-a1b2c3d")),
        ("merge_group", ("sha-a1b2c3d",)),
        ("workflow_run", ("main", "sha-a1b2c3d")),
        ("workflow_run_pull_request", ("pr-123", "sha-a1b2c3d")),
        ("workflow_run_fork", ("sha-a1b2c3d",)),
    ],
)
def test_each_event_has_its_tags(name: str, tags: tuple[str, ...]) -> None:
    names = plan_tags(recorded(name)).names
    assert len(names) == len(tags) and all(
        fnmatchcase(one, tag) for one, tag in zip(names, tags, strict=True)
    ), names


def test_every_recorded_event_is_looked_at() -> None:
    assert (
        {file.stem for file in EVENTS.glob("*.json")}
        == {file.stem for file in EVENTS.glob("*.env")}
        == {
            "push",
            "pull_request",
            "pull_request_fork",
            "push_tag",
            "release",
            "workflow_dispatch",
            "merge_group",
            "workflow_run",
            "workflow_run_pull_request",
            "workflow_run_fork",
        }
    )


@pytest.mark.parametrize("name", sorted(file.stem for file in EVENTS.glob("*.json")))
def test_what_is_named_is_what_is_checked_out(name: str) -> None:
    require_git(recorded(name))
    elsewhere = recorded(name, replace(GIT, commit="e" * 40))
    for require in (require_git, require_clean, require_history):
        with pytest.raises(ContextError, match=f"(?s){HEAD}.*{'e' * 40}") as caught:
            require(elsewhere)
        assert "head.sha || github.sha }}" in caught.value.hint or "head_sha" in caught.value.hint
    assert recorded(name, replace(GIT, commit="")).commit == ""


def test_a_branch_of_a_fork_is_none_of_ours() -> None:
    context = recorded("workflow_run_fork")
    assert (context.branch, context.pull_request, context.fork) == ("", None, True)
    assert recorded("workflow_run").branch == "main" and not recorded("workflow_run").fork


@pytest.mark.parametrize("name", ["push_tag", "release"])
def test_an_event_may_name_an_annotated_tag_by_its_own_hash(name: str) -> None:
    context = recorded(name, replace(GIT, commit="e" * 40, branch="", head_tags=("v1", "v1.2.3")))
    require_git(context)
    assert (context.tag, context.commit) == ("v1.2.3", "e" * 40)


def test_a_run_without_an_id_has_no_address() -> None:
    assert (
        detect(Facts(environment={"GITHUB_ACTIONS": "true", "GITHUB_SHA": HEAD}, git=GIT)).run_url
        == ""
    )


def test_a_laptop() -> None:
    context = detect(Facts(git=GIT))
    assert (context.event, context.branch, context.repository, context.ref) == (
        "local",
        "topic",
        "Acme/Toy",
        "refs/heads/topic",
    )
    assert not context.ci


def test_a_remote_that_is_not_githubs_names_no_repository() -> None:
    elsewhere = replace(GIT, remote_url="https://git.example/acme/toy.git")
    assert detect(Facts(git=elsewhere)).repository == ""
    own = {"GITHUB_SERVER_URL": "https://git.example"}
    assert detect(Facts(environment=own, git=elsewhere)).repository == "acme/toy"


def test_a_detached_head_at_a_tag_is_the_tag() -> None:
    context = detect(Facts(git=replace(GIT, branch="", head_tags=("v1.2.3",))))
    assert (context.tag, context.ref) == ("v1.2.3", "refs/tags/v1.2.3")
    assert detect(Facts(git=replace(GIT, branch=""))).ref == ""


@pytest.mark.parametrize(
    ("tags", "tag_format", "tag"),
    [
        (("v1.6.0-rc.1", "v1.6.0"), "v{version}", "v1.6.0"),
        (("v1.6.0-rc.2", "v1.6.0-rc.10"), "v{version}", "v1.6.0-rc.10"),
        (("v1.10.0", "v1.9.0"), "v{version}", "v1.10.0"),
        (("9.0.0", "latest", "v1.0.0", "v2"), "v{version}", "v1.0.0"),
        (("app-v3.0.0", "v1.0.0"), "app-v{version}", "app-v3.0.0"),
        (("nightly", "v2.0.0-final-x"), "{version}-final", ""),
    ],
)
def test_of_several_tags_the_highest_of_the_projects_own_format_is_checked_out(
    tags: tuple[str, ...], tag_format: str, tag: str
) -> None:
    for names in (tags, tags[::-1]):
        context = detect(Facts(git=replace(GIT, branch="", head_tags=names)), tag_format)
        assert context.tag == tag
        assert context.ref == (f"refs/tags/{tag}" if tag else "")


@pytest.mark.parametrize(("environment", "hint"), [({}, "git init"), (RUN, "actions/checkout")])
def test_without_a_checkout_nothing_can_be_built(environment: dict[str, str], hint: str) -> None:
    context = detect(Facts(environment=environment))
    assert context.event == "none"
    with pytest.raises(ContextError, match="not in a git repository") as caught:
        require_git(context)
    assert hint in caught.value.hint


def test_a_job_without_a_checkout_is_still_a_run_of_its_repository() -> None:
    context = detect(Facts(environment=RUN))
    assert (context.repository, context.branch, context.commit, context.ci) == (
        "acme/toy",
        "main",
        HEAD,
        True,
    )
    assert context.run_url == "https://github.com/acme/toy/actions/runs/42"


@pytest.mark.parametrize(
    "lacks",
    [
        {"GITHUB_SHA"},
        {"GITHUB_SHA", "GITHUB_EVENT_NAME"},
        RUN.keys() - {"GITHUB_ACTIONS"},
    ],
)
def test_where_the_variables_of_a_run_do_not_reach_the_checkout_tells(lacks: set[str]) -> None:
    environment = {name: value for name, value in RUN.items() if name not in lacks}
    assert detect(Facts(environment=environment, git=GIT)) == detect(Facts(git=GIT))
    assert detect(Facts(environment=environment)) == Context(event="none")


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://github.com/acme/toy.git", ("https://github.com", "acme/toy")),
        ("https://user:pass@github.com/acme/toy", ("https://github.com", "acme/toy")),
        ("ssh://git@github.com:22/acme/toy.git", ("https://github.com", "acme/toy")),
        ("git@github.com:acme/toy.git", ("https://github.com", "acme/toy")),
        ("/srv/git/toy.git", None),
        ("../toy.git", None),
        ("file:///srv/acme/toy.git", None),
        ("", None),
    ],
)
def test_addresses_of_remotes(url: str, found: tuple[str, str] | None) -> None:
    assert parse_remote(url) == found


GOOD = Context(event="local", branch="main", commit="c" * 40, repository="acme/toy")


@pytest.mark.parametrize(
    ("context", "said"),
    [
        (replace(GOOD, commit=""), "no commit yet"),
        (replace(GOOD, changes=tuple("abcdefg")), "not committed.*: a, b, c, d, e and 2 more"),
        (replace(GOOD, shallow=True), "shallow clone"),
        (replace(GOOD, repository=""), "no GitHub address"),
        (replace(GOOD, branch=""), "detached"),
        (replace(GOOD, branch="", tag="nightly"), "the tag nightly is no release"),
        (replace(GOOD, branch="", pull_request=7), "pull request 7 is not released"),
        (replace(GOOD, branch="topic"), "'topic' is not a release branch"),
        (replace(GOOD, branch="mainline"), "'mainline' is not a release branch"),
        (replace(GOOD, branch="main\\"), "is not a release branch"),
    ],
)
def test_what_a_release_cannot_be_made_of_is_named_with_the_next_step(
    context: Context, said: str
) -> None:
    with pytest.raises(ContextError, match=said) as caught:
        require_releasable(context, ReleaseSettings())
    assert caught.value.status == 3 and caught.value.hint


def test_a_good_checkout_and_a_tag_can_be_released() -> None:
    require_releasable(GOOD, ReleaseSettings())
    require_releasable(replace(GOOD, branch="", tag="v1.2.3"), ReleaseSettings())
    require_clean(GOOD)
