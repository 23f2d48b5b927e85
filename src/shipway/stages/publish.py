"""publish: makes the GitHub release: a draft, then its asset, and only then it shows, whole.

Repositories may have immutable releases, which cannot be changed once they are published; hence
the order. A draft that somebody else made for the tag is completed: what they wrote stays above. A
page that somebody else has published is a conflict.
"""

from __future__ import annotations

from dataclasses import replace

from shipway.model.actions import Ask, ComparePackages, Json, PlannedAction, Request
from shipway.model.release import Release
from shipway.model.stage import Finding, Needs, Stage, State, Variable
from shipway.model.target import Target, require_release, unreleased_reason
from shipway.model.world import Page, Published, World, require_index
from shipway.target.page_body import Room, render_page
from shipway.target.pages import are_published, find_leader, is_overtaken, public_pages, rank_page
from shipway.target.release_page import (
    ASSET,
    LONGEST_BODY,
    bears_marks,
    complete_body,
    render_asset,
    list_marks,
    read_digest,
    verify_words,
)
from shipway.tools import github

NAME = "publish"
STAND_IN = "RELEASE_ID"
"""Stands in a dry run in place of the number that GitHub gives a release."""
_READ_ID = """python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])'"""


def skip_reason(target: Target) -> str | None:
    """Skip targets without a release or without a repository on GitHub."""
    unreleased = unreleased_reason(target)
    if unreleased or target.repository:
        return unreleased
    return "the project has no repository on GitHub"


def observe(target: Target, world: World, ask: Ask) -> World:
    """List the releases, and find ours, forgotten drafts of it, and higher ones."""
    release = require_release(target)
    pages = github.list_releases(target.repository, (release.tag,), ask)
    ours: list[Page] = []
    for page in pages:
        if page.get("tag_name") == release.tag:
            ours.append(page)
    if world.index and not are_published(ours):
        changes = _ask_for_changes(target, world, ask)
        world = replace(world, changes=changes)
    marks = list_marks(target, world)
    ours.sort(key=lambda page: rank_page(page, marks))
    published = None
    if ours:
        published = github.read_release(ours[0])
    forgotten = _find_forgotten(target, world, ours[1:])
    world = replace(
        world,
        release=published,
        forgotten=forgotten,
        overtaken=is_overtaken(release, public_pages(target, pages)),
    )
    if published and not published.draft and target.channel == "release":
        latest = github.find_latest_release(target.repository, ask)
        leader = find_leader(target, pages, latest)
        world = replace(world, leader=leader)
    return world


def _find_forgotten(target: Target, world: World, pages: list[Page]) -> tuple[str, ...]:
    """Give the ids of drafts that are to the letter like ours: other drafts are somebody's."""
    if world.index is None:
        return ()
    body = render_body(target, world)
    forgotten: list[str] = []
    for page in pages:
        if page["draft"] and page.get("body") == body:
            identity = str(page["id"])
            forgotten.append(identity)
    return tuple(forgotten)


def _ask_for_changes(target: Target, world: World, ask: Ask) -> str:
    """Ask which packages changed since the release before, as they will stand on the page."""
    previous = require_release(target).previous
    index = world.pushed
    if previous is None or index is None:
        return ""
    question = ComparePackages(
        name=NAME,
        why=f"compare the packages with those of v{previous}",
        image=f"{target.image}@{index.digest}",
        previous=f"{target.image}:{previous.image_tag(target.settings.tags.plus)}",
    )
    return ask(question)


def judge(target: Target, world: World) -> Finding:
    """Require that the release is published, with its asset."""
    tag = require_release(target).tag
    page = world.release
    if page is None:
        return Finding(State.ABSENT, f"no release {tag}")
    if not bears_marks(page.body, list_marks(target, world)):
        return _judge_foreign(target, world, page)
    if page.draft:
        count = len(page.assets)
        return Finding(State.ABSENT, f"{tag} is a draft with {count} assets")
    if ASSET not in page.assets:
        return Finding(State.CONFLICT, f"{tag} was published without {ASSET}")
    missing = ""
    if world.forgotten:
        count = len(world.forgotten)
        missing = f"{count} forgotten drafts of {tag} beside it"
    elif world.leader:
        missing = "the latest release is not the one of the highest version"
    if missing:
        return Finding(State.ABSENT, missing)
    return Finding(State.SAME, page.page)


def _judge_foreign(target: Target, world: World, page: Published) -> Finding:
    """Judge a page for our tag that does not say which image it is and how to verify it."""
    tag = require_release(target).tag
    lacks = "the image's digest and how to verify it"
    objection = ""
    named = read_digest(page.body, target.image)
    digest = require_index(world).digest
    if named not in ("", digest):
        objection = f"{tag} names {named}, not {digest}"
    elif not page.draft:
        objection = f"{tag} is published without {lacks}"
    elif ASSET in page.assets:
        objection = f"somebody else's draft of {tag} has an {ASSET} of its own"
    elif complete_body(page.body, render_body(target, world, page.body)) is None:
        objection = f"somebody else's draft of {tag} has no room for {lacks}"
    if objection:
        return Finding(State.CONFLICT, f"{objection}: {page.page}")
    return Finding(State.ABSENT, f"somebody else's draft of {tag} lacks {lacks}")


def plan(target: Target, world: World) -> tuple[PlannedAction, ...]:
    """Plan the next of the three steps, or clear up what a race left."""
    release = require_release(target)
    page = world.release
    if page is None:
        return (_draft(target, release, world),)
    if not bears_marks(page.body, list_marks(target, world)):
        return (_complete(target, release, world, page),)
    if ASSET not in page.assets:
        return _upload(target, release, world, page)
    if page.draft:
        return (_show(target, release, world, page),)
    if world.leader:
        return (_lead(target, world.leader),)
    return _clear_up(target, release, world)


def simulate(target: Target, world: World) -> World:
    """Take one step further."""
    page = world.release
    if page is None:
        return replace(world, release=_imagine_draft(target, world))
    if not bears_marks(page.body, list_marks(target, world)):
        page = replace(page, body=render_body(target, world))
        return replace(world, release=page)
    if ASSET not in page.assets:
        assets = page.assets | {ASSET}
        page = replace(page, assets=assets)
        return replace(world, release=page)
    if page.draft:
        page = replace(page, draft=False)
        return replace(world, release=page)
    if world.leader:
        return replace(world, leader="")
    return replace(world, forgotten=())


def _imagine_draft(target: Target, world: World) -> Published:
    repository = f"https://uploads.github.com/repos/{target.repository}"
    return Published(
        id=STAND_IN,
        draft=True,
        assets=frozenset(),
        page="",
        upload=f"{repository}/releases/{STAND_IN}/assets",
        body=render_body(target, world),
    )


def variables(target: Target) -> tuple[Variable, ...]:
    """Give the variable for the number of the release, read from GitHub's answer to its draft."""
    if target.release is None:
        return ()
    number = Variable(
        name=STAND_IN,
        stand_in=STAND_IN,
        answer_of=_why_draft(target.release),
        reader=_READ_ID,
    )
    return (number,)


def render_body(target: Target, world: World, theirs: str = "") -> str:
    """Render the page: the notes, the image that they speak of, and how to verify it.

    It leaves room for what somebody else wrote, ``theirs``.
    """
    tag = target.tags[0]
    image = f"{target.image}:{tag}"
    release = require_release(target)
    return render_page(
        release.notes,
        image,
        require_index(world).digest,
        verify_words(target.signer, image),
        world.changes,
        room=Room(release.whole_notes, LONGEST_BODY - len(theirs)),
    )


def _why_draft(release: Release) -> str:
    return f"draft the release {release.tag}"


def _draft(target: Target, release: Release, world: World) -> Request:
    body: dict[str, Json] = {
        "tag_name": release.tag,
        "target_commitish": target.commit,
        "name": release.tag,
        "draft": True,
        "body": render_body(target, world),
        "prerelease": target.channel == "prerelease",
    }
    why = _why_draft(release)
    return github.create_release(target.repository, why, body)


def _complete(target: Target, release: Release, world: World, page: Published) -> Request:
    """Plan to say below what somebody wrote which image it is, and how to verify it."""
    ours = render_body(target, world, page.body)
    body: dict[str, Json] = {
        "body": complete_body(page.body, ours) or ours,
        "prerelease": target.channel == "prerelease",
    }
    why = f"complete somebody's draft of {release.tag}"
    return github.change_release(target.repository, page.id, why, body)


def _upload(target: Target, release: Release, world: World, page: Published) -> tuple[Request, ...]:
    """Plan to upload the asset; an upload that broke off before is in its way."""
    why = f"delete an asset of {release.tag} whose upload broke off"
    requests: list[Request] = []
    for asset in page.broken:
        deletion = github.delete_asset(target.repository, asset, why)
        requests.append(deletion)
    document = render_asset(target, release, world)
    upload = github.upload_asset(page, ASSET, document)
    requests.append(upload)
    return tuple(requests)


def _show(target: Target, release: Release, world: World, page: Published) -> Request:
    """Plan to publish the draft; it becomes the latest release if no higher one is public."""
    is_latest = release.is_latest and not world.overtaken
    body: dict[str, Json] = {
        "draft": False,
        "make_latest": "true" if is_latest else "false",
    }
    why = f"publish the release {release.tag}"
    return github.change_release(target.repository, page.id, why, body)


def _lead(target: Target, identity: str) -> Request:
    why = "make the release of the highest version the latest one"
    body: dict[str, Json] = {"make_latest": "true"}
    return github.change_release(target.repository, identity, why, body)


def _clear_up(target: Target, release: Release, world: World) -> tuple[Request, ...]:
    """Plan to delete the drafts that a lost race left beside the release."""
    why = f"delete a forgotten draft of {release.tag}"
    return tuple(github.delete_release(target.repository, draft, why) for draft in world.forgotten)


STAGE = Stage(
    name=NAME,
    skip_reason=skip_reason,
    observe=observe,
    judge=judge,
    plan=plan,
    simulate=simulate,
    needs=Needs.RELEASE,
    variables=variables,
)
