"""Says what stands on the page of a release of ours, and tells it from somebody else's. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from shipway.model.release import Release
from shipway.model.target import Signer, Target
from shipway.model.world import World, require_index
from shipway.settings import GITHUB_ISSUER

ASSET = "image.json"
"""Names the one asset, which tells programs which image belongs to the release."""
LONGEST_BODY = 125_000
"""Counts the characters that GitHub takes for the text of a release."""


def verify_words(signer: Signer, image: str) -> tuple[str, ...]:
    """Give the command by which anybody verifies the image, with the exact identity or the key."""
    argv = ["shipway", "verify", image]
    if signer.key:
        key = _name_copy(signer.public_key or signer.key)
        argv += ("--key", key)
    else:
        argv += ("--identity", signer.identity)
        if signer.issuer != GITHUB_ISSUER:
            argv += ("--issuer", signer.issuer)
    if signer.trusted_root:
        root = _name_copy(signer.trusted_root)
        argv += ("--trusted-root", root)
    if not signer.transparency_log:
        argv.append("--no-transparency-log")
    return tuple(argv)


def _name_copy(path: str) -> str:
    """Name a file as people have it: their own copy. The address of a KMS is public."""
    if "://" in path:
        return path
    return PurePosixPath(path).name


def list_marks(target: Target, world: World) -> tuple[str, ...]:
    """Give what a page of ours holds: the image by its digest, and how to verify it.

    There are none while the image is not known: nothing is published then.
    """
    index = world.pushed
    if index is None:
        return ()
    tag = target.tags[0]
    image = f"{target.image}:{tag}"
    words = verify_words(target.signer, image)
    command = " ".join(words[:3])
    pinned_image = f"{target.image}@{index.digest}"
    return pinned_image, command


def bears_marks(body: str, marks: Iterable[str]) -> bool:
    """Tell whether the text of a page holds all that a page of ours holds."""
    return all(mark in body for mark in marks)


def read_digest(body: str, image: str) -> str:
    """Read which digest of an image a page names, empty where it names none."""
    name = re.escape(image)
    pattern = rf"{name}@(sha256:[0-9a-f]{{64}})"
    match = re.search(pattern, body)
    if match is None:
        return ""
    return match[1]


def complete_body(theirs: str, ours: str) -> str | None:
    """Put our page below what somebody wrote; ``None`` where GitHub does not take both."""
    body = ours
    if theirs.strip():
        above = theirs.rstrip()
        body = f"{above}\n\n{ours}"
    if len(body) > LONGEST_BODY:
        return None
    return body


def render_asset(target: Target, release: Release, world: World) -> dict[str, object]:
    """Give the content of ``ASSET``."""
    index = require_index(world)
    return {
        "image": target.image,
        "version": str(release.version),
        "digest": index.digest,
        "tags": list(target.tags),
        "platforms": list(index.platforms),
        "revision": target.commit,
    }
