"""What comes from outside is read here without belief in its shape, and made fit to be shown.

A part of a document that has another type than expected counts as not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

JsonObject = Mapping[str, object]


def inner_object(document: JsonObject, name: str) -> JsonObject:
    """Give the object under a key, an empty one where there is none."""
    inner = document.get(name)
    return inner if isinstance(inner, Mapping) else {}


def inner_objects(document: JsonObject, name: str) -> list[JsonObject]:
    """Give the objects of the array under a key, none where there is no array."""
    array = document.get(name)
    if not isinstance(array, list):
        return []
    return [element for element in array if isinstance(element, Mapping)]


def inner_text(document: JsonObject, name: str) -> str:
    """Give what stands under a key as text, ``""`` where nothing does."""
    return str(document.get(name) or "")


def parse_time(text: str) -> int | None:
    """Read a time as seconds since 1970, in UTC where it names no zone; ``None`` for other text."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    zone = moment.tzinfo or UTC
    moment_in_zone = moment.replace(tzinfo=zone)
    return int(moment_in_zone.timestamp())


def printable(text: str) -> str:
    """Escape what could move the cursor or begin a line, as Python writes it."""
    shown: list[str] = []
    for character in text:
        if character.isprintable():
            shown.append(character)
            continue
        literal = ascii(character)
        shown.append(literal.strip("'"))
    return "".join(shown)
