"""Writes and reads what a release tells, in the temporary clone that it is made in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from shipway.effects.executor import Executor
from shipway.model.release import CHANGELOG, Change, Decision, Override
from shipway.model.version import Version
from shipway.settings import ReleaseSettings
from shipway.target.context import Context
from shipway.target.notes import (
    ReleaseFacts,
    edit_changelog,
    has_section,
    mark_place,
    read_authors,
    read_notes,
    read_reverts,
)
from shipway.tools import git, git_tags


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneNotes:
    """Holds what is needed to write the changelog of a project in the clone."""

    folder: Path
    """Says where the project lies in the clone."""
    inside: str
    """Says the same from the top of the repository: empty, or a path that ends in a slash."""
    executor: Executor
    context: Context
    settings: ReleaseSettings
    override: Override | None

    def prepare(self) -> None:
        """Give the new section its place; with ``tag-only``, where nothing is kept, all of the file."""
        text = ""
        if not self.settings.tag_only:
            text = self._read_changelog()
            if not text:
                return
        marked = mark_place(text)
        self._write_changelog(marked)

    def are_by_hand(self, version: Version) -> bool:
        """Tell, before anything is stamped, whether a person wrote the section already."""
        changelog = self._read_changelog()
        return has_section(changelog, version)

    def write(
        self, decision: Decision, version: Version, since: str | None, *, by_hand: bool
    ) -> str:
        """Rewrite the section that was stamped, and give it; ``since`` is the last release's tag.

        Raises ``ContextError`` where it is missing, or says nothing of what is released.
        """
        facts = ReleaseFacts(
            version=version,
            epoch=self.context.epoch,
            authors=self._ask_authors(since),
            changes=decision.changes,
            reverts=self._ask_reverts(since),
            override=self.override,
            by_hand=by_hand,
        )
        stamped = self._read_changelog()
        edited = edit_changelog(stamped, facts)
        notes = read_notes(edited, version)
        self._write_changelog(edited)
        return notes

    def read(self, tag: str, version: Version) -> str:
        """Give the notes of the release that is checked out; raises as ``write`` does."""
        if self.settings.tag_only:
            question = git_tags.read_tag_notes(self.folder, tag)
            answer = self.executor(question)
            return answer.out.strip()
        changelog = self._read_changelog()
        return read_notes(changelog, version)

    def find_address(self, tag: str, previous: str) -> str:
        """Give the address of the changelog, or of the commits where only a tag is made.

        ``previous`` is the tag of the release before, empty where there is none. The address is
        empty where the project has no repository on GitHub.
        """
        context = self.context
        if not context.repository:
            return ""
        if not self.settings.tag_only:
            place = f"blob/{tag}/{self.inside}{CHANGELOG}"
        elif previous:
            place = f"compare/{previous}...{tag}"
        else:
            place = f"commits/{tag}"
        path = quote(place)
        return f"{context.server}/{context.repository}/{path}"

    def _read_changelog(self) -> str:
        path = self.folder / CHANGELOG
        if not path.is_file():
            return ""
        return path.read_text(encoding="utf-8")

    def _write_changelog(self, text: str) -> None:
        path = self.folder / CHANGELOG
        path.write_text(text, encoding="utf-8")

    def _ask_reverts(self, since: str | None) -> tuple[Change, ...]:
        """Ask what was reverted since the last release; before the first one nothing was known."""
        if since is None:
            return ()
        paths = self.settings.paths
        if self.inside and not paths:
            paths = (".",)
        question = git.list_reverts(self.folder, since, self.context.commit, paths)
        answer = self.executor(question)
        lines = git.split_lines(answer.out)
        return read_reverts(lines)

    def _ask_authors(self, since: str | None) -> tuple[str, ...]:
        question = git.list_authors(self.folder, since, self.context.commit)
        answer = self.executor(question)
        lines = answer.out.splitlines()
        return read_authors(lines)
