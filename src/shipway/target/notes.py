"""This module writes what people read of a release: its section of the changelog, and its page.

python-semantic-release writes the section: a heading for each type of change, links to commits and
pull requests. Here it is put into the order that people need, dated by the commit, and names its
authors. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from shipway.errors import ContextError
from shipway.model.release import CHANGELOG, Override
from shipway.model.version import Version

_FIRST = ("Breaking Changes", "Features", "Bug Fixes", "Performance Improvements")
"""Names the headings that come before all others: what to do, what to gain."""
_HEADING = re.compile(r"^### (.+)$", re.MULTILINE)
_MARKUP = re.compile(r"([\\`*_\[\]<>#|])")
_MOST_CHANGES = 300
"""Says how many changed packages a page lists: GitHub refuses more than 125,000 characters."""
_Row: TypeAlias = tuple[str, str, str]
"""Holds a package's name, its version before, and its version now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFacts:
    """Holds what the section says besides the changes."""

    version: Version
    epoch: int
    """Dates the commit that is released, in seconds since 1970.

    It is not the time of the run, so that a rerun writes the same.
    """
    authors: tuple[str, ...] = ()
    override: Override | None = None


def edit_changelog(text: str, facts: ReleaseFacts) -> str:
    """Rewrite the section of ``facts.version`` as people should read it, and no other one."""
    section = _find_section(text, facts.version)
    if section is None:
        return text
    time = datetime.fromtimestamp(facts.epoch, UTC)
    name = section["name"]
    parts: list[str] = []
    day = time.strftime("%Y-%m-%d")
    parts.append(f"## {name} ({day})")
    override = facts.override
    if override:
        sentence = f"Released as a {override.level} version: {override.reason}"
        parts.append(sentence)
    parts += sort_sections(section["text"])
    if facts.authors:
        escaped = [_escape(author) for author in facts.authors]
        names = ", ".join(escaped)
        parts.append(f"### Authors\n\n{names}")
    before = text[: section.start()]
    after = text[section.end() :]
    rewritten = before + "\n\n".join(parts)
    if after:
        return f"{rewritten}\n\n{after}"
    return f"{rewritten}\n"


def sort_sections(text: str) -> list[str]:
    """Give what stands before the first heading, then the sections, those of ``_FIRST`` first."""
    before, *rest = _HEADING.split(text)
    names = rest[::2]
    texts = rest[1::2]
    sections = dict(zip(names, texts, strict=True))
    first = [name for name in _FIRST if name in sections]
    last = [name for name in sections if name not in _FIRST]
    parts: list[str] = []
    introduction = before.strip()
    if introduction:
        parts.append(introduction)
    for name in (*first, *last):
        section = sections[name].strip()
        parts.append(f"### {name}\n\n{section}")
    return parts


def read_authors(lines: Iterable[str]) -> tuple[str, ...]:
    """Name each author once, in the order of the alphabet; programs are none."""
    people: set[str] = set()
    for line in lines:
        name = " ".join(line.split())
        if name and not name.endswith("[bot]"):
            people.add(name)
    return tuple(sorted(people, key=str.casefold))


def read_notes(changelog: str, version: Version) -> str:
    """Give the section of a release; raises ``ContextError`` when the changelog has none."""
    section = _find_section(changelog, version)
    if section is None:
        raise ContextError(
            f"{CHANGELOG} has no section for v{version}",
            hint="put the line `<!-- version list -->` under its title: new sections go below it",
        )
    return section["text"].strip()


def _find_section(changelog: str, version: Version) -> re.Match[str] | None:
    """Find the heading that names the version, and its text.

    The heading does so whatever the git tag is called: a template may write either.
    """
    number = re.escape(str(version))
    heading = rf"^## (?P<name>(?:\S*[^\w.+])?v?{number})(?![\w.+-])[^\n]*\n"
    text = r"(?P<text>.*?)(?=^## |\Z)"
    return re.search(rf"(?ms){heading}{text}", changelog)


def render_page(notes: str, image: str, digest: str, verify: Sequence[str], packages: str) -> str:
    """Write the release's page: notes, image, how to verify it, and which packages changed."""
    name = image.rpartition(":")[0]
    command = " ".join(verify)
    parts = [
        notes.strip(),
        "### Image",
        f"`{image}`",
        f"`{name}@{digest}`",
        f"```sh\n{command}\n```",
    ]
    if packages:
        parts.append(packages)
    return "\n\n".join(parts) + "\n"


def render_packages(changes: Mapping[str, Sequence[Mapping[str, str]]], previous: str) -> str:
    """Write what changed in the image since ``previous``, folded, by platform.

    Platforms in which the same changed stand together. The text is empty where no platform is.
    """
    blocks: dict[tuple[_Row, ...], list[str]] = {}
    for platform, packages in changes.items():
        table = tuple(_row(package) for package in packages)
        platforms = blocks.setdefault(table, [])
        platforms.append(platform)
    if not blocks:
        return ""
    distinct = set().union(*blocks)
    total = len(distinct)
    summary = f"Packages of the image: {total} changes since {previous}"
    parts = [f"<details>\n<summary>{summary}</summary>"]
    for rows, platforms in blocks.items():
        parts += _render_block(rows, ", ".join(platforms))
    return "\n\n".join((*parts, "</details>"))


def _row(package: Mapping[str, str]) -> _Row:
    return (
        package["name"],
        package["before"],
        package["after"],
    )


def _render_block(rows: Sequence[_Row], platforms: str) -> list[str]:
    if not rows:
        return [f"{platforms}: nothing changed"]
    table = ["| package | before | now |", "|---|---|---|"]
    for row in rows[:_MOST_CHANGES]:
        cells = [_escape(cell) or "–" for cell in row]
        line = " | ".join(cells)
        table.append(f"| {line} |")
    parts = [platforms, "\n".join(table)]
    left_out = len(rows) - _MOST_CHANGES
    if left_out > 0:
        parts.append(f"{left_out} more")
    return parts


def _escape(text: str) -> str:
    """Escape Markdown's own characters."""
    return _MARKUP.sub(r"\\\1", text)
