"""Take away what an engine that was killed left mounted."""

from __future__ import annotations

import os
import re
from pathlib import Path

from shipway.effects.processes import Runner
from shipway.tools import debian

_ESCAPE = re.compile(r"\\([0-7]{3})")


def unmount_below(base: Path, runner: Runner, mounts: Path = Path("/proc/mounts")) -> None:
    """Unmount all that ``mounts`` lists below the folder ``base``, the innermost first."""
    if not mounts.exists():
        return
    places = [place for place in _read_mounts(mounts) if place.startswith(f"{base}/")]
    for place in sorted(places, key=len, reverse=True):
        runner(debian.unmount(place))


def _read_mounts(mounts: Path) -> list[str]:
    """Read the places where something is mounted, from a file like `/proc/mounts`.

    The kernel writes a blank, tab, newline or backslash of a path as three octal digits, such as
    ``\\040``, and every other byte as it is. Source: ``proc(5)``, ``fstab(5)``.
    """
    text = os.fsdecode(mounts.read_bytes())
    places = []
    for line in text.split("\n"):
        if line:
            place = line.split(" ")[1]
            places.append(_ESCAPE.sub(_decode_octal, place))
    return places


def _decode_octal(digits: re.Match[str]) -> str:
    number = int(digits[1], 8)
    return chr(number)
