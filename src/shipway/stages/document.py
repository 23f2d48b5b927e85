"""document: mike publishes the docs of the release under `1.2` and moves `latest`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from shipway.model.actions import Action, Answer, Command, Effect, Json
from shipway.model.stage import Asking, Finding, State
from shipway.model.target import Target
from shipway.model.world import World
from shipway.target.tags import is_higher
from shipway.tools.git import TOKENS, list_command, read_refs
from shipway.tools.imagetools import PASSING

NAME = "document"
LATEST = "latest"


def skip_reason(target: Target) -> str:
    """Only releases of projects with docs."""
    if not target.version:
        return f"a {target.channel} build is not released"
    return "" if target.docs else "the project has no docs to publish"


def observe(target: Target, world: World) -> Asking:
    """Read mike's own list, `versions.json`, from the docs branch."""
    branch = f"refs/heads/{target.docs_branch}"
    (answer,) = yield (list_command(target, branch),)
    if branch not in read_refs(answer):
        return replace(world, docs={})
    yield (_fetch(target),)
    (answer,) = yield (_show(target),)
    return replace(world, docs=read_versions(answer))


def judge(target: Target, world: World) -> Finding:
    """The title names the exact version, since all patches of 1.2 share one docs version."""
    title, aliases = world.docs.get(target.docs, ("", ()))
    if title != target.version:
        return Finding(
            State.ABSENT,
            f"{target.docs} shows {title}" if title else f"no docs version {target.docs}",
        )
    latest = _takes_latest(target, world)
    if latest and LATEST not in aliases:
        return Finding(State.ABSENT, f"{LATEST} is not an alias of {target.docs}")
    return Finding(
        State.SAME, f"{target.docs} shows {title}" + (f", {LATEST} points at it" if latest else "")
    )


def _takes_latest(target: Target, world: World) -> bool:
    """The alias never goes back: docs of a higher version may have been published meanwhile."""
    return target.latest and not any(
        is_higher(title, target.version)
        for title, _ in world.docs.values()
        if title not in target.withdrawn
    )


def plan(target: Target, world: World) -> tuple[Action, ...]:
    """Build and push; the default page of the site follows `latest`."""
    latest = _takes_latest(target, world)
    place = (
        "--push",
        "--remote",
        target.remote,
        "--branch",
        target.docs_branch,
        "--config-file",
        target.docs_config,
    )
    deploy = ("mike", "deploy", *place, "--update-aliases", "--title", target.version, target.docs)
    steps = [
        _mike(
            target, f"publish the docs as {target.docs}", (*deploy, *((LATEST,) if latest else ()))
        )
    ]
    if latest:
        steps.append(
            _mike(
                target,
                "the site opens at the latest version",
                ("mike", "set-default", *place, LATEST),
            )
        )
    return tuple(steps)


def alias_command(target: Target, version: str) -> Command:
    """Let the alias point at docs that are there."""
    return _mike(
        target,
        f"{LATEST} is {version}",
        (
            "mike",
            "alias",
            "--push",
            "--remote",
            target.remote,
            "--branch",
            target.docs_branch,
            "--config-file",
            target.docs_config,
            "--update-aliases",
            version,
            LATEST,
        ),
    )


def simulate(target: Target, world: World) -> World:
    """The version in the list, the alias on it alone."""
    latest = _takes_latest(target, world)
    others = {
        version: (title, tuple(alias for alias in aliases if alias != LATEST or not latest))
        for version, (title, aliases) in world.docs.items()
    }
    return replace(
        world, docs={**others, target.docs: (target.version, (LATEST,) if latest else ())}
    )


def read_versions(answer: Answer) -> Mapping[str, tuple[str, tuple[str, ...]]]:
    """`versions.json`: version → (title, aliases). A branch without the file has no versions."""
    if answer.code != 0:
        return {}
    found = cast(list[dict[str, Json]], json.loads(answer.out))
    return {
        str(one["version"]): (str(one["title"]), tuple(cast(list[str], one.get("aliases") or [])))
        for one in found
    }


def _fetch(target: Target) -> Command:
    branch = f"+refs/heads/{target.docs_branch}:refs/remotes/{target.remote}/{target.docs_branch}"
    return Command(
        name=NAME,
        why="fetch the docs branch",
        argv=("git", "fetch", "--quiet", target.remote, branch),
        effect=Effect.LOCAL,
        folder=target.folder,
        secrets=TOKENS,
    )


def _show(target: Target) -> Command:
    what = f"refs/remotes/{target.remote}/{target.docs_branch}:versions.json"
    # 128: the branch has no such file.
    return Command(
        name=NAME,
        why="read the list of docs versions",
        argv=("git", "show", what),
        effect=Effect.READ,
        folder=target.folder,
        expected=(0, 128),
    )


def _mike(target: Target, why: str, argv: tuple[str, ...]) -> Command:
    return Command(
        name=NAME,
        why=why,
        argv=argv,
        effect=Effect.PUBLISH,
        folder=target.folder,
        secrets=TOKENS,
        again=PASSING,
    )
