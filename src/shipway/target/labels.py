"""This module plans the OCI labels, which are the index's annotations too. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from shipway.image.labels import PREFIX
from shipway.model.version import Version
from shipway.settings import Project
from shipway.target.context import Context


def plan_labels(
    project: Project, context: Context, *, version: Version | None = None
) -> dict[str, str]:
    """Plan the labels by full key; what is not known is left out."""
    source = ""
    if context.repository:
        source = f"{context.server}/{context.repository}"
    created = ""
    if context.epoch:
        # The commit's time, not the clock's: the same commit gives the same image.
        created = _render_time(context.epoch)
    labels = {
        "title": project.name,
        "description": project.description,
        "licenses": project.licenses,
        "url": project.url or source,
        "documentation": project.documentation,
        "source": source,
        "version": str(version) if version else project.version,
        "revision": context.commit,
        "created": created,
    }
    full: dict[str, str] = {}
    for name, text in labels.items():
        if text:
            full[f"{PREFIX}{name}"] = text
    return full


def _render_time(epoch: int) -> str:
    time = datetime.fromtimestamp(epoch, UTC)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
