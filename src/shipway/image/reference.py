"""An image's name, as people write it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shipway.errors import ContextError

_REGISTRY = r"(?:[a-zA-Z0-9][\w-]*(?:\.[\w-]+)+(?::\d+)?|[a-zA-Z0-9][\w-]*:\d+|localhost)"
"""A host has a dot or a port: `owner/name:v1` would leave it to each tool which registry is meant."""
_REFERENCE = re.compile(
    rf"(?P<name>{_REGISTRY}(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An image's name with its tag or digest, or both: then the tag has to lead to the digest."""

    name: str
    tag: str = ""
    digest: str = ""

    @property
    def text(self) -> str:
        """What is asked for: the tag where there is one."""
        return f"{self.name}:{self.tag}" if self.tag else f"{self.name}@{self.digest}"


def parse_reference(text: str) -> Reference:
    """Read `registry/owner/name:tag`, `…@sha256:…` or both; raises ``ContextError``."""
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise ContextError(
            f"{text!r} is no image of a registry",
            hint="name it in full, such as `ghcr.io/owner/name:v1.2.3` or `…@sha256:…`",
        )
    if not found["tag"] and not found["digest"]:
        raise ContextError(
            f"{text} has neither a tag nor a digest",
            hint=f"say which one is meant, such as `{text}:v1.2.3`",
        )
    return Reference(name=found["name"], tag=found["tag"] or "", digest=found["digest"] or "")
