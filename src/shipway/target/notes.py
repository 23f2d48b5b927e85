"""What people read of a release: its section of the changelog, and the text of its page. Pure.

python-semantic-release writes the section: a heading for each type of change, links to commits and pull requests. Here
it is put into the order that people need, dated by the commit, and told who it is by.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shipway.errors import ContextError
from shipway.model.release import CHANGELOG

_FIRST = ("Breaking Changes", "Features", "Bug Fixes", "Performance Improvements")
"""Headings that come before all others: what to do, what to gain."""
_HEADING = re.compile(r"^### (.+)$", re.MULTILINE)
_MARKUP = re.compile(r"([\\`*_\[\]<>#|])")
_MOST_CHANGES = 300
"""GitHub refuses a release's text of more than 125,000 characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFacts:
    """What the section says besides the changes."""

    version: str
    epoch: int
    """Seconds since 1970 of the commit that is released: not of the run, so that a rerun writes the same."""
    authors: tuple[str, ...] = ()
    level: str = ""
    """A level that somebody asked for, and why; empty where the commits decided."""
    reason: str = ""


def edit_changelog(text: str, facts: ReleaseFacts) -> str:
    """The changelog with the section of ``facts.version`` as people should read it; the others stay as they are."""
    found = _section(text, facts.version)
    if found is None:
        return text
    day = datetime.fromtimestamp(facts.epoch, UTC).strftime("%Y-%m-%d")
    parts = [f"## {found['name']} ({day})"]
    if facts.level:
        parts.append(f"Released as a {facts.level} version: {facts.reason}")
    parts += sort_sections(found["text"])
    if facts.authors:
        parts.append(f"### Authors\n\n{', '.join(map(_plain, facts.authors))}")
    after = text[found.end() :]
    return text[: found.start()] + "\n\n".join(parts) + (f"\n\n{after}" if after else "\n")


def sort_sections(text: str) -> list[str]:
    """What stands before the first heading, then the sections, those of ``_FIRST`` before the others."""
    before, *rest = _HEADING.split(text)
    sections = dict(zip(rest[::2], rest[1::2], strict=True))
    order = [
        *(name for name in _FIRST if name in sections),
        *(name for name in sections if name not in _FIRST),
    ]
    return [
        *filter(None, [before.strip()]),
        *(f"### {name}\n\n{sections[name].strip()}" for name in order),
    ]


def read_authors(lines: Iterable[str]) -> tuple[str, ...]:
    """Each author once, in the order of the alphabet; programs are none."""
    names = {" ".join(line.split()) for line in lines}
    return tuple(
        sorted((name for name in names if name and not name.endswith("[bot]")), key=str.casefold)
    )


def read_notes(changelog: str, version: str) -> str:
    """The section of one release; raises when the changelog does not have it."""
    found = _section(changelog, version)
    if found is None:
        raise ContextError(
            f"{CHANGELOG} has no section for v{version}",
            hint="put the line `<!-- version list -->` under its title: new sections go below it",
        )
    return found["text"].strip()


def _section(changelog: str, version: str) -> re.Match[str] | None:
    """A heading names the version, whatever the git tag is called: a template may write either."""
    return re.search(
        rf"^## (?P<name>(?:\S*[^\w.+])?v?{re.escape(version)})(?![\w.+-])[^\n]*\n(?P<text>.*?)(?=^## |\Z)",
        changelog,
        flags=re.MULTILINE | re.DOTALL,
    )


def render_page(notes: str, image: str, digest: str, verify: Sequence[str], packages: str) -> str:
    """The text of the release's page: the notes, the image, how to verify it, and which packages changed."""
    parts = [
        notes.strip(),
        "### Image",
        f"`{image}`",
        f"`{image.rpartition(':')[0]}@{digest}`",
        f"```sh\n{' '.join(verify)}\n```",
        *filter(None, [packages]),
    ]
    return "\n\n".join(parts) + "\n"


def render_packages(changes: Mapping[str, Sequence[Mapping[str, str]]], previous: str) -> str:
    """What changed in the image since ``previous``, folded; platforms in which the same changed stand together."""
    blocks: dict[tuple[tuple[str, ...], ...], list[str]] = {}
    for platform, found in changes.items():
        blocks.setdefault(
            tuple((one["name"], one["before"], one["after"]) for one in found), []
        ).append(platform)
    total = len({row for rows in blocks for row in rows})
    parts = [
        f"<details>\n<summary>Packages of the image: {total} changes since {previous}</summary>"
    ]
    for rows, platforms in blocks.items():
        parts.append(f"{', '.join(platforms)}{'' if rows else ': nothing changed'}")
        table = [
            f"| {' | '.join(_plain(cell) or '–' for cell in row)} |" for row in rows[:_MOST_CHANGES]
        ]
        parts += (
            ["\n".join(("| package | before | now |", "|---|---|---|", *table))] if table else []
        )
        parts += [f"{len(rows) - _MOST_CHANGES} more"] if len(rows) > _MOST_CHANGES else []
    return "\n\n".join((*parts, "</details>")) if blocks else ""


def _plain(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text)
