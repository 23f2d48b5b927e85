"""`rollback`: what people follow goes back to the release before, and nothing is deleted. Pure.

The tag `withdrawn/v1.2.3` in the origin is the record: from then on no release takes that version for the highest one.
The other steps follow it, each looked at before it is done, like the stages of a release.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from shipway.errors import ContextError
from shipway.model.actions import Action, Command, Effect, Json, Request
from shipway.model.release import GitTag
from shipway.model.stage import Asking, Finding, Stage, State
from shipway.model.target import Target
from shipway.model.world import World
from shipway.stages import document
from shipway.stages.publish import list_releases
from shipway.target.plan import docs_version
from shipway.target.releases import WITHDRAWN, find_good, version_of
from shipway.target.tags import LATEST, plan_moving
from shipway.tools import cosign, imagetools
from shipway.tools.git import TOKENS, list_command, read_refs
from shipway.tools.imagetools import PASSING

MARK = " (withdrawn)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """``goals``: image tag → the version that it goes back to; ``kept`` are the tags for which there is none."""

    tag: str
    goals: Mapping[str, str]
    kept: tuple[str, ...] = ()

    @property
    def steps(self) -> tuple[Stage, ...]:
        """In the order in which they are taken."""
        return (Withdraw(self), Image(self), Releases(self), Docs(self))


def plan_rollback(name: str, tags: Sequence[GitTag], tag_format: str, *, rolling: bool) -> Rollback:
    """What goes where when the release with the git tag ``name`` is withdrawn.

    Raises ``ContextError`` where there is no such release, or none to go back to.
    """
    version = version_of(name, tag_format)
    if not version or name not in {tag.name for tag in tags}:
        raise ContextError(
            f"{name!r} is no release of this project",
            hint=f"the remote's tags of releases look like {tag_format.replace('{version}', '1.2.3')}",
        )
    good = [one for one in find_good(tags, tag_format) if one != version]
    moved = plan_moving(version, good, rolling=rolling)
    holders = {tag: one for one in good for tag in plan_moving(one, good, rolling=rolling)}
    if LATEST in moved and LATEST not in holders:
        raise ContextError(
            f"there is no release before {name} that was not withdrawn",
            hint="release a new version: `invoke release`",
        )
    return Rollback(
        tag=name,
        goals={tag: holders[tag] for tag in moved if tag in holders},
        kept=tuple(tag for tag in moved if tag not in holders),
    )


@dataclass(frozen=True, slots=True)
class _Step:
    plan_of: Rollback

    def skip_reason(self, _target: Target) -> str:
        """Every rollback takes it."""
        return ""

    @property
    def latest(self) -> str:
        """The version that becomes the latest one, empty when that does not change."""
        return self.plan_of.goals.get(LATEST, "")


class Withdraw(_Step):
    """The record in the origin."""

    NAME = "withdraw"

    def _ref(self) -> str:
        return f"refs/tags/{WITHDRAWN}{self.plan_of.tag}"

    def observe(self, target: Target, world: World) -> Asking:
        """Ask the origin for it."""
        (answer,) = yield (list_command(target, self._ref()),)
        return replace(world, git_tag=read_refs(answer).get(self._ref(), ""))

    def judge(self, _target: Target, world: World) -> Finding:
        """There or not; where it points says nothing."""
        name = self._ref().removeprefix("refs/tags/")
        return (
            Finding(State.SAME, f"{name} is in the origin")
            if world.git_tag
            else Finding(State.ABSENT, f"{name} is not in the origin")
        )

    def plan(self, target: Target, _world: World) -> tuple[Action, ...]:
        """Push it, at the release's commit."""
        return (
            Command(
                name=self.NAME,
                why=f"withdraw {self.plan_of.tag}",
                folder=target.folder,
                secrets=TOKENS,
                argv=("git", "push", target.remote, f"{target.commit}:{self._ref()}"),
                again=PASSING,
                effect=Effect.PUBLISH,
            ),
        )

    def simulate(self, target: Target, world: World) -> World:
        """It is there."""
        return replace(world, git_tag=target.commit)


class Image(_Step):
    """The tags that people follow, back to a digest that is signed."""

    NAME = "promote"

    def skip_reason(self, _target: Target) -> str:
        """Where the withdrawn version is not the highest of any line, no tag is at it."""
        return "" if self.plan_of.goals else "no tag that people follow is at it"

    def observe(self, target: Target, world: World) -> Asking:
        """Ask for the tags and for the versions that they go back to, and whether those are signed."""
        names = (*self.plan_of.goals, *(f"v{one}" for one in self.plan_of.goals.values()))
        references = tuple(f"{target.image}:{name}" for name in names)
        answers = yield tuple(imagetools.inspect(reference) for reference in references)
        found = {
            name: index
            for name, answer, reference in zip(names, answers, references, strict=True)
            if (index := imagetools.read_index(answer, reference))
        }
        for version in self.plan_of.goals.values():
            if f"v{version}" not in found:
                raise ContextError(
                    f"the image of v{version} is not in the registry, so there is nothing to go back to",
                    hint="release a new version: `invoke release`",
                )
        digests = sorted({index.digest for index in found.values()})
        told = yield from cosign.ask(
            target,
            {
                (digest, cosign.SIGNATURE): cosign.verify_command(target, digest)
                for digest in digests
            },
        )
        return replace(
            world,
            tags={name: index.digest for name, index in found.items()},
            signed=frozenset(
                digest for (digest, _), answer in told.items() if cosign.read_signed(answer, digest)
            ),
        )

    def judge(self, _target: Target, world: World) -> Finding:
        """A release that is not signed is not gone back to."""
        goals = self.plan_of.goals
        bad = sorted({one for one in goals.values() if world.tags[f"v{one}"] not in world.signed})
        if bad:
            return Finding(
                State.FAULT, f"v{', v'.join(bad)} is not signed by the expected identity"
            )
        behind = self._behind(world)
        kept = "".join(f"; {tag} stays: nothing before it" for tag in self.plan_of.kept)
        return (
            Finding(State.ABSENT, f"{', '.join(behind)} not moved back yet")
            if behind
            else Finding(
                State.SAME, ", ".join(f"{tag} is v{one}" for tag, one in goals.items()) + kept
            )
        )

    def _behind(self, world: World) -> list[str]:
        return [
            tag
            for tag, one in self.plan_of.goals.items()
            if f"v{one}" in world.tags and world.tags.get(tag) != world.tags[f"v{one}"]
        ]

    def plan(self, target: Target, world: World) -> tuple[Action, ...]:
        """One copy of an index for each tag, unchanged, so that its signature still holds."""
        return tuple(
            Command(
                name=self.NAME,
                why=f"move {tag} back to v{self.plan_of.goals[tag]}",
                effect=Effect.PUBLISH,
                again=PASSING,
                argv=(
                    "docker",
                    "buildx",
                    "imagetools",
                    "create",
                    "--tag",
                    f"{target.image}:{tag}",
                    f"{target.image}@{world.tags[f'v{self.plan_of.goals[tag]}']}",
                ),
            )
            for tag in self._behind(world)
        )

    def simulate(self, _target: Target, world: World) -> World:
        """Every tag is back."""
        return replace(
            world,
            tags={
                **world.tags,
                **{tag: world.tags[f"v{one}"] for tag, one in self.plan_of.goals.items()},
            },
        )


class Releases(_Step):
    """The release page says so, and the one before is the latest one."""

    NAME = "publish"

    def skip_reason(self, target: Target) -> str:
        """Only where there are release pages."""
        return "" if target.repository else "the project has no repository on GitHub"

    def observe(self, target: Target, world: World) -> Asking:
        """Read both releases; the withdrawn one is changed last, and so tells whether all is done."""
        found = yield from list_releases(
            target, self.plan_of.tag, *filter(None, (self._before(target),))
        )
        pages = {str(one["tag_name"]): one for one in found if not one.get("draft")}
        return replace(
            world,
            pages={
                name: pages[name]
                for name in (self.plan_of.tag, self._before(target))
                if name in pages
            },
        )

    def _before(self, target: Target) -> str:
        return target.tag.replace(target.version, self.latest) if self.latest else ""

    def judge(self, _target: Target, world: World) -> Finding:
        """A release that never got a page needs no mark."""
        page = world.pages.get(self.plan_of.tag)
        if page is None:
            return Finding(State.SAME, f"{self.plan_of.tag} has no page")
        marked = str(page.get("name") or "").endswith(MARK)
        return (
            Finding(State.SAME, f"{self.plan_of.tag} is marked as withdrawn")
            if marked
            else Finding(State.ABSENT, f"{self.plan_of.tag} is not marked as withdrawn")
        )

    def plan(self, target: Target, world: World) -> tuple[Action, ...]:
        """The one before takes its place first."""
        page, before = world.pages.get(self.plan_of.tag), world.pages.get(self._before(target))
        if page is None:
            return ()
        instead = f" Use {self._before(target)}." if self.latest else ""
        text = f"> [!WARNING]\n> This release was withdrawn.{instead}\n\n{page.get('body') or ''}"
        steps = (
            [(before, "is the latest release", cast(dict[str, Json], {"make_latest": "true"}))]
            if before
            else []
        )
        steps.append(
            (
                page,
                "is marked as withdrawn",
                {
                    "name": f"{page.get('name') or self.plan_of.tag}{MARK}",
                    "body": text,
                    "make_latest": "false",
                },
            )
        )
        return tuple(
            Request(
                name=self.NAME,
                why=f"{one['tag_name']} {why}",
                method="PATCH",
                body=body,
                path=f"/repos/{target.repository}/releases/{one['id']}",
                effect=Effect.PUBLISH,
            )
            for one, why, body in steps
        )

    def simulate(self, _target: Target, world: World) -> World:
        """Marked."""
        page = world.pages[self.plan_of.tag]
        return replace(world, pages={**world.pages, self.plan_of.tag: {**page, "name": MARK}})


class Docs(_Step):
    """The alias `latest` of the docs."""

    NAME = "document"

    def skip_reason(self, target: Target) -> str:
        """Patches share a docs version, which cannot be taken back without building it again."""
        if not target.docs or not self.latest:
            return document.skip_reason(target) or "the latest docs are not of this version"
        return (
            ""
            if self._version() != target.docs
            else f"{self.latest} shares the docs {target.docs} with it"
        )

    def _version(self) -> str:
        return docs_version(self.latest)

    def observe(self, target: Target, world: World) -> Asking:
        """Read mike's list."""
        return (yield from document.observe(target, world))

    def judge(self, _target: Target, world: World) -> Finding:
        """Docs that never were published cannot be gone back to."""
        if self._version() not in world.docs:
            return Finding(State.SAME, f"there are no docs of {self._version()} to go back to")
        there = document.LATEST in world.docs[self._version()][1]
        return Finding(
            State.SAME if there else State.ABSENT,
            f"{document.LATEST} {'points' if there else 'does not point'} at {self._version()}",
        )

    def plan(self, target: Target, _world: World) -> tuple[Action, ...]:
        """Move the alias."""
        return (document.alias_command(target, self._version()),)

    def simulate(self, _target: Target, world: World) -> World:
        """Moved."""
        return replace(world, docs={**world.docs, self._version(): ("", (document.LATEST,))})
