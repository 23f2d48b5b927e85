"""An image's name is read as people write it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shipway.errors import ContextError

_REGISTRY = r"(?:[a-zA-Z0-9][\w-]*(?:\.[\w-]+)+(?::\d+)?|[a-zA-Z0-9][\w-]*:\d+|localhost)"
"""A host has a dot or a port.

Without one, as in `owner/name:v1`, each tool would choose a registry for itself.
"""
_REFERENCE = re.compile(
    rf"(?P<name>{_REGISTRY}(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An image's name comes with a tag or a digest; with both, the tag must lead to the digest."""

    name: str
    tag: str = ""
    digest: str = ""

    @property
    def text(self) -> str:
        """Give the name that a registry is asked for: with the tag where there is one."""
        if self.tag:
            return f"{self.name}:{self.tag}"
        return f"{self.name}@{self.digest}"


def parse_reference(text: str) -> Reference:
    """Read `registry/owner/name:tag`, `…@sha256:…` or both; raises ``ContextError``."""
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise ContextError(
            f"{text!r} is no image of a registry",
            hint="name it in full, such as `ghcr.io/owner/name:v1.2.3` or `…@sha256:…`",
        )
    tag = match["tag"] or ""
    digest = match["digest"] or ""
    if not tag and not digest:
        raise ContextError(
            f"{text} has neither a tag nor a digest",
            hint=f"say which one is meant, such as `{text}:v1.2.3`",
        )
    return Reference(
        name=match["name"],
        tag=tag,
        digest=digest,
    )
