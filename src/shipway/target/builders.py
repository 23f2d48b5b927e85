"""This module names builders of BuildKit's own drivers by their settings. Pure."""

from __future__ import annotations

import hashlib

import msgspec

from shipway.settings import BuilderSettings


def builder_name(builder: BuilderSettings) -> str:
    """Name the builder by its settings, so that the same settings find the same builder again.

    The name is empty for the builder that is in use.
    """
    if builder.driver == "default":
        return ""
    content = msgspec.json.encode(builder, order="deterministic")
    digest = hashlib.sha256(content).hexdigest()
    short_digest = digest[:8]
    return f"shipway-{short_digest}"
