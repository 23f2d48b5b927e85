"""Context → OCI labels, which are the index's annotations too. Pure.

Keys: OCI image specification, "Pre-Defined Annotation Keys".
"""

from __future__ import annotations

from datetime import UTC, datetime

from shipway.image.labels import PREFIX
from shipway.settings import Project
from shipway.target.context import Context


def plan_labels(project: Project, context: Context, *, version: str = "") -> dict[str, str]:
    """Labels by full key; what is not known is left out."""
    source = f"{context.server}/{context.repository}" if context.repository else ""
    created = (
        datetime.fromtimestamp(context.epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if context.epoch
        else ""
    )
    labels = {
        "title": project.name,
        "description": project.description,
        "licenses": project.licenses,
        "url": project.url or source,
        "documentation": project.documentation,
        "source": source,
        "version": version or project.version,
        "revision": context.commit,
        # The commit's time, not the clock's: the same commit gives the same image.
        "created": created,
    }
    return {f"{PREFIX}{name}": value for name, value in labels.items() if value}
