"""rollback: lets what people follow go back to the release before; nothing is deleted.

The tag `withdrawn/v1.2.3` in the origin is the record: from then on no release takes that version
for the highest one. The other steps follow it, each looked at before it is done, like the stages of
a release.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shipway.errors import ContextError
from shipway.model.release import LATEST, GitTag
from shipway.model.stage import Stage
from shipway.model.version import PLUS, Version
from shipway.stages.rollback.image_tags import MoveTagsBack
from shipway.stages.rollback.withdrawal import MarkRelease, MoveDocsBack, WithdrawTag
from shipway.target.releases import usable_versions, version_of
from shipway.target.tags import find_holders, plan_moving


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """Holds the release to withdraw, and what its image tags go back to.

    ``goals`` is the version by image tag; ``kept`` are the tags for which there is no version to go
    back to.
    """

    tag: str
    goals: Mapping[str, Version]
    kept: tuple[str, ...] = ()
    plus: str = PLUS
    """Stands in image tags for the ``+`` of a version."""

    @property
    def latest(self) -> Version | None:
        """Give the version that becomes the latest one, ``None`` when that does not change."""
        return self.goals.get(LATEST)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Give the steps, in the order in which they are taken."""
        sources: dict[str, str] = {}
        for tag, version in self.goals.items():
            sources[tag] = version.image_tag(self.plus)
        steps = (
            WithdrawTag(self.tag),
            MoveTagsBack(sources, self.kept),
            MarkRelease(self.tag, self.latest),
            MoveDocsBack(self.latest),
        )
        return tuple(step.stage for step in steps)


def plan_rollback(
    name: str, tags: Sequence[GitTag], tag_format: str, *, rolling: bool, plus: str = PLUS
) -> Rollback:
    """Plan what goes where when the release with the git tag ``name`` is withdrawn.

    Raises ``ContextError`` where there is no such release, or none to go back to.
    """
    version = version_of(name, tag_format)
    exists = any(tag.name == name for tag in tags)
    if version is None or not exists:
        example = tag_format.replace("{version}", "1.2.3")
        raise ContextError(
            f"{name!r} is no release of this project",
            hint=f"the remote's tags of releases look like {example}",
        )
    usable = usable_versions(tags, tag_format)
    rest = [other for other in usable if other != version]
    holders = find_holders(rest, rolling=rolling)
    moved = plan_moving(version, rest, rolling=rolling)
    if LATEST in moved and LATEST not in holders:
        raise ContextError(
            f"there is no release before {name} that was not withdrawn",
            hint="release a new version: `shipway release`",
        )
    goals: dict[str, Version] = {}
    kept: list[str] = []
    for tag in moved:
        if tag in holders:
            goals[tag] = holders[tag]
        else:
            kept.append(tag)
    return Rollback(
        tag=name,
        goals=goals,
        kept=tuple(kept),
        plus=plus,
    )
