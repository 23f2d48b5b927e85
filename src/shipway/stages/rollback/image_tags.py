"""Moves the image tags of a withdrawn release back; ``stages/promote`` moves them forward."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from shipway.errors import ContextError
from shipway.image.index import Index
from shipway.model.actions import Ask, Command, PlannedAction
from shipway.model.stage import Finding, Stage, State
from shipway.model.target import Target
from shipway.model.version import Version
from shipway.model.world import World
from shipway.target.tags import version_tag
from shipway.tools import cosign
from shipway.tools.cosign import Claim
from shipway.tools.imagetools import create_index, inspect_reference, read_index


@dataclass(frozen=True, slots=True)
class MoveTagsBack:
    """Moves the image tags that people follow back to a digest that is signed.

    ``goals`` is the version to go back to, by image tag; ``kept`` are the tags without one.
    """

    goals: Mapping[str, Version]
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
        if self.goals:
            return None
        return "no tag that people follow is at it"

    @property
    def _sources(self) -> dict[str, str]:
        """Give the tag of the version that each tag goes back to."""
        sources: dict[str, str] = {}
        for tag, version in self.goals.items():
            sources[tag] = version_tag(version)
        return sources

    def _observe(self, target: Target, world: World, ask: Ask) -> World:
        indexes = self._find_indexes(target, ask)
        for source in self._sources.values():
            if source not in indexes:
                raise ContextError(
                    f"the image of {source} is not in the registry, "
                    "so there is nothing to go back to",
                    hint="release a new version: `invoke release`",
                )
        tags: dict[str, str] = {}
        for tag, index in indexes.items():
            tags[tag] = index.digest
        signed = _find_signed(target, tags.values(), ask)
        return replace(world, tags=tags, signed=signed)

    def _find_indexes(self, target: Target, ask: Ask) -> dict[str, Index]:
        """Give the images that are there, by tag: under the tags, and under those to go back to."""
        sources = self._sources
        tags = dict.fromkeys([*sources, *sources.values()])
        references = [f"{target.image}:{tag}" for tag in tags]
        questions = [inspect_reference(reference) for reference in references]
        answers = ask.each(questions)
        indexes: dict[str, Index] = {}
        rows = zip(tags, references, answers, strict=True)
        for tag, reference, answer in rows:
            index = read_index(answer, reference)
            if index is not None:
                indexes[tag] = index
        return indexes

    def _judge(self, _target: Target, world: World) -> Finding:
        unsigned: list[str] = []
        sources = set(self._sources.values())
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
        return Finding(State.SAME, self._describe_tags())

    def _describe_tags(self) -> str:
        moved: list[str] = []
        for tag, source in self._sources.items():
            moved.append(f"{tag} is {source}")
        parts = [", ".join(moved)]
        for tag in self.kept:
            parts.append(f"{tag} stays: nothing before it")
        return "; ".join(parts)

    def _tags_behind(self, world: World) -> list[str]:
        """Give the tags that have another digest than the version that they go back to."""
        behind: list[str] = []
        for tag, source in self._sources.items():
            digest = world.tags.get(source)
            if digest is None:
                continue
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
        source = self._sources[tag]
        digest = world.tags[source]
        return create_index(
            "promote",
            f"move {tag} back to {source}",
            [f"{target.image}:{tag}"],
            [f"{target.image}@{digest}"],
        )

    def _simulate(self, _target: Target, world: World) -> World:
        tags = dict(world.tags)
        for tag, source in self._sources.items():
            tags[tag] = world.tags[source]
        return replace(world, tags=tags)


def _find_signed(target: Target, digests: Iterable[str], ask: Ask) -> frozenset[str]:
    """Ask cosign which of the digests of the target's image carry its signer's signature."""
    questions: dict[Claim, Command] = {}
    for digest in sorted(set(digests)):
        command = cosign.verify_signature(
            target.image,
            target.signer,
            digest,
        )
        questions[digest, cosign.SIGNATURE] = command
    answers = cosign.ask_for_claims(target.image, questions, ask)
    signed: set[str] = set()
    for (digest, _), answer in answers.items():
        if cosign.is_signed(answer, digest):
            signed.add(digest)
    return frozenset(signed)
