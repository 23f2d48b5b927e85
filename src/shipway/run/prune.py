"""`prune` reads a registry's list of images, decides which may go, and deletes them if asked to."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from shipway.effects.manifests import Manifest
from shipway.effects.registry import Registry, connect
from shipway.errors import StepFailed
from shipway.image.documents import parse_time
from shipway.image.index import SUBJECT
from shipway.image.labels import PREFIX
from shipway.image.retention import Rules, Stored, plan_prune
from shipway.run.session import Progress, Session, open_session
from shipway.target.tags import image_name, plan_branch_tag
from shipway.tools.git import list_branches, read_refs
from shipway.tools.github import delete_package_version, list_package_versions

Document = dict[str, Any]  # Any: the values of a JSON document
_SIDE_BY_SIDE = 8
GITHUB_REGISTRY = "ghcr.io/"
"""Names GitHub's registry, which deletes by its own API alone."""


def prune_images(progress: Progress, *, delete: bool) -> Document:
    """Give ``{"image", "deleted": bool, "images": [{"digest", "tags", "reason"}]}``.

    Nothing is deleted without ``delete``.
    """
    session = open_session(progress)
    settings = session.project.settings
    image = image_name(settings.image, session.context)
    with connect(image, session.environment) as registry:
        manifests = read_stored(registry)
        rules = read_retention_rules(session)
        doomed = plan_prune(manifests, rules)
        if delete:
            remove = _find_remover(session, image, registry)
            for stored, reason in doomed:
                digest = _shorten(stored.digest)
                tags = " ".join(stored.tags)
                progress(f"delete {digest} {tags}: {reason}")
                remove(stored.digest)
    images = [_describe_doomed(stored, reason) for stored, reason in doomed]
    return {
        "image": image,
        "deleted": delete,
        "images": images,
    }


def _describe_doomed(stored: Stored, reason: str) -> Document:
    return {
        "digest": stored.digest,
        "tags": list(stored.tags),
        "reason": reason,
    }


def _shorten(digest: str) -> str:
    """Give the first twelve digits of a digest, with its algorithm."""
    return digest[:19]


def read_retention_rules(session: Session) -> Rules:
    """Give the rules of what may go, with the branches that the remote has now.

    Raises ``StepFailed`` where it shows none.
    """
    settings = session.project.settings
    question = list_branches("prune", session.folder, settings.remote)
    answer = session.executor(question)
    heads = [ref.removeprefix("refs/heads/") for ref in read_refs(answer)]
    if not heads:
        raise StepFailed(
            f"the git remote {settings.remote!r} shows no branch, so every image would look "
            "abandoned",
            hint="check the remote and run the same command again",
        )
    branch_tags = map(plan_branch_tag, heads)
    release_tags = map(plan_branch_tag, settings.release.branches)
    now = time.time()
    return Rules(
        now=int(now),
        days=settings.prune.days,
        branches=frozenset(branch_tags),
        always=frozenset(release_tags),
    )


def read_stored(registry: Registry) -> list[Stored]:
    """Read every manifest that a tag leads to, with what is below it and what refers to it."""
    with ThreadPoolExecutor(max_workers=_SIDE_BY_SIDE) as pool:
        stored = _read_tagged(registry, pool)
        unread = list(stored)
        while unread:
            digests: list[str] = []
            for digest in unread:
                entry = stored[digest]
                digests += entry.below
            for referrers in pool.map(registry.referrers, unread):
                digests += referrers
            distinct = dict.fromkeys(digests)
            unread = [digest for digest in distinct if digest not in stored]
            manifests = pool.map(registry.manifest, unread)
            for digest, (_, manifest) in zip(unread, manifests, strict=True):
                stored[digest] = _describe(digest, manifest, ())
    return list(stored.values())


def _read_tagged(registry: Registry, pool: ThreadPoolExecutor) -> dict[str, Stored]:
    """Read the manifests that tags lead to, by digest."""
    stored: dict[str, Stored] = {}
    tags = registry.tags()
    manifests = pool.map(registry.manifest, tags)
    for tag, (digest, manifest) in zip(tags, manifests, strict=True):
        earlier_tags: tuple[str, ...] = ()
        if digest in stored:
            earlier_tags = stored[digest].tags
        all_tags = (*earlier_tags, tag)
        stored[digest] = _describe(digest, manifest, all_tags)
    return stored


def _describe(digest: str, manifest: Manifest, tags: tuple[str, ...]) -> Stored:
    annotations = manifest.annotations or {}
    subject = annotations.get(SUBJECT, "")
    if manifest.subject:
        subject = manifest.subject.digest
    entries = manifest.manifests or ()
    created = annotations.get(f"{PREFIX}created", "")
    return Stored(
        digest=digest,
        tags=tags,
        below=tuple(entry.digest for entry in entries),
        subject=subject,
        created=parse_time(created),
    )


def _find_remover(session: Session, image: str, registry: Registry) -> Callable[[str], None]:
    """Give a function that deletes the manifest of a digest."""
    if not image.startswith(GITHUB_REGISTRY):
        return registry.delete
    name = image.removeprefix(GITHUB_REGISTRY)
    owner, _, package = name.partition("/")
    paths = dict(list_package_versions(owner, package, session.executor))

    def remove(digest: str) -> None:
        if digest not in paths:
            raise StepFailed(
                f"GitHub does not list {digest} of {image}",
                hint="the token needs `packages: write` (a classic one: `delete:packages`)",
            )
        why = f"delete {_shorten(digest)}"
        session.executor(delete_package_version(paths[digest], why))

    return remove
