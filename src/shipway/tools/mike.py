"""This module writes how mike publishes docs, and reads its list of versions. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from shipway.errors import StepFailed
from shipway.model.actions import Answer, Command, Effect, Hint
from shipway.model.target import Target
from shipway.model.world import DocsVersion
from shipway.tools.git import LOGINS
from shipway.tools.troubles import PASSING

VERSIONS = "versions.json"
"""Names the file on the docs branch that lists what is published."""
_MOVED = r"fetch first|non-fast-forward|cannot lock ref|has diverged from|is unrelated to"
"""Matches what git and mike say where somebody else pushed to the branch meanwhile: it is fetched
again then, and mike builds on it.
"""

_DOCS_HINTS = (
    Hint(
        r"is not installed|No module named|Unrecognised theme name|No theme name set",
        "install the plugins and the theme of the docs beside shipway; docs that are not built "
        "with MkDocs: `enabled = false` in [tool.shipway.docs]",
    ),
    Hint(
        r"in strict mode",
        "fix what MkDocs warns about (`mkdocs build --strict` shows it), commit, and run it again",
    ),
)


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """Holds what the list says of one version."""

    version: str
    title: str
    aliases: tuple[str, ...] | None = None


def ask_mike_version(name: str) -> Command:
    """Ask which mike this is."""
    return Command(
        name=name,
        why="ask for mike",
        argv=("mike", "--version"),
        effect=Effect.READ,
    )


def try_build(target: Target, docs_version: str) -> Command:
    """Build the docs as mike will, and take every warning of MkDocs for an error."""
    site = f"{target.folder}-docs"  # beside what an image or a package is built of
    config = target.settings.docs.config
    return Command(
        name="document",
        why="try to build the docs",
        argv=("mkdocs", "build", "--strict", "--config-file", config, "--site-dir", site),
        effect=Effect.LOCAL,
        folder=target.folder,
        env={"MIKE_DOCS_VERSION": docs_version},
        hints=_DOCS_HINTS,
    )


def deploy(target: Target, docs_version: str, title: str, aliases: tuple[str, ...]) -> Command:
    """Build the docs and push them as ``docs_version``, with their aliases."""
    words = ("--update-aliases", "--title", title, docs_version, *aliases)
    why = f"publish the docs as {docs_version}"
    command = _mike(target, why, "deploy", *words)
    # Each time adds a commit to the branch of the docs.
    return replace(command, permanent=True)


def set_default(target: Target, alias: str) -> Command:
    """Let the site open at an alias, which may come after."""
    words = ("--allow-undefined", alias)
    why = f"the site opens at the {alias} version"
    return _mike(target, why, "set-default", *words)


def move_alias(target: Target, docs_version: str, alias: str) -> Command:
    """Let an alias point at docs that are there."""
    words = ("--update-aliases", docs_version, alias)
    why = f"{alias} is {docs_version}"
    return _mike(target, why, "alias", *words)


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
        secrets=LOGINS,
        passing=f"{PASSING}|{_MOVED}",
    )


def read_versions(answer: Answer) -> Mapping[str, DocsVersion]:
    """Read the published docs by version; raises ``StepFailed`` where the list is not mike's."""
    try:
        rows = msgspec.json.decode(answer.out, type=list[_Row])
    except (ValueError, RecursionError) as error:
        raise StepFailed(
            f"{VERSIONS} on the branch of the docs cannot be read: {error}",
            hint="fix the file there; `mike list` shows what it says",
        ) from error
    versions: dict[str, DocsVersion] = {}
    for row in rows:
        aliases = row.aliases or ()
        versions[row.version] = DocsVersion(row.title, aliases)
    return versions
