"""`prune`: reads a registry's list of images, decides, and deletes what is asked for."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from shipway.effects.registry import Registry, connect
from shipway.errors import StepFailed
from shipway.image.index import SUBJECT
from shipway.image.labels import PREFIX
from shipway.image.retention import Rules, Stored, plan_prune
from shipway.model.actions import Command, Effect, Request
from shipway.run.session import Session, open_session
from shipway.target.tags import image_name, plan_branch_tag
from shipway.tools.git import TOKENS

Document = dict[str, Any]  # Any: the values of a JSON document
_SIDE_BY_SIDE = 8
_PAGE = 100
GITHUB = "ghcr.io/"
"""GitHub's registry deletes by its own API alone."""


def prune(progress: Callable[[str], None], *, delete: bool) -> Document:
    """``{"image", "deleted": bool, "images": [{"digest", "tags", "reason"}]}``; deletes only with ``delete``."""
    session = open_session(progress)
    image = image_name(session.project.settings.image, session.context)
    with connect(image) as registry:
        doomed = plan_prune(read_stored(registry), read_rules(session))
        if delete:
            remove = _github(session, image) if image.startswith(GITHUB) else registry.delete
            for one, reason in doomed:
                progress(f"delete {one.digest[:19]} {' '.join(one.tags)}: {reason}")
                remove(one.digest)
    return {
        "image": image,
        "deleted": delete,
        "images": [
            {"digest": one.digest, "tags": list(one.tags), "reason": reason}
            for one, reason in doomed
        ],
    }


def read_rules(session: Session) -> Rules:
    """What may go, with the branches that the remote has now."""
    settings = session.project.settings
    answer = session.executor.runner(
        Command(
            name="prune",
            why="ask for the branches",
            effect=Effect.READ,
            secrets=TOKENS,
            folder=str(session.folder),
            argv=("git", "ls-remote", "--heads", settings.remote),
        )
    )
    heads = [line.partition("refs/heads/")[2] for line in answer.out.splitlines()]
    if not heads:
        raise StepFailed(
            f"the git remote {settings.remote!r} shows no branch, so every image would look abandoned",
            hint="check the remote and run the same command again",
        )
    return Rules(
        now=int(time.time()),
        days=settings.prune.days,
        branches=frozenset(plan_branch_tag(branch) for branch in heads),
        always=frozenset(plan_branch_tag(branch) for branch in settings.release.branches),
    )


def read_stored(registry: Registry) -> list[Stored]:
    """Every manifest that a tag leads to, with what is below it and what refers to it."""
    with ThreadPoolExecutor(max_workers=_SIDE_BY_SIDE) as pool:
        found: dict[str, Stored] = {}
        for tag, (digest, content) in zip(
            tags := registry.tags(), pool.map(registry.manifest, tags), strict=True
        ):
            known = found.get(digest)
            found[digest] = _stored(digest, content, (*(known.tags if known else ()), tag))
        left = list(found)
        while left:
            below = [digest for one in left for digest in found[one].below if digest not in found]
            below += [
                digest
                for digests in pool.map(registry.referrers, left)
                for digest in digests
                if digest not in found
            ]
            left = list(dict.fromkeys(below))
            for digest, (_, content) in zip(left, pool.map(registry.manifest, left), strict=True):
                found[digest] = _stored(digest, content, ())
    return list(found.values())


def _stored(digest: str, content: Document, tags: tuple[str, ...]) -> Stored:
    entries = content.get("manifests") or []
    written = (content.get("annotations") or {}).get(f"{PREFIX}created", "")
    try:
        created = int(datetime.fromisoformat(written).timestamp()) if written else None
    except ValueError:
        created = None
    subject = (content.get("subject") or {}).get("digest", "") or (
        content.get("annotations") or {}
    ).get(SUBJECT, "")
    return Stored(
        digest=digest,
        tags=tags,
        below=tuple(one["digest"] for one in entries),
        subject=subject,
        created=created,
    )


def _github(session: Session, image: str) -> Callable[[str], None]:
    """Deletion by GitHub's API, where every manifest is a "version" of a package with a number of its own."""
    owner, _, package = image.removeprefix(GITHUB).partition("/")
    place = package.replace("/", "%2F")
    pages = [f"/{kind}/{owner}/packages/container/{place}/versions" for kind in ("orgs", "users")]
    addresses = {
        str(one["name"]): f"{page}/{one['id']}"
        for page in pages
        for one in _versions(session, page)
    }

    def remove(digest: str) -> None:
        if digest not in addresses:
            raise StepFailed(
                f"GitHub does not list {digest} of {image}",
                hint="the token needs `packages: write` (a classic one: `delete:packages`)",
            )
        session.executor.api(
            Request(
                name="prune",
                why=f"delete {digest[:19]}",
                method="DELETE",
                path=addresses[digest],
                effect=Effect.PUBLISH,
                expected=(204, 404),
            )
        )

    return remove


def _versions(session: Session, path: str) -> Iterator[Document]:
    """All versions of a package; none where the owner is of the other kind."""
    page = 1
    while True:
        answer = session.executor.api(
            Request(
                name="prune",
                why="list the package's versions",
                method="GET",
                path=f"{path}?per_page={_PAGE}&page={page}",
                effect=Effect.READ,
                expected=(200, 404),
            )
        )
        found = json.loads(answer.out) if answer.code == 200 else []
        yield from found
        if len(found) < _PAGE:
            return
        page += 1
