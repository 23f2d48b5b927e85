"""Moves the image tags of a withdrawn release back; ``stages/promote`` moves them forward."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shipway.errors import ContextError, VerificationFailed
from shipway.model.actions import Ask, Command, FindBroken, PlannedAction
from shipway.model.stage import Finding, Stage, State
from shipway.model.target import Target
from shipway.model.world import World
from shipway.stages import sign
from shipway.tools.imagetools import PUT_BACK, create_index, find_indexes


@dataclass(frozen=True, slots=True)
class MoveTagsBack:
    """Moves the image tags that people follow back to a digest that is signed.

    ``sources`` is the version's tag to go back to, by image tag; ``kept`` are the tags without one.
    """

    sources: Mapping[str, str]
    kept: tuple[str, ...]

    @property
    def stage(self) -> Stage:
        """Give the step to the loop that runs stages."""
        return Stage(
            name="promote",
            skip_reason=self._skip_reason,
            observe=self._observe,
            judge=self._judge,
            plan=self._plan,
            simulate=self._simulate,
        )

    def _skip_reason(self, _target: Target) -> str | None:
        # Where the withdrawn version is not the highest of any line, no tag is at it.
        if self.sources:
            return None
        return "no tag that people follow is at it"

    def _observe(self, target: Target, world: World, ask: Ask) -> World:
        tags = self._find_digests(target, ask)
        goals = sorted(set(self.sources.values()))
        for source in goals:
            if source not in tags:
                raise ContextError(
                    f"the image of {source} is not in the registry, "
                    "so there is nothing to go back to",
                    hint="release a new version: `shipway release`",
                )
            _require_whole(target, source, tags[source], ask)
        world = replace(world, tags=tags)
        digests = dict.fromkeys(tags[source] for source in goals)
        return sign.observe_signatures(
            target.image,
            target.signer,
            digests,
            world,
            ask,
        )

    def _find_digests(self, target: Target, ask: Ask) -> dict[str, str]:
        """Give the digests that are there, by tag: of the tags, and of those to go back to."""
        goals = self.sources.values()
        tags = list(dict.fromkeys([*self.sources, *goals]))
        references = [f"{target.image}:{tag}" for tag in tags]
        indexes = find_indexes(references, ask)
        digests: dict[str, str] = {}
        for tag, index in zip(tags, indexes, strict=True):
            if index is None:
                continue
            if index.gone and tag in goals:
                gone = index.describe_gone()
                raise _refuse(tag, f"the registry no longer has parts of {index.digest}: {gone}")
            digests[tag] = index.digest
        return digests

    def _judge(self, _target: Target, world: World) -> Finding:
        unsigned: list[str] = []
        sources = set(self.sources.values())
        for source in sorted(sources):
            if world.tags[source] not in world.signed:
                unsigned.append(source)
        if unsigned:
            names = ", ".join(unsigned)
            return Finding(
                State.FAULT,
                f"{names} is not signed by the expected identity",
            )
        behind = self._tags_behind(world)
        if behind:
            tags = ", ".join(behind)
            return Finding(
                State.ABSENT,
                f"{tags} not moved back yet",
            )
        evidence = self._describe_tags()
        return Finding(State.SAME, evidence)

    def _describe_tags(self) -> str:
        moved: list[str] = []
        for tag, source in self.sources.items():
            moved.append(f"{tag} is {source}")
        moves = ", ".join(moved)
        parts = [moves]
        for tag in self.kept:
            parts.append(f"{tag} stays: nothing before it")
        return "; ".join(parts)

    def _tags_behind(self, world: World) -> list[str]:
        """Give the tags that have another digest than the version that they go back to."""
        behind: list[str] = []
        for tag, source in self.sources.items():
            digest = world.tags[source]
            if world.tags.get(tag) != digest:
                behind.append(tag)
        return behind

    def _plan(self, target: Target, world: World) -> tuple[PlannedAction, ...]:
        commands: list[Command] = []
        for tag in self._tags_behind(world):
            command = self._move(target, world, tag)
            commands.append(command)
        return tuple(commands)

    def _move(self, target: Target, world: World, tag: str) -> Command:
        source = self.sources[tag]
        digest = world.tags[source]
        return create_index(
            "promote",
            f"move {tag} back to {source}",
            [f"{target.image}:{tag}"],
            [f"{target.image}@{digest}"],
        )

    def _simulate(self, _target: Target, world: World) -> World:
        tags = dict(world.tags)
        for tag, source in self.sources.items():
            tags[tag] = world.tags[source]
        return replace(world, tags=tags)


def _require_whole(target: Target, tag: str, digest: str, ask: Ask) -> None:
    """Refuse to go back to an image that nobody can pull: tags that work now would lead to it."""
    question = FindBroken(
        name="promote",
        why=f"look whether {tag} is whole",
        image=target.image,
        digest=digest,
    )
    broken = ask(question)
    if broken:
        parts = "; ".join(part.describe() for part in broken)
        raise _refuse(tag, parts)


def _refuse(tag: str, reason: str) -> VerificationFailed:
    return VerificationFailed(
        f"promote: there is no going back to {tag}: {reason}",
        hint=PUT_BACK,
    )
