"""Names of images are read as Docker reads them, and written in full.

Source: the grammar and the defaults of distribution's package ``reference`` (``regexp.go``,
``normalize.go``). What it leaves to each tool is written out here, so that all tools are asked for
the same image. One grammar for settings and for the command line.
"""

from __future__ import annotations

import re
from typing import NamedTuple

HUB = "docker.io"
"""The registry of a name that names none."""
_OLD_HUB = "index.docker.io"
_OFFICIAL = "library/"
"""Where Docker Hub keeps the images whose name has one part."""
_LONGEST_PATH = 255
_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)"
_DOMAIN = re.compile(rf"(?:{_HOST}(?:\.{_HOST})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?")
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_PART}(?:/{_PART})*")
_REFERENCE = re.compile(
    r"(?P<name>[^@\s]+?)(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
    re.ASCII,
)
_IDENTIFIER = re.compile(r"[a-f0-9]{64}")
"""Matches what Docker takes for the identifier of a local image."""


class NamedImage(NamedTuple):
    """A name that is written in full, with the tag and the digest, empty where there is none."""

    name: str
    tag: str
    digest: str


def read_reference(text: str) -> NamedImage | None:
    """Read a name with a tag, a digest, both or none; ``None`` for what Docker does not take."""
    match = _REFERENCE.fullmatch(text)
    name = normalize_name(match["name"]) if match else None
    if match is None or name is None:
        return None
    return NamedImage(name, match["tag"] or "", match["digest"] or "")


def normalize_name(text: str) -> str | None:
    """Write an image's name without tag in full, such as ``docker.io/library/python``.

    Gives ``None`` for what Docker does not take for a name.
    """
    domain, path = _split_domain(text)
    if domain == HUB and "/" not in path:
        path = f"{_OFFICIAL}{path}"
    if _IDENTIFIER.fullmatch(text) or len(path) > _LONGEST_PATH:
        return None
    if not _DOMAIN.fullmatch(domain) or not _PATH.fullmatch(path):
        return None
    return f"{domain}/{path}"


def _split_domain(text: str) -> tuple[str, str]:
    """Tell the registry from the path: a first part with a dot, a port or a capital names one."""
    domain, slash, path = text.partition("/")
    if not slash:
        return HUB, text
    if domain == _OLD_HUB:
        return HUB, path
    if domain == "localhost" or re.search(r"[.:]", domain) or domain.lower() != domain:
        return domain, path
    return HUB, text
