"""`notes` says what a release tells: the one that is due, or one that was made."""

from __future__ import annotations

from shipway.model.actions import Json
from shipway.model.release import Release
from shipway.run.fresh_clone import open_clone
from shipway.run.release import decide_release
from shipway.run.session import Progress, Session, open_session
from shipway.target.preconditions import require_history
from shipway.target.releases import name_release


def notes_document(progress: Progress, version: str = "") -> dict[str, Json]:
    """Give ``{"version", "tag", "notes"}`` of a release, by default of the present commit's.

    All are null where none is due. A release that is due is made in a temporary clone alone.
    """
    session = open_session(progress)
    require_history(session.context)
    release = _find_release(session, version)
    if release is None:
        return {"version": None, "tag": None, "notes": None}
    return {
        "version": str(release.version),
        "tag": release.tag,
        "notes": release.notes,
    }


def _find_release(session: Session, version: str) -> Release | None:
    with open_clone(session) as clone:
        if version:
            tag = name_release(version, session.project.settings.release.tag_format)
            return clone.find_release(tag)
        decided = decide_release(clone, session.context)
        if decided.release is None:
            session.progress(decided.reason)
        return decided.release
