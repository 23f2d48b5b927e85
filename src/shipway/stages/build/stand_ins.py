"""This module imagines the image of a dry run: its digests are stand-ins for those to come."""

from __future__ import annotations

from shipway.image.index import Entry, Index
from shipway.model.stage import Variable
from shipway.model.target import Target
from shipway.settings.platforms import platform_word
from shipway.tools.imagetools import INDEX_DIGEST, inspect_reference, pick_attestation, pick_image


def imagine_index(target: Target) -> Index:
    """Imagine an index with an image and attestations for each platform, under stand-ins."""
    entries: list[Entry] = []
    for platform in target.platforms:
        digest = stand_in(platform)
        image = Entry(digest=digest, platform=platform)
        attestations = Entry(digest=f"{digest}_ATTESTATION", subject=digest)
        entries += (image, attestations)
    return Index(
        digest=stand_in("index"),
        entries=tuple(entries),
    )


def stand_in(name: str) -> str:
    """Write what a dry run has in place of a digest that no registry has given yet."""
    word = platform_word(name).replace("-", "_")
    return f"sha256:{word.upper()}"


def variables(target: Target) -> tuple[Variable, ...]:
    """Give each stand-in's variable, with the command that prints its digest after the build."""
    templates = {stand_in("index"): INDEX_DIGEST}
    for platform in target.platforms:
        digest = stand_in(platform)
        name = digest.removeprefix("sha256:")
        templates[digest] = pick_image(platform)
        templates[f"{digest}_ATTESTATION"] = pick_attestation(f"${{{name}}}")
    reference = f"{target.image}:{target.staging}"
    shell_variables: list[Variable] = []
    for digest, template in templates.items():
        variable = Variable(
            name=digest.removeprefix("sha256:"),
            stand_in=digest,
            command=inspect_reference(reference, template=template),
        )
        shell_variables.append(variable)
    return tuple(shell_variables)
