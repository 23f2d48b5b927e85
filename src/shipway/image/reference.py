"""An image's name is read as people write it."""

from __future__ import annotations

from dataclasses import dataclass

from shipway.errors import ContextError
from shipway.settings.image_names import read_reference


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
    """Read `registry/owner/name:tag`, `…@sha256:…` or both; raises ``ContextError``.

    The name is given in full: `owner/name` is one of Docker Hub, as for Docker.
    """
    image = read_reference(text)
    if image is None:
        raise ContextError(
            f"{text!r} is no image of a registry",
            hint="name it in lower case, such as `ghcr.io/owner/name:v1.2.3` or `…@sha256:…`",
        )
    if not image.tag and not image.digest:
        raise ContextError(
            f"{text} has neither a tag nor a digest",
            hint=f"say which one is meant, such as `{text}:v1.2.3`",
        )
    return Reference(
        name=image.name,
        tag=image.tag,
        digest=image.digest,
    )
