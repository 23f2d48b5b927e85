"""Answers to the questions that a stage asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import cast

from shipway.model.actions import Action, Ask, Reply
from shipway.model.target import Target
from shipway.model.world import World

NO_BUNDLES: Mapping[str, tuple[str, ...]] = {}


class Script:
    """Gives answers that were written before, round by round; keeps what was asked."""

    def __init__(self, *rounds: tuple[object, ...]) -> None:
        self._rounds = list(rounds)
        self.questions: list[Action[object]] = []

    def __call__(self, question: Action[Reply], /) -> Reply:
        (answer,) = self.each([question])
        return answer

    def each(self, questions: Iterable[Action[Reply]], /) -> tuple[Reply, ...]:
        """Answer a round; a round without questions takes no answers."""
        actions = tuple(questions)
        self.questions += actions
        if not actions:
            return ()
        assert self._rounds, f"the conversation goes on: {actions}"
        answers = self._rounds.pop(0)
        assert len(answers) == len(actions), f"{actions} got {len(answers)} answers"
        return cast(tuple[Reply, ...], answers)

    @property
    def is_over(self) -> bool:
        """Whether every round was asked for."""
        return not self._rounds


def talk(
    observe: Callable[[Target, World, Ask], World],
    target: Target,
    world: World,
    *rounds: tuple[object, ...],
) -> World:
    """Answer the questions of ``observe`` round by round; gives the world that it ends with."""
    script = Script(*rounds)
    world = observe(target, world, script)
    assert script.is_over, "the conversation ended early"
    return world
