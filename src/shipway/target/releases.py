"""Tags of git → which releases there are, which were withdrawn, and which one is of a commit. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from shipway.errors import ContextError
from shipway.model.release import LEVELS, GitTag, Override, numbers

WITHDRAWN = "withdrawn/"
"""Before the name of a release's tag: nobody shall use it any more."""


def read_override(level: str, reason: str) -> Override:
    """The words of a command line; raises ``ContextError`` where one lacks the other."""
    reason = " ".join(reason.split())
    if level and level not in LEVELS:
        raise ContextError(
            f"there is no level {level!r}", hint=f"the levels are {', '.join(LEVELS)}"
        )
    if bool(level) != bool(reason):
        raise ContextError(
            "a version that the commits do not call for needs a level and a reason",
            hint="say both: --as minor --because 'the new default changes what people see'",
        )
    return Override(level, reason)


def version_of(tag: str, tag_format: str) -> str:
    """The version in a tag's name, empty when the tag is no release's."""
    before, _, after = tag_format.partition("{version}")
    middle = tag.removeprefix(before).removesuffix(after)
    own = tag == f"{before}{middle}{after}" and re.fullmatch(
        r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", middle
    )
    return middle if own else ""


def find_good(tags: Iterable[GitTag], tag_format: str) -> list[str]:
    """The versions that were released and not withdrawn."""
    names = {tag.name for tag in tags}
    return [
        found
        for name in names
        if (found := version_of(name, tag_format)) and f"{WITHDRAWN}{name}" not in names
    ]


def find_withdrawn(tags: Iterable[GitTag], tag_format: str) -> tuple[str, ...]:
    """The versions that were taken back."""
    names = (tag.name.removeprefix(WITHDRAWN) for tag in tags if tag.name.startswith(WITHDRAWN))
    return tuple(sorted(found for name in names if (found := version_of(name, tag_format))))


def find_release(tags: Iterable[GitTag], commit: str, tag_format: str) -> GitTag | None:
    """The release that was made of ``commit``: it tags the commit itself, or the release commit on top of it."""
    releases = [tag for tag in tags if version_of(tag.name, tag_format)]
    own = [tag for tag in releases if tag.commit == commit]
    made = [tag for tag in releases if tag.parent == commit]
    return max(own or made, key=lambda tag: numbers(version_of(tag.name, tag_format)), default=None)
