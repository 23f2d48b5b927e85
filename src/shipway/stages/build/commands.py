"""This module writes the commands of builds: of an image that is pushed, and of those that are not."""

from __future__ import annotations

from collections.abc import Sequence

from shipway.model.actions import Command
from shipway.model.target import Target
from shipway.target.caches import GHA_SECRETS
from shipway.tools.build import build_and_load, build_and_push, build_into_folder, index_annotations
from shipway.tools.buildx import HINTS
from shipway.tools.imagetools import create_index

NAME = "build"


def build_image(target: Target) -> Command:
    """Plan the build of every platform, pushed under the staging tag."""
    secrets = _secret_names(target)
    return build_and_push(NAME, target, secrets)


def build_here(target: Target) -> Command:
    """Plan the build for the local engine's own platform alone, which loads it."""
    secrets = _secret_names(target)
    return build_and_load(NAME, target, secrets)


def build_layout(target: Target, folder: str) -> Command:
    """Plan a build without cache into an OCI image layout in ``folder``, of the images alone."""
    secrets = _secret_names(target)
    return build_into_folder(NAME, target, secrets, folder)


def _secret_names(target: Target) -> tuple[str, ...]:
    """Name the variables that a build may see: ``id=pip,env=PIP_TOKEN`` gives ``PIP_TOKEN``."""
    names: list[str] = []
    for secret in target.settings.build.secrets:
        for word in secret.split(","):
            if word.startswith("env="):
                names.append(word.removeprefix("env="))
    if target.settings.cache.type == "gha":
        names += GHA_SECRETS
    return tuple(names)


def merge_images(target: Target) -> Command:
    """Plan the merge of the images that were built on other machines."""
    references = [f"{target.image}@{digest}" for digest in target.parts]
    return merge_indexes(target, references)


def merge_indexes(target: Target, references: Sequence[str]) -> Command:
    """Plan one index over images that were built for one platform each, attestations included."""
    return create_index(
        NAME,
        f"merge {len(references)} images under {target.staging}",
        [f"{target.image}:{target.staging}"],
        references,
        annotations=index_annotations(target),
        hints=HINTS,
    )


def stage_again(target: Target, digest: str) -> Command:
    """Plan to put the staging tag at the image that the version's tag has."""
    return create_index(
        NAME,
        f"stage the image of {target.tags[0]} again",
        [f"{target.image}:{target.staging}"],
        [f"{target.image}@{digest}"],
        hints=HINTS,
    )
