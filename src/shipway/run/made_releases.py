"""The release that was already made of a commit is found by its tag, and by who made that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from shipway.effects.executor import Executor
from shipway.model.release import GitTag
from shipway.run.stamping import read_project_file
from shipway.settings import ReleaseSettings
from shipway.target.context import Context
from shipway.target.releases import tags_above, tags_on, version_of
from shipway.target.version_pattern import inner_table
from shipway.tools import git, git_clone, git_tags, semantic_release


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeReleases:
    """Looks in a clone for releases that were made of a commit."""

    folder: Path
    executor: Executor
    release: ReleaseSettings
    head: str
    """Holds the full hash of the remote branch's head, empty where there is no such branch."""
    branch: str

    def find_tag(self, tags: Iterable[GitTag], context: Context) -> GitTag | None:
        """Find the tag of a commit's release: on the commit, or on its release commit.

        Whoever checks a tag out means that release. On a branch, a commit that somebody else tagged
        is none of ours.
        """
        tag_format = self.release.tag_format
        all_tags = tuple(tags)
        is_named = self.release.tag_only or not context.branch
        for tag in tags_on(all_tags, context.commit, tag_format):
            if is_named or self._is_made_here(tag):
                return tag
        if self.release.tag_only:
            return None
        for tag in tags_above(all_tags, context.commit, tag_format):
            if self._is_made_here(tag) and self._is_on_branch(tag.commit):
                return tag
        return None

    def _is_made_here(self, tag: GitTag) -> bool:
        """Tell whether a tag names a release commit of shipway's, of the kind the branch makes.

        A branch of full releases that took a candidate's commit in has its own release to make.
        """
        version = version_of(tag.name, self.release.tag_format)
        is_candidate = version is not None and not version.is_stable
        if is_candidate and not self._makes_candidates():
            return False
        return self._is_ours(tag)

    def _makes_candidates(self) -> bool:
        """Tell whether the branch makes pre-releases: elsewhere one is no release of its commit."""
        document = read_project_file(self.folder)
        own_table = inner_table(document, "tool", "semantic_release")
        return semantic_release.makes_candidates(own_table, self.branch)

    def _is_ours(self, tag: GitTag) -> bool:
        """Tell whether a tag names the release commit that shipway made for it."""
        if not tag.parent:
            return False
        commit_question = git_clone.ask_commit(self.folder, tag.commit)
        commit = self.executor(commit_question)
        time_question = git.commit_time(self.folder, tag.parent)
        parent_time = self.executor(time_question)
        epoch, _ = git.read_dated_commit(parent_time)
        return git_clone.is_release_commit(
            commit,
            tag.name,
            tag.parent,
            epoch,
        )

    def _is_on_branch(self, commit: str) -> bool:
        """Tell whether the branch in the remote contains a commit."""
        if not self.head:
            return False
        question = git.is_ancestor(self.folder, commit, self.head)
        answer = self.executor(question)
        return answer.code == 0


def read_tags(folder: Path, executor: Executor) -> tuple[GitTag, ...]:
    """Give the tags of the remote, and those that were made in the clone ``folder``."""
    question = git_tags.list_tags(folder)
    answer = executor(question)
    nested = git_tags.read_nested(answer)
    listed = git_tags.read_git_tags(answer)
    tags: list[GitTag] = []
    for tag in listed:
        if tag.name in nested:
            question = git_tags.ask_tagged_commit(folder, tag)
            answer = executor(question)
            tag = git_tags.read_tagged_commit(answer, tag)
        tags.append(tag)
    return tuple(tags)
