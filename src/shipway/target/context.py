"""This module finds out what is being built: facts in, context out.

Pure; `effects/facts.py` gathers the facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shipway.image.repository import GITHUB, parse_remote
from shipway.settings import ReleaseSettings
from shipway.target.releases import highest_tag

_BRANCH, _TAG = "refs/heads/", "refs/tags/"
_TAG_FORMAT = ReleaseSettings().tag_format


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """Holds what the checkout says.

    ``branch`` is empty when the head is detached, ``commit`` when there is none yet.
    """

    commit: str
    branch: str = ""
    head_tags: tuple[str, ...] = ()
    remote_url: str = ""
    changes: tuple[str, ...] = ()
    """Names the files that differ from the commit."""
    shallow: bool = False
    epoch: int = 0
    """Says when the commit was made, by the committer's clock, in seconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Holds the environment, GitHub's event (empty elsewhere), and the checkout, if any."""

    environment: Mapping[str, str] = field(default_factory=dict)
    event: Mapping[str, Any] = field(default_factory=dict)  # Any: a JSON document
    git: Git | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Says what is built: a branch, a pull request or a tag, at a commit."""

    event: str
    """Names GitHub's event; ``local`` on a laptop, ``none`` without a checkout, in Actions too."""
    ref: str = ""
    branch: str = ""
    tag: str = ""
    pull_request: int | None = None
    commit: str = ""
    repository: str = ""
    """Holds ``owner/name``, empty when the remote is no GitHub address."""
    server: str = GITHUB
    fork: bool = False
    """Says that the pull request is from another repository: it cannot push."""
    ci: bool = False
    run_url: str = ""
    epoch: int = 0
    changes: tuple[str, ...] = ()
    shallow: bool = False
    checked_out: str = ""
    """Holds the hash of what is checked out, where that is another commit than ``commit``."""


def detect(facts: Facts, tag_format: str = _TAG_FORMAT) -> Context:
    """Give the context of a run in GitHub Actions, of a checkout, or of no checkout at all.

    A checkout without a branch is that of a release where the head has a tag of ``tag_format``: of
    several the highest version.

    ``GITHUB_ACTIONS`` also reaches containers and tools that are told nothing else of the run
    (``docker run --env``, tox's ``passenv``): without ``GITHUB_SHA`` the checkout tells, as on a
    laptop.
    """
    environment = facts.environment
    is_actions = environment.get("GITHUB_ACTIONS") == "true"
    if is_actions and environment.get("GITHUB_SHA"):
        return _detect_actions(facts)
    if facts.git is None:
        return Context(event="none")
    server = environment.get("GITHUB_SERVER_URL")
    return _detect_checkout(facts.git, server, tag_format)


def _detect_checkout(git: Git, server_of_machine: str | None, tag_format: str) -> Context:
    """Give the context of a laptop; the remote counts where it is on GitHub, or on that server."""
    server = GITHUB
    repository = ""
    address = parse_remote(git.remote_url)
    if address and address[0] in (GITHUB, server_of_machine):
        server, repository = address
    tag = ""
    ref = ""
    if git.branch:
        ref = f"{_BRANCH}{git.branch}"
    else:
        tag = highest_tag(git.head_tags, tag_format)
        ref = f"{_TAG}{tag}" if tag else ""
    return Context(
        event="local",
        ref=ref,
        branch=git.branch,
        tag=tag,
        commit=git.commit,
        repository=repository,
        server=server,
        epoch=git.epoch,
        changes=git.changes,
        shallow=git.shallow,
    )


def _detect_actions(facts: Facts) -> Context:
    environment = facts.environment
    server = environment.get("GITHUB_SERVER_URL", GITHUB)
    repository = environment.get("GITHUB_REPOSITORY", "")
    ref = environment.get("GITHUB_REF", "")
    context = Context(
        event=environment.get("GITHUB_EVENT_NAME", ""),
        ref=ref,
        branch=_suffix(ref, _BRANCH),
        tag=_suffix(ref, _TAG) or _release_tag(facts.event),
        commit=environment.get("GITHUB_SHA", ""),
        repository=repository,
        server=server,
        ci=True,
        run_url=_run_url(environment, f"{server}/{repository}"),
    )
    context = _with_pull_request(context, facts.event)
    context = _with_workflow_run(context, facts.event)
    if facts.git is None:
        return replace(context, event="none")
    return _with_checkout(context, facts.git)


def _with_checkout(context: Context, git: Git) -> Context:
    """Add what the checkout says of its commit, and its hash where the run is of another one."""
    commit = context.commit
    # An annotated tag has a hash of its own, and some events name that one.
    if not git.commit or context.tag in git.head_tags:
        commit = git.commit
    return replace(
        context,
        commit=commit,
        checked_out="" if commit == git.commit else git.commit,
        epoch=git.epoch,
        changes=git.changes,
        shallow=git.shallow,
    )


def _suffix(ref: str, prefix: str) -> str:
    if not ref.startswith(prefix):
        return ""
    return ref.removeprefix(prefix)


def _release_tag(event: Mapping[str, Any]) -> str:  # Any: a JSON document
    release = event.get("release")
    if not isinstance(release, dict):
        return ""
    tag = release.get("tag_name")
    return str(tag or "")


def _run_url(environment: Mapping[str, str], address: str) -> str:
    run_id = environment.get("GITHUB_RUN_ID")
    if not run_id:
        return ""
    return f"{address}/actions/runs/{run_id}"


def _with_pull_request(context: Context, event: Mapping[str, Any]) -> Context:  # Any: JSON
    """Put the head of a pull request in the place of its merge commit.

    GITHUB_SHA is a merge commit that exists nowhere else; people look for the head.
    """
    pull = event.get("pull_request")
    if not isinstance(pull, dict):
        return context
    head = pull["head"]
    # The repository of a fork that was deleted is null.
    source = head.get("repo") or {}
    name = source.get("full_name") or ""
    return replace(
        context,
        pull_request=int(pull["number"]),
        commit=str(head["sha"]),
        fork=name != context.repository,
    )


def _with_workflow_run(context: Context, event: Mapping[str, Any]) -> Context:  # Any: JSON
    """Put what the awaited run was of in the place of the default branch's head.

    GITHUB_SHA is wherever the default branch is by now; people release what that run has checked. A
    branch of a fork may have any name: it is none of this repository's.
    """
    run = event.get("workflow_run")
    if not isinstance(run, dict):
        return context
    source = run.get("head_repository") or {}
    fork = source.get("full_name") != context.repository
    awaited_event = str(run.get("event"))
    branch = ""
    pull_request = None
    if awaited_event.startswith("pull_request"):
        pulls = run.get("pull_requests") or [{}]
        pull_request = pulls[0].get("number")
    elif not fork:
        branch = run.get("head_branch") or ""
    return replace(
        context,
        commit=str(run["head_sha"]),
        branch=str(branch),
        pull_request=pull_request,
        fork=fork,
    )
