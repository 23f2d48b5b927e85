"""What is being built: facts in, context out. Pure; `effects/facts.py` gathers the facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shipway.errors import ContextError
from shipway.image.repository import GITHUB, parse_remote

_SHOWN = 5
"""Changed files that an error names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """What the checkout says. ``branch`` is empty when the head is detached, ``commit`` when there is none yet."""

    commit: str
    branch: str = ""
    head_tags: tuple[str, ...] = ()
    remote_url: str = ""
    changes: tuple[str, ...] = ()
    """Files that differ from the commit."""
    shallow: bool = False
    epoch: int = 0
    """Committer's time of the commit, in seconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The environment, the event that GitHub tells about (empty elsewhere), and the checkout (if any)."""

    environment: Mapping[str, str] = field(default_factory=dict)
    event: Mapping[str, Any] = field(default_factory=dict)  # Any: a JSON document
    git: Git | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One thing to build: a branch, a pull request or a tag, at a commit."""

    event: str
    """Name of GitHub's event, ``local`` on a laptop, ``none`` without a checkout, in Actions too."""
    ref: str = ""
    branch: str = ""
    tag: str = ""
    pull_request: int | None = None
    commit: str = ""
    repository: str = ""
    """``owner/name``, empty when the remote is no GitHub address."""
    server: str = GITHUB
    fork: bool = False
    """A pull request from another repository: it cannot push."""
    ci: bool = False
    run_url: str = ""
    epoch: int = 0
    changes: tuple[str, ...] = ()
    shallow: bool = False


def detect(facts: Facts) -> Context:
    """The context of a run in GitHub Actions, of a checkout, or of no checkout at all.

    ``GITHUB_ACTIONS`` also reaches containers and tools that are told nothing else of the run (``docker run --env``,
    tox's ``passenv``): without ``GITHUB_SHA`` the checkout tells, as on a laptop.
    """
    if facts.environment.get("GITHUB_ACTIONS") == "true" and facts.environment.get("GITHUB_SHA"):
        return _detect_actions(facts)
    git = facts.git
    if git is None:
        return Context(event="none")
    server, repository = parse_remote(git.remote_url) or (GITHUB, "")
    if server not in (GITHUB, facts.environment.get("GITHUB_SERVER_URL")):
        server, repository = GITHUB, ""
    tag = "" if git.branch else next(iter(git.head_tags), "")
    ref = f"refs/heads/{git.branch}" if git.branch else f"refs/tags/{tag}" if tag else ""
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
    environment, event, git = facts.environment, facts.event, facts.git
    server = environment.get("GITHUB_SERVER_URL", GITHUB)
    repository = environment.get("GITHUB_REPOSITORY", "")
    ref, commit = environment.get("GITHUB_REF", ""), environment.get("GITHUB_SHA", "")
    number, fork = None, False
    pull = event.get("pull_request")
    if isinstance(pull, dict):
        # GITHUB_SHA is a merge commit that exists nowhere else; people look for the head of the pull request.
        number, head = int(pull["number"]), pull["head"]
        commit = str(head["sha"])
        fork = ((head.get("repo") or {}).get("full_name") or "") != repository
    release = event.get("release")
    tag = ref.removeprefix("refs/tags/") if ref.startswith("refs/tags/") else ""
    if not tag and isinstance(release, dict):
        tag = str(release.get("tag_name") or "")
    run = f"{server}/{repository}/actions/runs/{environment.get('GITHUB_RUN_ID', '')}"
    return Context(
        event=environment.get("GITHUB_EVENT_NAME", "") if git else "none",
        ref=ref,
        tag=tag,
        pull_request=number,
        commit=commit,
        branch=ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else "",
        repository=repository,
        server=server,
        fork=fork,
        ci=True,
        run_url=run if environment.get("GITHUB_RUN_ID") else "",
        epoch=git.epoch if git else 0,
        changes=git.changes if git else (),
        shallow=bool(git and git.shallow),
    )


def require_git(context: Context) -> None:
    """There is a commit to build; raises ``ContextError``."""
    if context.event == "none":
        raise ContextError(
            "this folder is not in a git repository",
            hint="give the job a step with actions/checkout, or change to the project's folder"
            if context.ci
            else "run `git init`, commit, and add a remote; or change to the project's folder",
        )
    if not context.commit:
        raise ContextError("the repository has no commit yet", hint="commit the project first")


def require_clean(context: Context) -> None:
    """What is pushed is what was committed; raises ``ContextError``."""
    require_git(context)
    if context.changes:
        rest = len(context.changes) - _SHOWN
        shown = ", ".join(context.changes[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
        raise ContextError(
            f"there are changes that are not committed, and an image's tag names a commit: {shown}",
            hint="commit or stash them (`git status` lists them)",
        )


def require_history(context: Context) -> None:
    """The commits since the last release are there; raises ``ContextError``."""
    require_git(context)
    if context.shallow:
        raise ContextError(
            "this is a shallow clone: versions computed without the history are wrong",
            hint="run `git fetch --unshallow --tags` (in Actions: `fetch-depth: 0`)",
        )


def require_release(context: Context, branches: Sequence[str]) -> None:
    """A release can be made here; raises ``ContextError``."""
    require_clean(context)
    require_history(context)
    if not context.repository:
        raise ContextError(
            "the git remote is no GitHub address, so there is nowhere to release to",
            hint="point it at one: `git remote set-url origin https://github.com/<owner>/<name>.git` "
            "(`git remote add` where there is none)",
        )
    if context.tag and not context.branch:
        return
    if not context.branch:
        raise ContextError(
            "the head is detached: a release is made from a branch",
            hint=f"run `git switch {branches[0]}`",
        )
    if context.branch not in branches:
        raise ContextError(
            f"{context.branch!r} is not a release branch ({', '.join(branches)})",
            hint=f"run `git switch {branches[0]}`, or add it to [tool.shipway.release] branches",
        )
