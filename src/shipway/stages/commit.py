"""commit: the commit point. One atomic push of the release commit and its tag; after it every step rolls forward."""

from __future__ import annotations

from dataclasses import replace

from shipway.model.actions import Action, Command, Effect
from shipway.model.stage import Asking, Finding, State
from shipway.model.target import Target
from shipway.model.world import World
from shipway.tools.git import TOKENS, list_command, read_refs
from shipway.tools.imagetools import PASSING

NAME = "commit"
_HINTS = (
    (
        r"non-fast-forward|fetch first|stale info",
        "the branch moved meanwhile: run the release again from its new head (`git pull`)",
    ),
    (
        r"protected branch|GH006|GH013",
        "the branch is protected: let a GitHub App push to it, and give its token as GITHUB_TOKEN",
    ),
    (
        r"Permission to|403|could not read Username",
        "the push is refused: the job needs `contents: write`, and GITHUB_TOKEN in its environment",
    ),
)


def skip_reason(target: Target) -> str:
    """Only releases have a commit point."""
    return "" if target.version else f"a {target.channel} build is not released"


def observe(target: Target, world: World) -> Asking:
    """Ask the origin for the tag and the head of the release branch."""
    tag = f"refs/tags/{target.tag}"
    (answer,) = yield (list_command(target, f"refs/heads/{target.branch}", tag, f"{tag}^{{}}"),)
    refs = read_refs(answer)
    # An annotated tag is listed twice; the peeled line names the commit.
    return replace(
        world,
        git_tag=refs.get(f"{tag}^{{}}", refs.get(tag, "")),
        head=refs.get(f"refs/heads/{target.branch}", ""),
    )


def judge(target: Target, world: World) -> Finding:
    """A tag is never moved, and a branch that moved meanwhile is left where it is."""
    if world.git_tag != target.commit and world.head not in ("", target.base, target.commit):
        return Finding(State.CONFLICT, f"{target.branch} moved to {world.head[:12]} meanwhile")
    if not world.git_tag:
        return Finding(State.ABSENT, f"{target.tag} is not in the origin")
    if world.git_tag != target.commit:
        return Finding(
            State.CONFLICT,
            f"{target.tag} is {world.git_tag[:12]} in the origin, not {target.commit[:12]}",
        )
    return Finding(State.SAME, f"{target.tag} is {world.git_tag[:12]}")


def plan(target: Target, _world: World) -> tuple[Action, ...]:
    """Branch and tag together or neither: a refused tag leaves the branch where it was."""
    # Without a release commit there is nothing for the branch.
    branch = (
        () if target.commit == target.base else (f"{target.commit}:refs/heads/{target.branch}",)
    )
    argv = ("git", "push", "--atomic", target.remote, *branch, f"refs/tags/{target.tag}")
    why = f"publish {target.tag}" + (f" and its commit on {target.branch}" if branch else "")
    return (
        Command(
            name=NAME,
            why=why,
            argv=argv,
            effect=Effect.PUBLISH,
            folder=target.folder,
            secrets=TOKENS,
            hints=_HINTS,
            again=PASSING,
        ),
    )


def simulate(target: Target, world: World) -> World:
    """Tag and branch at the release commit."""
    return replace(world, git_tag=target.commit, head=target.commit)
