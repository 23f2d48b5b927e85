"""A release is made in a temporary clone: this module asks and acts there."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shipway.effects.executor import Executor
from shipway.errors import ContextError
from shipway.model.actions import Command
from shipway.model.release import Decision, GitTag, Override, Release
from shipway.model.version import Version
from shipway.run.clone_notes import CloneNotes
from shipway.run.made_releases import MadeReleases, read_tags
from shipway.run.stamping import VersionFiles, open_version_files
from shipway.run.version_checks import VersionChecks, stated_before
from shipway.settings import Project, Settings
from shipway.target.context import Context
from shipway.target.preconditions import require_branch
from shipway.target.releases import (
    find_tag,
    tag_name,
    usable_versions,
    version_of,
    withdrawn_versions,
)
from shipway.target.tags import find_previous, plan_moving, require_own_tag
from shipway.target.version_pattern import inner_table
from shipway.tools import git, git_clone, semantic_release


@dataclass(frozen=True, slots=True)
class Clone:
    """Holds a clone with the remote's tags, checked out at the commit that is released."""

    folder: Path
    """Says where the project lies in the clone."""
    inside: str
    """Says the same from the top of the repository: empty, or a path that ends in a slash."""
    scratch: Path
    """Says where files may lie that are no part of the clone; it is deleted with it."""
    top: Path
    """Says where the clone lies."""
    config: str
    """Says where the settings of python-semantic-release lie."""
    executor: Executor
    project: Project
    context: Context
    override: Override | None
    warn: Callable[[str], None]
    """Receives what people should know, and what stops nothing."""

    @property
    def _settings(self) -> Settings:
        return self.project.settings

    @property
    def _branch(self) -> str:
        return branch_of(self.project, self.context)

    @property
    def _level(self) -> str:
        if self.override is None:
            return ""
        return self.override.level

    @property
    def _notes(self) -> CloneNotes:
        return CloneNotes(
            folder=self.folder,
            inside=self.inside,
            executor=self.executor,
            context=self.context,
            settings=self._settings.release,
            override=self.override,
        )

    def existing_release(self) -> Release | None:
        """Find the release that was already made of this commit, and check the clone out there."""
        tags = self.tags()
        tag = self._find_existing(tags)
        if tag is None:
            return None
        return self._go_to(tag, tags)

    def _find_existing(self, tags: tuple[GitTag, ...]) -> GitTag | None:
        release = self._settings.release
        made = MadeReleases(
            folder=self.folder,
            executor=self.executor,
            release=release,
            head=self.remote_head(),
            branch=self._branch,
        )
        return made.find_tag(tags, self.context)

    def find_release(self, name: str) -> Release:
        """Find the release with that git tag, which has to be there; check the clone out there."""
        tags = self.tags()
        tag = find_tag(tags, name)
        return self._go_to(tag, tags)

    def _go_to(self, tag: GitTag, tags: tuple[GitTag, ...]) -> Release:
        why = f"go to {tag.name}"
        check_out = git_clone.check_out_branch(
            why,
            self.folder,
            self._branch,
            tag.commit,
        )
        check_out_whole(self.executor, check_out)
        adoption = git_clone.adopt_tag(self.folder, tag.name)
        self.executor(adoption)
        return self._describe_release(tag.name, tag.commit, tags)

    def remote_head(self) -> str:
        """Give the full hash of the remote branch's head, empty where there is no such branch."""
        remote = self._settings.remote
        question = git.find_remote_head(self.folder, remote, self._branch)
        answer = self.executor(question)
        return answer.out.strip()

    def is_behind(self) -> bool:
        """Tell whether the remote's branch has commits that the released one does not have."""
        head = self.remote_head()
        if not head:
            return False
        question = git.is_ancestor(self.folder, head, self.context.commit)
        answer = self.executor(question)
        return answer.code != 0

    def go_to_head(self) -> tuple[str, int]:
        """Check the remote's branch out; give the commit, and its time in seconds since 1970."""
        head = self.remote_head()
        why = "go to the branch's head"
        check_out = git_clone.check_out_detached(why, self.folder, head)
        check_out_whole(self.executor, check_out)
        question = git.commit_time(self.folder, head)
        answer = self.executor(question)
        epoch, _ = git.read_dated_commit(answer)
        return head, epoch

    def read_decision(self) -> Decision:
        """Tell the last version and the next one, also where this commit's release was made."""
        tags = self.tags()
        tag = self._find_existing(tags)
        if tag is None:
            return self._decide(tags)
        return Decision(self._version_of(tag.name), None)

    def decide(self) -> Decision:
        """Ask python-semantic-release for the last and the next version.

        Raises ``ShipwayError`` where a release of that version would be a wrong one.
        """
        return self._decide(self.tags())

    def _decide(self, tags: tuple[GitTag, ...]) -> Decision:
        require_branch(self.context, self._settings.release)
        checks = self._checks(tags)
        checks.require_sound_settings()
        question = semantic_release.next_version(
            self.folder,
            self.config,
            self._level,
        )
        decision = self.executor(question)
        checks.require_sound_decision(decision)
        return decision

    def _checks(self, tags: tuple[GitTag, ...]) -> VersionChecks:
        _, _, repository = self.context.repository.rpartition("/")
        return VersionChecks(
            files=self._files(),
            release=self._settings.release,
            tags=tags,
            names=(self.project.name, repository),
            branch=self._branch,
        )

    def _files(self) -> VersionFiles:
        return open_version_files(self.folder, self.top)

    def _tag_of(self, version: Version) -> str:
        return tag_name(version, self._settings.release.tag_format)

    def _tag_names(self) -> set[str]:
        return {tag.name for tag in self.tags()}

    def make_release(self, decision: Decision) -> Release:
        """Stamp the version, write the changelog, commit and tag: in this clone only."""
        if decision.upcoming is None:
            raise ValueError("no release is due")
        version = decision.upcoming
        tag = self._tag_of(version)
        files = self._files()
        before = stated_before(files, decision)
        if not inner_table(files.document, "tool", "semantic_release", "changelog"):
            self._notes.prepare()
        notes = self._stamp(decision, version)
        tag_only = self._settings.release.tag_only
        if tag_only:
            files.tell_unstamped(before, self.warn)
        else:
            files.stamp(version, before)
        files.require_version(version, before, tag_only=tag_only)
        self._record(tag, notes)
        tags = self.tags()
        commit = find_tag(tags, tag).commit
        return self._describe_release(tag, commit, tags)

    def _stamp(self, decision: Decision, version: Version) -> str:
        """Let python-semantic-release stamp the version; give the notes."""
        by_hand = self._notes.are_by_hand(version)
        python = sys.executable
        stamp = semantic_release.stamp_version(
            self.folder,
            self.config,
            python,
            self._level,
        )
        self.executor(stamp)
        since = self._tag_of(decision.current) if decision.current else None
        if since not in self._tag_names():
            since = None
        return self._notes.write(
            decision,
            version,
            since,
            by_hand=by_hand,
        )

    def _record(self, tag: str, notes: str) -> None:
        """Make the release commit and its tag, or the tag alone."""
        epoch = self.context.epoch
        if self._settings.release.tag_only:
            # In a file: a command line has no room for notes of any length.
            message = self.scratch / "notes.md"
            text = f"{tag}\n\n{notes}\n"
            message.write_text(text, encoding="utf-8")
            commands = git_clone.tag_commands(self.folder, tag, epoch, message)
        else:
            commands = git_clone.commit_commands(self.folder, tag, epoch)
        for command in commands:
            self.executor(command)

    def tags(self) -> tuple[GitTag, ...]:
        """Give the tags of the remote, and those that were made here."""
        return read_tags(self.folder, self.executor)

    def _describe_release(self, tag: str, commit: str, tags: tuple[GitTag, ...]) -> Release:
        tag_format = self._settings.release.tag_format
        version = self._version_of(tag)
        usable = usable_versions(tags, tag_format)
        previous = find_previous(version, usable)
        plus = self._settings.tags.plus
        require_own_tag(version, usable, plus)
        rolling = self._settings.tags.rolling
        moving: tuple[str, ...] = ()
        if version in usable:
            moving = plan_moving(version, usable, rolling=rolling)
        previous_tag = self._tag_of(previous) if previous else ""
        return Release(
            version=version,
            tag=tag,
            commit=commit,
            notes=self._notes.read(tag, version),
            whole_notes=self._notes.find_address(tag, previous_tag),
            moving=moving,
            previous=previous,
            withdrawn=withdrawn_versions(tags, tag_format),
            base=self.remote_head(),
        )

    def _version_of(self, tag: str) -> Version:
        tag_format = self._settings.release.tag_format
        version = version_of(tag, tag_format)
        if version is None:
            raise ContextError(
                f"{tag} is no tag of a release",
                hint=f"the tags of releases look like {tag_format}, with a semantic version",
            )
        return version


def check_out_whole(executor: Executor, command: Command) -> None:
    """Check a commit out; raises ``StepFailed`` where a file of it is missing afterwards."""
    executor(command)
    missing = executor(git_clone.list_missing_files(command.folder))
    git_clone.require_files(missing)


def branch_of(project: Project, context: Context) -> str:
    """Name the branch that is released: for a checkout of a tag, the first release branch."""
    if context.branch:
        return context.branch
    return project.settings.release.branches[0]
