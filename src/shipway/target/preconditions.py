"""This module says what has to be true of a context before anything is built or released. Pure."""

from __future__ import annotations

from shipway.errors import ContextError
from shipway.settings import ReleaseSettings
from shipway.target.context import Context
from shipway.target.releases import version_of

_SHOWN = 5
"""Says how many changed files an error names."""


def require_git(context: Context) -> None:
    """Make sure that there is a commit to build, and that it is checked out.

    Raises ``ContextError``.
    """
    if context.event == "none":
        first_step = "run `git init`, commit, and add a remote"
        if context.ci:
            first_step = "give the job a step with actions/checkout"
        raise ContextError(
            "this folder is not in a git repository",
            hint=f"{first_step}; or change to the project's folder",
        )
    if not context.commit:
        raise ContextError("the repository has no commit yet", hint="commit the project first")
    if context.checked_out:
        reference = "github.event.pull_request.head.sha || github.sha"
        if context.event == "workflow_run":
            reference = "github.event.workflow_run.head_sha"
        raise ContextError(
            f"the run is of the commit {context.commit}, and {context.checked_out} is checked out: "
            "an image would have the name of one and the files of the other",
            hint=f"give the step with actions/checkout `ref: ${{{{ {reference} }}}}`",
        )


_CLEAN = "commit or stash them (`git status` lists them)"


def require_clean(context: Context, *, advice: str = _CLEAN) -> None:
    """Make sure that what is pushed is what was committed; raises ``ContextError``."""
    require_git(context)
    if context.changes:
        files = ", ".join(context.changes[:_SHOWN])
        rest = len(context.changes) - _SHOWN
        if rest > 0:
            files += f" and {rest} more"
        raise ContextError(
            f"there are changes that are not committed, and an image's tag names a commit: {files}",
            hint=advice,
        )


def require_history(context: Context) -> None:
    """Make sure that the commits since the last release are there; raises ``ContextError``."""
    require_git(context)
    if context.shallow:
        raise ContextError(
            "this is a shallow clone: versions computed without the history are wrong",
            hint="run `git fetch --unshallow --tags` (in Actions: `fetch-depth: 0`)",
        )


def require_releasable(context: Context, release: ReleaseSettings) -> None:
    """Make sure that a release can be made here; raises ``ContextError``."""
    require_clean(context)
    require_history(context)
    if not context.repository:
        raise ContextError(
            "the git remote is no GitHub address, so there is nowhere to release to",
            hint="point it at one: `git remote set-url origin "
            "https://github.com/<owner>/<name>.git` (`git remote add` where there is none)",
        )
    require_release_branch(context, release)


def require_release_branch(context: Context, release: ReleaseSettings) -> None:
    """Make sure that releases are made of this branch, or of this tag; raises ``ContextError``."""
    refusal = find_refusal(context, release)
    if refusal:
        raise refusal


def find_refusal(context: Context, release: ReleaseSettings) -> ContextError | None:
    """Say why no release is made of what is checked out, ``None`` where one may be."""
    first = release.branches[0]
    names = ", ".join(release.branches)
    if context.branch:
        if context.branch in release.branches:
            return None
        return ContextError(
            f"{context.branch!r} is not a release branch ({names})",
            hint=f"run `git switch {first}`, or add it to [tool.shipway.release] branches",
        )
    if context.pull_request is not None:
        return ContextError(
            f"pull request {context.pull_request} is not released, only a branch is ({names})",
            hint=f"merge it, then run the same command on {first}",
        )
    if not context.tag:
        return ContextError(
            "the head is detached: a release is made from a branch",
            hint=f"run `git switch {first}`",
        )
    if version_of(context.tag, release.tag_format) is None:
        return ContextError(
            f"the tag {context.tag} is no release: those look like {release.tag_format}",
            hint=f"check out a release's tag, or run `git switch {first}`",
        )
    return None


def require_branch(context: Context, release: ReleaseSettings) -> None:
    """Make sure that a version is decided for a branch, not for a tag; raises ``ContextError``."""
    if not context.branch:
        raise ContextError(
            f"{context.tag or 'what is checked out'} is no release that the remote has of this "
            "commit, and a new one is made from a branch",
            hint=f"run `git switch {release.branches[0]}`",
        )
