"""document: publishes the docs of the release under `1.2` with mike, and moves `latest`.

Docs follow releases: a run of an older version that ends last leaves those of a newer one alone.
"""

from __future__ import annotations

from dataclasses import replace

from shipway.model.actions import Ask, PlannedAction
from shipway.model.release import LATEST, Release
from shipway.model.stage import Finding, Needs, Stage, State
from shipway.model.target import Target, require_release, unreleased_reason
from shipway.model.version import parse_version
from shipway.model.world import DocsVersion, World
from shipway.tools import mike
from shipway.tools.git import fetch_branch, find_file, list_refs, read_file, read_refs

NAME = "document"


def skip_reason(target: Target) -> str | None:
    """Skip targets without a release or without docs."""
    unreleased = unreleased_reason(target)
    if unreleased or target.docs_version:
        return unreleased
    if target.channel == "prerelease":
        return "a pre-release publishes no docs"
    return "the project has no docs to publish"


def observe(target: Target, world: World, ask: Ask) -> World:
    """Read mike's own list, `versions.json`, from the docs branch."""
    branch = target.settings.docs.branch
    ref = f"refs/heads/{branch}"
    question = list_refs(target.folder, target.remote, ref)
    refs = read_refs(ask(question))
    if ref not in refs:
        return replace(world, docs={})
    fetch = fetch_branch(
        NAME,
        "fetch the docs branch",
        target.folder,
        target.remote,
        branch,
    )
    ask(fetch)
    published = f"refs/remotes/{target.remote}/{branch}"
    why = "read the list of docs versions"
    question = find_file(NAME, why, target.folder, published, mike.VERSIONS)
    listed = ask(question)
    if not listed.out:
        return replace(world, docs={})
    question = read_file(NAME, why, target.folder, published, mike.VERSIONS)
    answer = ask(question)
    docs = mike.read_versions(answer)
    return replace(world, docs=docs)


def judge(target: Target, world: World) -> Finding:
    """Compare the title, which names the exact version: all patches of 1.2 share its docs."""
    published = world.docs.get(_docs_version(target))
    if published is None:
        return Finding(
            State.ABSENT,
            f"no docs version {target.docs_version}",
        )
    evidence = f"{target.docs_version} shows {published.title}"
    release = require_release(target)
    if _is_newer(published, release):
        return Finding(State.SAME, f"{evidence}, which is newer")
    if published.title != str(release.version):
        return Finding(State.ABSENT, evidence)
    if not _takes_latest(target, world):
        return Finding(State.SAME, evidence)
    if LATEST not in published.aliases:
        return Finding(
            State.ABSENT,
            f"{LATEST} is not an alias of {target.docs_version}",
        )
    return Finding(
        State.SAME,
        f"{evidence}, {LATEST} points at it",
    )


def _docs_version(target: Target) -> str:
    if target.docs_version is None:
        raise ValueError("the target has no docs")
    return target.docs_version


def _is_newer(docs: DocsVersion, release: Release) -> bool:
    """Tell whether docs are those of a higher version that people use."""
    version = parse_version(docs.title)
    if version is None or version in release.withdrawn:
        return False
    return version.is_stable and version.is_above(release.version)


def _takes_latest(target: Target, world: World) -> bool:
    """Tell whether `latest` moves: never back, where higher docs were published meanwhile."""
    release = require_release(target)
    if not release.is_latest:
        return False
    for docs in world.docs.values():
        if _is_newer(docs, release):
            return False
    return True


def _aliases(target: Target, world: World) -> tuple[str, ...]:
    return (LATEST,) if _takes_latest(target, world) else ()


def plan(target: Target, world: World) -> tuple[PlannedAction, ...]:
    """Plan to build and push the docs; the default page of the site follows `latest`.

    The docs come last: they tell whether all is done.
    """
    release = require_release(target)
    title = str(release.version)
    aliases = _aliases(target, world)
    docs_version = _docs_version(target)
    deploy = mike.deploy(target, docs_version, title, aliases)
    if not aliases:
        return (deploy,)
    return mike.set_default(target, LATEST), deploy


def trials(target: Target) -> tuple[PlannedAction, ...]:
    """Ask for mike, and build the docs: with their plugins and their theme, by their settings."""
    version_question = mike.ask_mike_version(NAME)
    docs_version = _docs_version(target)
    trial = mike.try_build(target, docs_version)
    return version_question, trial


def simulate(target: Target, world: World) -> World:
    """Put the version into the list, and the alias on it alone."""
    docs = dict(world.docs)
    aliases = _aliases(target, world)
    if aliases:
        for name, published in docs.items():
            docs[name] = _without_latest(published)
    release = require_release(target)
    title = str(release.version)
    docs_version = _docs_version(target)
    docs[docs_version] = DocsVersion(title, aliases)
    return replace(world, docs=docs)


def _without_latest(published: DocsVersion) -> DocsVersion:
    aliases: list[str] = []
    for alias in published.aliases:
        if alias != LATEST:
            aliases.append(alias)
    return replace(published, aliases=tuple(aliases))


STAGE = Stage(
    name=NAME,
    skip_reason=skip_reason,
    observe=observe,
    judge=judge,
    plan=plan,
    simulate=simulate,
    trials=trials,
    needs=Needs.RELEASE,
    # The docs say nothing of an image: they build on the tag alone.
    builds_on=("commit",),
)
