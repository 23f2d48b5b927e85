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
    free = room.characters - _RESERVED
    about_image = _describe_image(image, digest, verify)
    fitting_notes = fit_notes(
        notes.strip(),
        free - len(about_image),
        room.whole,
    )
    page = f"{fitting_notes}\n\n{about_image}"
    left = free - len(page)
    changes = _fit_packages(packages, left)
    if changes:
        page += f"\n\n{changes}"
    return f"{page}\n"


def _describe_image(image: str, digest: str, verify: Sequence[str]) -> str:
    """Name the image by its tag and by its digest, and say how to verify it."""
    name = image.rpartition(":")[0]
    command = " ".join(verify)
    parts = (
        "### Image",
        f"`{image}`",
        f"`{name}@{digest}`",
        f"```sh\n{command}\n```",
    )
    return "\n\n".join(parts)


def fit_notes(notes: str, room: int, whole: str) -> str:
    """Give the notes, or as many whole entries of them as fit into ``room`` characters."""
    if len(notes) <= room:
        return notes
    pieces = list(_split_notes(notes))
    longest_rest = _describe_rest(len(pieces), whole)
    free = room - len(longest_rest)
    kept: list[str] = []
    heading = ""
    left_out = 0
    for piece in pieces:
        if piece.startswith("#"):
            heading = piece
            continue
        # A heading stands only above something.
        text = f"{heading}\n\n{piece}" if heading else piece
        size = len(text) + 2
        if size <= free:
            kept.append(text)
            free -= size
            heading = ""
        elif heading != f"### {AUTHORS}":
            left_out += 1
    rest = _describe_rest(left_out, whole)
    kept.append(rest)
    return "\n\n".join(filter(None, kept))


def _split_notes(notes: str) -> Iterator[str]:
    """Give headings, entries and paragraphs, each with all of its lines."""
    piece = ""
    for line in notes.split("\n"):
        text = line.strip()
        if not text or _ENTRY.match(line) or line.startswith("#"):
            if piece:
                yield piece
            piece = text
        elif piece:
            piece += f"\n{line}"
        else:
            piece = line
    if piece:
        yield piece


def _describe_rest(count: int, whole: str) -> str:
    parts: list[str] = []
    if count:
        parts.append(f"… and {count} more")
    if whole:
        parts.append(f"[all changes]({whole})")
    return ": ".join(parts)


def _fit_packages(text: str, room: int) -> str:
    """Give the fold of packages with as many of its rows as fit; nothing where none does."""
    if len(text) + 2 <= room:
        return text
    lines = text.split("\n")
    longest_ending = _close_fold(lines)
    free = room - len(longest_ending) - 2
    size = 0
    for number, line in enumerate(lines):
        size += len(line) + 1
        if size <= free:
            continue
        fitting = lines[:number]
        if not _count_rows(fitting):
            return ""
        kept = "\n".join(fitting).rstrip()
        return kept + _close_fold(lines[number:])
    return ""


def _close_fold(left_out: Sequence[str]) -> str:
    """End the fold of packages, with the number of those that it leaves out."""
    count = _count_rows(left_out)
    return f"\n\n{count} more\n\n{_END}"


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
    blocks = _group_platforms(changes)
    if not blocks:
        return ""
    distinct_rows = set().union(*blocks)
    count = len(distinct_rows)
    summary = f"Packages of the image: {count} changes since {previous}"
    parts = [f"<details>\n<summary>{summary}</summary>"]
    for rows, platforms in blocks.items():
        names = ", ".join(platforms)
        parts += _render_block(rows, names)
    parts.append(_END)
    return "\n\n".join(parts)


def render_uncompared(previous: str, broken: Sequence[str]) -> str:
    """Write why the packages are not compared with those of ``previous``: parts are ``broken``."""
    problems = "; ".join(broken)
    return f"The packages of the image are not compared with those of {previous}: {problems}."


def _group_platforms(
    changes: Mapping[str, Sequence[Mapping[str, str]]],
) -> dict[tuple[_Row, ...], list[str]]:
    """List the platforms in which the same changed, by the rows that say what."""
    groups: dict[tuple[_Row, ...], list[str]] = {}
    for platform, packages in changes.items():
        rows = tuple(map(_row, packages))
        platforms = groups.setdefault(rows, [])
        platforms.append(platform)
    return groups


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
        cells = map(_escape_cell, row)
        line = " | ".join(cells)
        table.append(f"| {line} |")
    parts = [platforms, "\n".join(table)]
    left_out = len(rows) - _MOST_CHANGES
    if left_out > 0:
        parts.append(f"{left_out} more")
    return parts


def _escape_cell(text: str) -> str:
    """Write a cell of the table; a dash stands for nothing."""
    if not text:
        return "–"
    escaped = escape_text(text)
    return escaped.replace("|", "\\|")
