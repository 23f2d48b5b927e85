"""publish: the GitHub release, as draft → assets → published, so that it never shows before it is whole.

Releases of repositories with immutable releases cannot be changed once they are published; hence the order.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import cast

from shipway.model.actions import Action, Answer, Command, Effect, Json, Request
from shipway.model.stage import Asking, Finding, State
from shipway.model.target import Signing, Target
from shipway.model.world import Published, World
from shipway.settings import GITHUB_ISSUER
from shipway.target.notes import render_page
from shipway.target.releases import version_of
from shipway.target.tags import is_higher
from shipway.tools.imagetools import PASSING

NAME = "publish"
ASSET = "image.json"
"""The one asset: which image belongs to the release, for programs."""


_PAGE = 100
STAND_IN = "RELEASE_ID"
"""What a dry run writes in place of the number that GitHub gives a release."""


def skip_reason(target: Target) -> str:
    """Only releases with a repository on GitHub have a release page."""
    if not target.version:
        return f"a {target.channel} build is not released"
    return "" if target.repository else "the project has no repository on GitHub"


def observe(target: Target, world: World) -> Asking:
    """List the releases: a draft is found only in the list, never by its tag."""
    releases = yield from list_releases(target, target.tag)
    seen = [
        (read_release(one), one.get("body"))
        for one in releases
        if one.get("tag_name") == target.tag
    ]
    overtaken = any(
        _is_public(target, one) and is_higher(_number(target, one), target.version)
        for one in releases
    )
    if world.index and (not seen or any(release.draft for release, _ in seen)):
        world = replace(world, changes=(yield from _ask_changes(target, world)))
    # A published release wins over a forgotten draft of the same tag.
    ours = sorted(seen, key=lambda pair: (pair[0].draft, pair[0].id))
    # Only a draft to the letter like ours is one: others are somebody's.
    forgotten = tuple(
        one.id
        for one, body in ours[1:]
        if one.draft and world.index and body == render_body(target, world)
    )
    world = replace(
        world, release=ours[0][0] if ours else None, forgotten=forgotten, overtaken=overtaken
    )
    if world.release and not world.release.draft and target.channel == "release":
        world = replace(world, leader=(yield from _ask_leader(target, releases)))
    return world


def _ask_leader(
    target: Target, releases: list[dict[str, Json]]
) -> Generator[tuple[Action, ...], tuple[Answer, ...], str]:
    """The release that should be GitHub's latest one and is not: of two runs at once the older may end last."""
    (answer,) = yield (
        Request(
            name=NAME,
            why="look for the latest release",
            method="GET",
            effect=Effect.READ,
            path=f"/repos/{target.repository}/releases/latest",
            expected=(200, 404),
        ),
    )
    latest = _number(target, json.loads(answer.out)) if answer.code == 200 else ""
    leader = ""
    for one in releases:
        if _is_public(target, one) and is_higher(_number(target, one), latest):
            latest, leader = _number(target, one), str(one["id"])
    return leader


def list_releases(
    target: Target, *tags: str
) -> Generator[tuple[Action, ...], tuple[Answer, ...], list[dict[str, Json]]]:
    """The releases of the repository, newest first, page by page until each of ``tags`` has been seen."""
    found: list[dict[str, Json]] = []
    while True:
        page = len(found) // _PAGE + 1
        (answer,) = yield (
            Request(
                name=NAME,
                why=f"look for the release {target.tag}",
                method="GET",
                path=f"/repos/{target.repository}/releases?per_page={_PAGE}&page={page}",
                effect=Effect.READ,
                expected=(200,),
            ),
        )
        releases = cast(list[dict[str, Json]], json.loads(answer.out))
        found += releases
        if len(releases) < _PAGE or {*tags} <= {one.get("tag_name") for one in found}:
            return found


def _ask_changes(
    target: Target, world: World
) -> Generator[tuple[Action, ...], tuple[Answer, ...], str]:
    """The packages that changed since the release before, as they will stand on the page."""
    if not target.previous or world.index is None or world.index.imagined:
        return ""
    (answer,) = yield (
        Command(
            name=NAME,
            why=f"compare the packages with those of v{target.previous}",
            effect=Effect.READ,
            again=PASSING,
            argv=(
                "python3",
                "-m",
                "shipway.run.packages",
                f"{target.image}@{world.index.digest}",
                f"{target.image}:v{target.previous}",
            ),
        ),
    )
    return answer.out.strip()


def judge(target: Target, world: World) -> Finding:
    """Published, with its asset."""
    release = world.release
    if release is None:
        return Finding(State.ABSENT, f"no release {target.tag}")
    if release.draft:
        return Finding(State.ABSENT, f"{target.tag} is a draft with {len(release.assets)} assets")
    if ASSET not in release.assets:
        return Finding(State.CONFLICT, f"{target.tag} was published without {ASSET}")
    if world.forgotten:
        return Finding(
            State.ABSENT, f"{len(world.forgotten)} forgotten drafts of {target.tag} beside it"
        )
    if world.leader:
        return Finding(State.ABSENT, "the latest release is not the one of the highest version")
    return Finding(State.SAME, release.page)


def plan(target: Target, world: World) -> tuple[Action, ...]:
    """The next of the three steps, or clearing up what a race left."""
    release = world.release
    if release is None:
        return (_create(target, world),)
    if ASSET not in release.assets:
        return (_upload(target, world, release),)
    if release.draft:
        return (_show(target, world, release),)
    if world.leader:
        return (_lead(target, world.leader),)
    return tuple(_delete(target, one) for one in world.forgotten)


def simulate(target: Target, world: World) -> World:
    """One step further."""
    release = world.release
    if release is None:
        release = Published(
            id=STAND_IN,
            draft=True,
            assets=frozenset(),
            page="",
            upload=f"https://uploads.github.com/repos/{target.repository}/releases/{STAND_IN}/assets",
        )
    elif ASSET not in release.assets:
        release = replace(release, assets=release.assets | {ASSET})
    elif release.draft:
        release = replace(release, draft=False)
    else:
        world = replace(world, leader="") if world.leader else replace(world, forgotten=())
    return replace(world, release=release)


def read_release(found: dict[str, Json]) -> Published:
    """One element of the API's list (`GET /repos/{owner}/{repo}/releases`)."""
    assets = cast(list[dict[str, Json]], found.get("assets") or [])
    # The address ends in a URI template: …/assets{?name,label}
    upload = str(found.get("upload_url") or "").partition("{")[0]
    return Published(
        id=str(found["id"]),
        draft=bool(found["draft"]),
        upload=upload,
        assets=frozenset(str(asset["name"]) for asset in assets),
        page=str(found.get("html_url") or ""),
    )


def render_body(target: Target, world: World) -> str:
    """The notes, the image that they speak of, and how to verify it."""
    assert world.index is not None
    image = f"{target.image}:{target.tags[0]}"
    return render_page(
        target.notes, image, world.index.digest, verify_words(target.signing, image), world.changes
    )


def verify_words(how: Signing, image: str) -> tuple[str, ...]:
    """The command by which anybody verifies the image, with the exact identity or the key."""
    if not how.key:
        return (
            "shipway",
            "verify",
            image,
            "--identity",
            how.identity,
            *(() if how.issuer == GITHUB_ISSUER else ("--issuer", how.issuer)),
        )
    # A KMS address is public; of a file, people have their own copy.
    key = how.public_key or how.key
    return (
        "shipway",
        "verify",
        image,
        "--key",
        key if "://" in key else PurePosixPath(key).name,
        *(() if how.transparency_log else ("--no-transparency-log",)),
    )


def _number(target: Target, found: dict[str, Json]) -> str:
    """The version of a release; empty where its tag is not one of this project."""
    return version_of(
        str(found.get("tag_name") or ""), target.tag.replace(target.version, "{version}")
    )


def _is_public(target: Target, found: dict[str, Json]) -> bool:
    return (
        not found.get("draft")
        and not found.get("prerelease")
        and _number(target, found) not in target.withdrawn
    )


def _create(target: Target, world: World) -> Request:
    body: dict[str, Json] = {
        "tag_name": target.tag,
        "target_commitish": target.commit,
        "name": target.tag,
        "draft": True,
        "body": render_body(target, world),
        "prerelease": target.channel == "prerelease",
    }
    return Request(
        name=NAME,
        why=f"draft the release {target.tag}",
        method="POST",
        path=f"/repos/{target.repository}/releases",
        body=body,
        effect=Effect.PUBLISH,
    )


def _upload(target: Target, world: World, release: Published) -> Request:
    assert world.index is not None
    facts = {
        "image": target.image,
        "version": target.version,
        "digest": world.index.digest,
        "tags": list(target.tags),
        "platforms": list(world.index.platforms),
        "revision": target.commit,
    }
    return Request(
        name=NAME,
        why=f"add {ASSET}",
        method="POST",
        path=f"{release.upload}?name={ASSET}",
        content=(json.dumps(facts, indent=2) + "\n").encode(),
        effect=Effect.PUBLISH,
    )


def _show(target: Target, world: World, release: Published) -> Request:
    latest = "true" if target.latest and not world.overtaken else "false"
    return Request(
        name=NAME,
        why=f"publish the release {target.tag}",
        method="PATCH",
        path=f"/repos/{target.repository}/releases/{release.id}",
        body={"draft": False, "make_latest": latest},
        effect=Effect.PUBLISH,
    )


def _lead(target: Target, leader: str) -> Request:
    return Request(
        name=NAME,
        why="make the release of the highest version the latest one",
        method="PATCH",
        path=f"/repos/{target.repository}/releases/{leader}",
        body={"make_latest": "true"},
        effect=Effect.PUBLISH,
    )


def _delete(target: Target, draft: str) -> Request:
    return Request(
        name=NAME,
        why=f"delete a forgotten draft of {target.tag}",
        method="DELETE",
        path=f"/repos/{target.repository}/releases/{draft}",
        effect=Effect.PUBLISH,
    )
