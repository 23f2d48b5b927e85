"""Tells people that a release is withdrawn, by a git tag, on its page and in the docs.

Each class makes one stage of ``stages/rollback``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shipway.model.actions import Ask, Json, PlannedAction, Request
from shipway.model.release import LATEST
from shipway.model.stage import Finding, Stage, State
from shipway.model.target import Target
from shipway.model.version import Version
from shipway.model.world import DocsVersion, Page, World
from shipway.stages import document
from shipway.target.plan import plan_docs_version
from shipway.target.release_page import LONGEST_BODY
from shipway.target.releases import WITHDRAWN, tag_name
from shipway.tools import github, mike
from shipway.tools.git import list_refs, push, read_refs

MARK = " (withdrawn)"
"""Stands behind the name of a withdrawn release on its page."""


@dataclass(frozen=True, slots=True)
class WithdrawTag:
    """Records in the origin that the release ``tag`` is withdrawn: by a git tag at its commit."""

    tag: str

    @property
    def stage(self) -> Stage:
        """Give the step to the loop that runs stages."""
        return Stage(
            name="withdraw",
            observe=self._observe,
            judge=self._judge,
            plan=self._plan,
            simulate=lambda target, world: replace(world, withdrawal=target.commit),
        )

    @property
    def _record(self) -> str:
        return f"{WITHDRAWN}{self.tag}"

    def _observe(self, target: Target, world: World, ask: Ask) -> World:
        ref = f"refs/tags/{self._record}"
        question = list_refs(target.folder, target.remote, ref)
        answer = ask(question)
        refs = read_refs(answer)
        return replace(world, withdrawal=refs.get(ref, ""))

    def _judge(self, _target: Target, world: World) -> Finding:
        # Where it points says nothing: it is there or not.
        if world.withdrawal:
            return Finding(
                State.SAME,
                f"{self._record} is in the origin",
            )
        return Finding(
            State.ABSENT,
            f"{self._record} is not in the origin",
        )

    def _plan(self, target: Target, _world: World) -> tuple[PlannedAction, ...]:
        command = push(
            "withdraw",
            f"withdraw {self.tag}",
            target.folder,
            target.remote,
            f"{target.commit}:refs/tags/{self._record}",
        )
        return (command,)


@dataclass(frozen=True, slots=True)
class MarkRelease:
    """Lets the page of the release ``tag`` say that it was withdrawn.

    The release of ``latest`` becomes GitHub's latest one; ``None`` when that does not change.
    """

    tag: str
    latest: Version | None

    @property
    def stage(self) -> Stage:
        """Give the step to the loop that runs stages."""
        return Stage(
            name="publish",
            skip_reason=self._skip_reason,
            observe=self._observe,
            judge=self._judge,
            plan=self._plan,
            simulate=self._simulate,
        )

    def _skip_reason(self, target: Target) -> str | None:
        if target.repository:
            return None
        return "the project has no repository on GitHub"

    def _tag_before(self, target: Target) -> str | None:
        if self.latest is None:
            return None
        return tag_name(self.latest, target.settings.release.tag_format)

    def _observe(self, target: Target, world: World, ask: Ask) -> World:
        tags = [self.tag]
        before = self._tag_before(target)
        if before:
            tags.append(before)
        published: dict[str, Page] = {}
        pages = github.list_releases(target.repository, tuple(tags), ask)
        for page in pages:
            name = str(page["tag_name"])
            is_draft = page.get("draft")
            if name in tags and not is_draft:
                published[name] = page
        return replace(world, pages=published)

    def _judge(self, _target: Target, world: World) -> Finding:
        page = world.pages.get(self.tag)
        if page is None:
            # A release that never got a page needs no mark.
            return Finding(
                State.SAME,
                f"{self.tag} has no page",
            )
        name = str(page.get("name") or "")
        if name.endswith(MARK):
            return Finding(
                State.SAME,
                f"{self.tag} is marked as withdrawn",
            )
        return Finding(
            State.ABSENT,
            f"{self.tag} is not marked as withdrawn",
        )

    def _plan(self, target: Target, world: World) -> tuple[PlannedAction, ...]:
        page = world.pages[self.tag]
        before = self._tag_before(target)
        why = f"{page['tag_name']} is marked as withdrawn"
        body = self._marked(page, before)
        mark = _change(target, page, why, body)
        if before is None or before not in world.pages:
            return (mark,)
        why = f"{before} is the latest release"
        lead = _change(
            target,
            world.pages[before],
            why,
            {"make_latest": "true"},
        )
        # The withdrawn release is changed last, and so tells whether all is done.
        return (lead, mark)

    def _marked(self, page: Page, before: str | None) -> dict[str, Json]:
        """Give what changes of a page: the mark, and a warning above what it said."""
        warning = "> [!WARNING]\n> This release was withdrawn."
        if before:
            warning += f" Use {before}."
        name = page.get("name") or self.tag
        notes = page.get("body") or ""
        marked: dict[str, Json] = {
            "name": f"{name}{MARK}",
            "make_latest": "false",
        }
        body = f"{warning}\n\n{notes}"
        # Somebody else's page may be as long as GitHub takes: its title has to do then.
        if len(body) <= LONGEST_BODY:
            marked["body"] = body
        return marked

    def _simulate(self, _target: Target, world: World) -> World:
        pages = dict(world.pages)
        pages[self.tag] = {
            **pages[self.tag],
            "name": MARK,
        }
        return replace(world, pages=pages)


def _change(target: Target, page: Page, why: str, body: Mapping[str, Json]) -> Request:
    identity = str(page["id"])
    return github.change_release(
        target.repository,
        identity,
        why,
        body,
    )


@dataclass(frozen=True, slots=True)
class MoveDocsBack:
    """Lets the alias `latest` of the docs point at the docs of the version ``latest``.

    Without that version the latest docs do not change.
    """

    latest: Version | None

    @property
    def stage(self) -> Stage:
        """Give the step to the loop that runs stages."""
        return Stage(
            name="document",
            skip_reason=self._skip_reason,
            observe=document.observe,
            judge=self._judge,
            plan=self._plan,
            simulate=self._simulate,
        )

    @property
    def _docs_version(self) -> str:
        if self.latest is None:
            return ""
        return plan_docs_version(self.latest) or ""

    def _skip_reason(self, target: Target) -> str | None:
        if not target.docs_version or self.latest is None:
            reason = document.skip_reason(target)
            return reason or "the latest docs are not of this version"
        if self._docs_version == target.docs_version:
            # Patches share docs, which cannot be taken back without building them again.
            return f"{self.latest} shares the docs {target.docs_version} with it"
        return None

    def _judge(self, _target: Target, world: World) -> Finding:
        version = self._docs_version
        published = world.docs.get(version)
        if published is None:
            # Docs that never were published cannot be gone back to.
            return Finding(
                State.SAME,
                f"there are no docs of {version} to go back to",
            )
        if LATEST in published.aliases:
            return Finding(
                State.SAME,
                f"{LATEST} points at {version}",
            )
        return Finding(
            State.ABSENT,
            f"{LATEST} does not point at {version}",
        )

    def _plan(self, target: Target, _world: World) -> tuple[PlannedAction, ...]:
        command = mike.move_alias(target, self._docs_version, LATEST)
        return (command,)

    def _simulate(self, _target: Target, world: World) -> World:
        docs = dict(world.docs)
        title = docs[self._docs_version].title
        docs[self._docs_version] = DocsVersion(title, aliases=(LATEST,))
        return replace(world, docs=docs)
