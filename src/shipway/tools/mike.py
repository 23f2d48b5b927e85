"""This module writes how mike publishes docs, and reads its list of versions. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from shipway.model.actions import Answer, Command, Effect, Json
from shipway.model.target import Target
from shipway.model.world import DocsVersion
from shipway.tools.git import TOKENS
from shipway.tools.imagetools import PASSING

VERSIONS = "versions.json"
"""Names the file on the docs branch that lists what is published."""


def deploy(target: Target, docs_version: str, title: str, aliases: tuple[str, ...]) -> Command:
    """Build the docs and push them as ``docs_version``, with their aliases."""
    words = ("--update-aliases", "--title", title, docs_version, *aliases)
    return _mike(target, f"publish the docs as {docs_version}", "deploy", *words)


def set_default(target: Target, alias: str) -> Command:
    """Let the site open at an alias."""
    return _mike(target, f"the site opens at the {alias} version", "set-default", alias)


def move_alias(target: Target, docs_version: str, alias: str) -> Command:
    """Let an alias point at docs that are there."""
    words = ("--update-aliases", docs_version, alias)
    return _mike(target, f"{alias} is {docs_version}", "alias", *words)


def _mike(target: Target, why: str, verb: str, *words: str) -> Command:
    docs = target.settings.docs
    place = (
        "--push",
        "--remote",
        target.remote,
        "--branch",
        docs.branch,
        "--config-file",
        docs.config,
    )
    return Command(
        name="document",
        why=why,
        argv=("mike", verb, *place, *words),
        effect=Effect.PUBLISH,
        folder=target.folder,
        secrets=TOKENS,
        passing=PASSING,
    )


def read_versions(answer: Answer) -> Mapping[str, DocsVersion]:
    """Read the published docs by version; a branch without the list (status 128) has none."""
    if answer.code != 0:
        return {}
    rows: list[dict[str, Json]] = json.loads(answer.out)
    published: dict[str, DocsVersion] = {}
    for row in rows:
        version = str(row["version"])
        title = str(row["title"])
        aliases = cast(list[str], row.get("aliases") or [])
        published[version] = DocsVersion(title, tuple(aliases))
    return published
