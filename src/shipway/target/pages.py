"""Reads GitHub's list of releases: which of them people use, and which one leads. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from shipway.model.release import Release
from shipway.model.target import Target, require_release
from shipway.model.version import Version, highest_version
from shipway.model.world import Page
from shipway.target.release_page import bears_marks
from shipway.target.releases import version_of


def are_published(pages: list[Page]) -> bool:
    """Tell whether there are releases in ``pages``, and no draft among them."""
    if not pages:
        return False
    return not any(page["draft"] for page in pages)


def rank_page(page: Page, marks: Iterable[str]) -> tuple[bool, bool, str]:
    """Give the sort key of a page: a published release wins over a forgotten draft of its tag.

    Of several drafts the one wins that bears the ``marks`` of ours.
    """
    body = page.get("body") or ""
    is_ours = bears_marks(str(body), marks)
    return (
        bool(page["draft"]),
        not is_ours,
        str(page["id"]),
    )


def is_overtaken(release: Release, versions: Iterable[Version]) -> bool:
    """Tell whether one of ``versions`` is above that of the release."""
    for version in versions:
        if version.is_above(release.version):
            return True
    return False


def find_leader(target: Target, pages: list[Page], latest: Page | None) -> str:
    """Give the id of the release that should be GitHub's latest one and is not; empty when none is.

    ``latest`` is the one that GitHub shows as such: of two runs at once the older may end last.
    """
    holder = _version_of(target, latest) if latest else None
    public = public_pages(target, pages)
    highest = highest_version(public)
    if highest is None:
        return ""
    if holder is None or not holder.is_stable:
        return ""
    if not highest.is_above(holder):
        return ""
    leader = public[highest]
    return str(leader["id"])


def public_pages(target: Target, pages: list[Page]) -> dict[Version, Page]:
    """Give the releases that people use, by version: no drafts, pre-releases, withdrawn ones."""
    withdrawn = require_release(target).withdrawn
    public: dict[Version, Page] = {}
    for page in pages:
        if page.get("draft") or page.get("prerelease"):
            continue
        version = _version_of(target, page)
        if version is None or version in withdrawn:
            continue
        if version.is_stable:
            public.setdefault(version, page)
    return public


def _version_of(target: Target, page: Page) -> Version | None:
    """Give the version of a release, ``None`` where its tag is not one of this project."""
    tag = page.get("tag_name") or ""
    release = target.settings.release
    return version_of(str(tag), release.tag_format)
