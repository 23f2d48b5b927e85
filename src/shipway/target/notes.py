"""This module writes what people read of a release: its section of the changelog.

python-semantic-release writes the section: a heading for each type of change, links to commits and
pull requests. Here it is put into the order that people need, dated by the commit, and names what
was reverted and its authors. What others wrote is text there (see ``markdown``). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shipway.errors import ContextError
from shipway.model.release import CHANGELOG, INSERTION_FLAG, Change, Override
from shipway.model.version import Version
from shipway.target.markdown import escape_section, escape_text

AUTHORS = "Authors"
"""Heads the names of those who made the changes."""

_FIRST = ("Breaking Changes", "Features", "Bug Fixes", "Performance Improvements")
"""Names the headings that come before all others: what to do, what to gain."""
_HEADING = re.compile(r"^### (.+)$", re.MULTILINE)
_SHORT = 7
"""Says how many characters of a commit's hash a changelog shows."""
_REVERT = re.compile(r"(?:revert|reapply)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFacts:
    """Holds what the section says besides the changes."""

    version: Version
    epoch: int
    """Dates the commit that is released, in seconds since 1970.

    It is not the time of the run, so that a rerun writes the same.
    """
    authors: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    """Holds what called for the version."""
    reverts: tuple[Change, ...] = ()
    """Holds what took another commit back, or brought it back again."""
    override: Override | None = None
    by_hand: bool = False
    """Says that a person wrote the section beforehand: its markup is meant."""


def has_section(changelog: str, version: Version) -> bool:
    """Tell whether the changelog has a section of that version."""
    return _find_section(changelog, version) is not None


def mark_place(changelog: str) -> str:
    """Put the insertion flag where new sections go, unless it is there.

    That is above the first section; without one, at the end of a file that begins with its title,
    and on top of any other.
    """
    if INSERTION_FLAG in changelog:
        return changelog
    first_section = re.search(r"^## ", changelog, re.MULTILINE)
    place = 0
    if first_section:
        place = first_section.start()
    elif changelog.startswith("# "):
        place = len(changelog)
    before = changelog[:place]
    after = changelog[place:]
    parts = (
        before.rstrip("\n"),
        INSERTION_FLAG,
        after.lstrip("\n"),
    )
    marked = "\n\n".join(filter(None, parts))
    content = marked.rstrip("\n")
    return f"{content}\n"


def edit_changelog(text: str, facts: ReleaseFacts) -> str:
    """Rewrite the section of ``facts.version`` as people should read it, and no other one.

    Raises ``ContextError`` where it says nothing of what is released.
    """
    section = _find_section(text, facts.version)
    if section is None:
        return text
    time = datetime.fromtimestamp(facts.epoch, UTC)
    day = time.strftime("%Y-%m-%d")
    name = section["name"]
    heading = f"## {name} ({day})"
    body = _render_section(section["text"], facts)
    rendered = "\n\n".join([heading, *body])
    before = text[: section.start()]
    after = text[section.end() :]
    if after:
        return f"{before}{rendered}\n\n{after}"
    return f"{before}{rendered}\n"


def _render_section(text: str, facts: ReleaseFacts) -> list[str]:
    """Give the parts of a section below its heading."""
    parts: list[str] = []
    override = facts.override
    if override:
        reason = escape_text(override.reason)
        parts.append(f"Released as a {override.level} version: {reason}")
    else:
        _require_text(text, facts.version)
    safe_text = text if facts.by_hand else escape_section(text)
    parts += sort_sections(safe_text)
    missing = _find_missing(text, facts.changes)
    parts += _render_changes("Other Changes", missing)
    parts += _render_changes("Reverts", facts.reverts)
    if facts.authors:
        authors = map(escape_text, facts.authors)
        names = ", ".join(authors)
        parts.append(f"### {AUTHORS}\n\n{names}")
    return parts


def _require_text(text: str, version: Version) -> None:
    """Make sure that a section says more than its headings do."""
    without_headings = _HEADING.sub("", text)
    if without_headings.strip():
        return
    raise ContextError(
        f"the section of v{version} in {CHANGELOG} names no change",
        hint="check templates and exclusions in [tool.semantic_release.changelog]; or say why "
        "it is released: --as patch --because '…'",
    )


def _find_missing(section: str, changes: Sequence[Change]) -> list[Change]:
    """Find the changes that the section does not name: by hashes, or by words where it has none."""
    without_hash = [change for change in changes if _short_hash(change) not in section]
    if len(without_hash) < len(changes):
        return without_hash
    words = _normalize(section)
    missing: list[Change] = []
    for change in changes:
        description = _normalize(change.description)
        if description not in words:
            missing.append(change)
    return missing


def _short_hash(change: Change) -> str:
    return change.commit[:_SHORT]


def _normalize(text: str) -> str:
    words = text.split()
    return " ".join(words).casefold()


def _render_changes(heading: str, changes: Iterable[Change]) -> list[str]:
    entries: list[str] = []
    for change in changes:
        description = escape_text(change.description)
        commit = _short_hash(change)
        entries.append(f"- {description} (`{commit}`)")
    if not entries:
        return []
    return [f"### {heading}", *entries]


def sort_sections(text: str) -> list[str]:
    """Give what stands before the first heading, then the sections, those of ``_FIRST`` first."""
    before, *headed = _HEADING.split(text)
    introduction = before.strip()
    sections = _join_sections(headed)
    parts: list[str] = []
    if introduction:
        parts.append(introduction)
    for name in _FIRST:
        content = sections.pop(name, None)
        if content is not None:
            parts.append(f"### {name}\n\n{content}")
    for name, content in sections.items():
        parts.append(f"### {name}\n\n{content}")
    return parts


def _join_sections(headed: Sequence[str]) -> dict[str, str]:
    """Give the text below each heading, from a row of headings and texts in turn."""
    names = headed[::2]
    texts = headed[1::2]
    sections: dict[str, str] = {}
    for name, text in zip(names, texts, strict=True):
        content = text.strip()
        # Two types of change may have one title.
        if name in sections:
            before = sections[name]
            content = f"{before}\n\n{content}"
        sections[name] = content.strip()
    return sections


def read_reverts(lines: Iterable[str]) -> tuple[Change, ...]:
    """Read lines with a commit's hash and its subject; gives those that revert another commit."""
    reverts: list[Change] = []
    for line in lines:
        commit, _, subject = line.partition(" ")
        if _REVERT.match(subject):
            reverts.append(Change(commit, subject))
    return tuple(reverts)


def read_authors(lines: Iterable[str]) -> tuple[str, ...]:
    """Name each author once, in the order of the alphabet; programs are none."""
    people: set[str] = set()
    for line in lines:
        words = line.split()
        name = " ".join(words)
        if name and not name.endswith("[bot]"):
            people.add(name)
    return tuple(sorted(people, key=str.casefold))


def read_notes(changelog: str, version: Version) -> str:
    """Give the section of a release; raises ``ContextError`` when the changelog has none."""
    section = _find_section(changelog, version)
    if section is None:
        raise ContextError(
            f"{CHANGELOG} has no section for v{version}",
            hint=f"put the line `{INSERTION_FLAG}` under its title: new sections go below it",
        )
    return section["text"].strip()


def _find_section(changelog: str, version: Version) -> re.Match[str] | None:
    """Find the heading that names the version, and its text.

    The heading does so whatever the git tag is called: a template may write either.
    """
    number = re.escape(str(version))
    heading = rf"^## (?P<name>(?:\S*[^\w.+])?v?{number})(?![\w.+-])[^\n]*\n"
    # A project's own sections may be underlined, as in reStructuredText.
    text = r"(?P<text>.*?)(?=^##? |^\S[^\n]*\n(?:={3,}|-{3,})[ \t]*$|\Z)"
    return re.search(rf"(?ms){heading}{text}", changelog)
