"""This module writes the page of a release: its notes, its image, and which packages changed. Pure.

GitHub refuses a page of more than 125,000 characters. Whatever others wrote, image, digest and the
command to verify it stand there; of notes and packages what there is room for, whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from shipway.target.markdown import escape_text
from shipway.target.notes import AUTHORS
from shipway.target.release_page import LONGEST_BODY

_RESERVED = 1_000
"""Says how many characters stay free for what is put above the notes later: a withdrawal."""
_MOST_CHANGES = 300
"""Says how many changed packages the page lists of each platform."""
_Row: TypeAlias = tuple[str, str, str]
"""Holds a package's name, its version before, and its version now."""
_ENTRY = re.compile(r"[-*+] |\d+[.)] ")
_MORE = re.compile(r"(\d+) more")
_HEAD = "| package | before | now |"
_END = "</details>"


@dataclass(frozen=True, slots=True)
class Room:
    """Says how long a page may be, and where people find what has no room there."""

    whole: str = ""
    """Holds the address of all notes; it may be empty."""
    characters: int = LONGEST_BODY


def render_page(
    notes: str,
    image: str,
    digest: str,
    verify: Sequence[str],
    packages: str,
    *,
    room: Room | None = None,
) -> str:
    """Write the release's page: notes, image, how to verify it, and which packages changed."""
    room = room or Room()
    name = image.rpartition(":")[0]
    command = " ".join(verify)
    parts = ["### Image", f"`{image}`", f"`{name}@{digest}`", f"```sh\n{command}\n```"]
    about_image = "\n\n".join(parts)
    free = room.characters - _RESERVED
    told = fit_notes(notes.strip(), free - len(about_image), room.whole)
    page = f"{told}\n\n{about_image}"
    changes = _fit_packages(packages, free - len(page))
    if changes:
        page += f"\n\n{changes}"
    return f"{page}\n"


def fit_notes(notes: str, room: int, whole: str) -> str:
    """Give the notes, or as many whole entries of them as fit into ``room`` characters."""
    if len(notes) <= room:
        return notes
    pieces = list(_split_notes(notes))
    rest = _describe_rest(len(pieces), whole)
    free = room - len(rest)
    kept: list[str] = []
    heading = ""
    left_out = 0
    for piece in pieces:
        if piece.startswith("#"):
            heading = piece
            continue
        # A heading stands only above something.
        text = f"{heading}\n\n{piece}" if heading else piece
        if len(text) + 2 <= free:
            kept.append(text)
            free -= len(text) + 2
            heading = ""
        elif heading != f"### {AUTHORS}":
            left_out += 1
    kept.append(_describe_rest(left_out, whole))
    return "\n\n".join(filter(None, kept))


def _split_notes(notes: str) -> Iterator[str]:
    """Give headings, entries and paragraphs, each with all of its lines."""
    piece = ""
    for line in notes.split("\n"):
        if not line.strip() or _ENTRY.match(line) or line.startswith("#"):
            if piece:
                yield piece
            piece = line.strip()
        else:
            piece += f"\n{line}" if piece else line
    if piece:
        yield piece


def _describe_rest(count: int, whole: str) -> str:
    address = f"[all changes]({whole})" if whole else ""
    number = f"… and {count} more" if count else ""
    return ": ".join(filter(None, (number, address)))


def _fit_packages(text: str, room: int) -> str:
    """Give the fold of packages with as many of its rows as fit; nothing where none does."""
    if len(text) + 2 <= room:
        return text
    lines = text.split("\n")
    ending = f"\n\n{_count_rows(lines)} more\n\n{_END}"
    free = room - len(ending) - 2
    size = 0
    for number, line in enumerate(lines):
        size += len(line) + 1
        if size > free:
            kept = "\n".join(lines[:number]).rstrip()
            if not _count_rows(lines[:number]):
                return ""
            return f"{kept}\n\n{_count_rows(lines[number:])} more\n\n{_END}"
    return ""


def _count_rows(lines: Sequence[str]) -> int:
    """Count the packages that lines tell of, and those that they only count."""
    count = 0
    for line in lines:
        counted = _MORE.fullmatch(line)
        if counted:
            count += int(counted[1])
        elif line.startswith("| ") and line != _HEAD:
            count += 1
    return count


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
    return "\n\n".join((*parts, _END))


def _row(package: Mapping[str, str]) -> _Row:
    return (
        package["name"],
        package["before"],
        package["after"],
    )


def _render_block(rows: Sequence[_Row], platforms: str) -> list[str]:
    if not rows:
        return [f"{platforms}: nothing changed"]
    table = [_HEAD, "|---|---|---|"]
    for row in rows[:_MOST_CHANGES]:
        cells = [_escape_cell(cell) or "–" for cell in row]
        line = " | ".join(cells)
        table.append(f"| {line} |")
    parts = [platforms, "\n".join(table)]
    left_out = len(rows) - _MOST_CHANGES
    if left_out > 0:
        parts.append(f"{left_out} more")
    return parts


def _escape_cell(text: str) -> str:
    return escape_text(text).replace("|", "\\|")
