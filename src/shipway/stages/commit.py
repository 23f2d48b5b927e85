"""commit: pushes the release commit and its tag at once, which is the commit point of a release.

Every step after it rolls forward.
"""

from __future__ import annotations

from dataclasses import replace

from shipway.model.actions import Ask, PlannedAction
from shipway.model.stage import Finding, Needs, Stage, State
from shipway.model.target import Target, require_release, unreleased_reason
from shipway.model.world import World
from shipway.tools.git import list_refs, push, read_refs

NAME = "commit"


def observe(target: Target, world: World, ask: Ask) -> World:
    """Ask the origin for the tag and the head of the release branch."""
    release = require_release(target)
    branch = f"refs/heads/{target.branch}"
    tag = f"refs/tags/{release.tag}"
    peeled = f"{tag}^{{}}"
    question = list_refs(
        target.folder,
        target.remote,
        branch,
        tag,
        peeled,
    )
    answer = ask(question)
    refs = read_refs(answer)
    # An annotated tag is listed twice; the peeled line names the commit.
    commit = refs.get(peeled)
    if not commit:
        commit = refs.get(tag, "")
    head = refs.get(branch, "")
    return replace(world, git_tag=commit, head=head)


def judge(target: Target, world: World) -> Finding:
    """Never move a tag, and leave a branch that moved meanwhile where it is."""
    release = require_release(target)
    tagged = world.git_tag[:12]
    if world.git_tag == target.commit:
        return Finding(
            State.SAME,
            f"{release.tag} is {tagged}",
        )
    expected_heads = ("", release.base, target.commit)
    if world.head not in expected_heads:
        head = world.head[:12]
        return Finding(
            State.CONFLICT,
            f"{target.branch} moved to {head} meanwhile",
        )
    if not world.git_tag:
        return Finding(
            State.ABSENT,
            f"{release.tag} is not in the origin",
        )
    commit = target.commit[:12]
    return Finding(
        State.CONFLICT,
        f"{release.tag} is {tagged} in the origin, not {commit}",
    )


def plan(target: Target, _world: World) -> tuple[PlannedAction, ...]:
    """Push branch and tag together or neither: a refused tag leaves the branch where it was."""
    release = require_release(target)
    refs = [f"refs/tags/{release.tag}"]
    why = f"publish {release.tag}"
    # Without a release commit there is nothing for the branch.
    if target.commit != release.base:
        branch = f"{target.commit}:refs/heads/{target.branch}"
        refs.insert(0, branch)
        why += f" and its commit on {target.branch}"
    command = push(
        NAME,
        why,
        target.folder,
        target.remote,
        *refs,
    )
    return (command,)


def simulate(target: Target, world: World) -> World:
    """Put tag and branch at the release commit."""
    return replace(world, git_tag=target.commit, head=target.commit)


STAGE = Stage(
    name=NAME,
    skip_reason=unreleased_reason,
    observe=observe,
    judge=judge,
    plan=plan,
    simulate=simulate,
    is_commit_point=True,
    needs=Needs.RELEASE,
)
