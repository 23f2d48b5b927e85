"""`prune` reads a registry's list of images, decides which may go, and deletes them if asked to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from shipway.effects.registry import Registry, connect
from shipway.effects.stored_images import read_inventory
from shipway.errors import StepFailed
from shipway.image.documents import printable
from shipway.image.inventory import Inventory, find_broken_images
from shipway.image.retention import Rules, Stored, list_parts, plan_prune
from shipway.run.deletion import Deletion, Doomed, delete_manifests
from shipway.run.session import Progress, Session, open_session
from shipway.target.tags import image_name, plan_branch_tag
from shipway.tools.git import list_branches, read_refs
from shipway.tools.github import delete_package_version, list_package_versions
from shipway.tools.github_refusals import DELETION_NEEDS

Document = dict[str, Any]  # Any: the values of a JSON document
GITHUB_REGISTRY = "ghcr.io/"
"""Names GitHub's registry, which deletes by its own API alone."""


def prune_images(progress: Progress, *, delete: bool) -> Document:
    """Say what may go from the registry, and with ``delete`` let it go.

    Gives ``{"image", "deleted": bool, "images": [{"digest", "tags", "reason"}], "broken": [{"tags",
    "digest", "gone"}]}``. Raises ``StepFailed`` with that document where a deletion was refused:
    ``images`` are then those that were deleted, ``refused`` and ``left`` those that were not.
    """
    session = open_session(progress)
    settings = session.project.settings
    image = image_name(settings.image, session.context)
    with connect(image, session.environment) as registry:
        inventory = read_inventory(registry)
        rules = read_retention_rules(session)
        doomed = plan_prune(inventory.manifests, rules)
        deletion = Deletion(deleted=doomed)
        if delete and doomed:
            remove = _find_remover(session, image, registry)
            parts = list_parts(inventory.manifests)
            deletion = delete_manifests(
                doomed,
                parts,
                remove,
                progress,
            )
    document: Document = {
        "image": image,
        "deleted": delete,
        "images": _describe_all(deletion.deleted),
        "broken": _describe_broken(inventory),
    }
    if deletion.refused:
        for line in _render_broken(document):
            progress(line)
        document["refused"] = _describe_refusals(deletion)
        document["left"] = _describe_all(deletion.left)
        error = deletion.explain(image)
        error.document = document
        raise error
    return document


def _describe_all(manifests: Iterable[Doomed]) -> list[Document]:
    return [_describe(manifest, reason) for manifest, reason in manifests]


def _describe(manifest: Stored, reason: str) -> Document:
    return {
        "digest": manifest.digest,
        "tags": list(manifest.tags),
        "reason": reason,
    }


def _describe_refusals(deletion: Deletion) -> list[Document]:
    descriptions: list[Document] = []
    for refusal in deletion.refused:
        description = _describe(refusal.manifest, refusal.reason)
        description["answer"] = refusal.answer
        descriptions.append(description)
    return descriptions


def _describe_broken(inventory: Inventory) -> list[Document]:
    """Describe the images that lack manifests; one that a tag alone is left of has no digest."""
    descriptions: list[Document] = []
    for broken in find_broken_images(inventory):
        description: Document = {
            "tags": list(broken.tags),
            "digest": broken.digest,
            "gone": list(broken.gone),
        }
        descriptions.append(description)
    for tag in inventory.lost_tags:
        lost: Document = {
            "tags": [tag],
            "digest": None,
            "gone": [],
        }
        descriptions.append(lost)
    return descriptions


def render_document(document: Document) -> Iterator[str]:
    """Say for people what may go or was deleted, and which images are broken."""
    manifests = document["images"]
    for manifest in manifests:
        digest = manifest["digest"]
        tags = manifest["tags"]
        name = " ".join([digest, *tags])
        reason = manifest["reason"]
        line = f"{name}: {reason}"
        yield printable(line)
    count = len(manifests)
    image = document["image"]
    outcome = "were deleted" if document["deleted"] else "may go"
    yield f"{count} manifests of {image} {outcome}"
    yield from _render_broken(document)


def _render_broken(document: Document) -> Iterator[str]:
    for broken in document["broken"]:
        names = " ".join(broken["tags"])
        tags = printable(names)
        digest = broken["digest"]
        gone = ", ".join(broken["gone"])
        if gone:
            yield f"broken: {tags} is {digest}, which lacks {gone}"
        else:
            yield f"broken: {tags} leads to nothing"


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


def _find_remover(session: Session, image: str, registry: Registry) -> Callable[[str], None]:
    """Give a function that deletes the manifest of a digest."""
    if not image.startswith(GITHUB_REGISTRY):
        return registry.delete
    name = image.removeprefix(GITHUB_REGISTRY)
    owner, _, package = name.partition("/")
    paths = dict(list_package_versions(owner, package, session.executor))
    if not paths:
        raise StepFailed(
            f"prune: GitHub shows no package {package} of {owner} to this token",
            hint=f"check that it is there; {DELETION_NEEDS}",
        )

    def remove(digest: str) -> None:
        path = paths.get(digest)
        if path is None:
            raise StepFailed(
                f"GitHub does not list {digest} of {image}",
                hint=DELETION_NEEDS,
            )
        why = f"delete {digest[:19]}"
        request = delete_package_version(path, why)
        session.executor(request)

    return remove
