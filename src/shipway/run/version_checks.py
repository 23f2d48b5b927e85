"""A next version is refused where it would be a wrong one: before, and after it is decided."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from shipway.model.release import Decision, GitTag
from shipway.run.stamping import VersionFiles, is_placeholder, require_known_origin
from shipway.settings import ReleaseSettings
from shipway.target.version_bounds import (
    require_above_project,
    require_fitting_tags,
    require_free_version,
)
from shipway.target.version_pattern import inner_table
from shipway.tools.semantic_release import require_own_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionChecks:
    """Holds what a version is compared with: the project's own, and the tags of the remote."""

    files: VersionFiles
    release: ReleaseSettings
    tags: Collection[GitTag]
    names: Collection[str]
    """Names the project and its repository, as they may stand before a version in a tag."""
    branch: str

    def require_sound_settings(self) -> None:
        """Make sure that a version can be counted and stamped; raises ``SettingsError``."""
        tag_format = self.release.tag_format
        own_table = inner_table(self.files.document, "tool", "semantic_release")
        if own_table:
            require_own_settings(own_table, tag_format)
        require_known_origin(self.files, tag_only=self.release.tag_only)
        require_fitting_tags(self.tags, tag_format, self.names)

    def require_sound_decision(self, decision: Decision) -> None:
        """Make sure that the version that is due is no step back; raises ``ShipwayError``."""
        stated = self.files.read_stated()
        require_above_project(decision, stated)
        main_branch = self.release.branches[0]
        require_free_version(
            decision,
            self.tags,
            self.release.tag_format,
            branch=self.branch,
            is_main=self.branch == main_branch,
        )
        if decision.upcoming and self.release.tag_only:
            before = stated_before(self.files, decision)
            self.files.require_version(decision.upcoming, before, tag_only=True)


def stated_before(files: VersionFiles, decision: Decision) -> frozenset[str]:
    """Give the versions that files may state from before the release."""
    stated = files.read_stated()
    before = {text for text in stated.values() if not is_placeholder(text)}
    if decision.current:
        before.add(str(decision.current))
    return frozenset(before)
