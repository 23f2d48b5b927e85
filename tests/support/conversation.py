"""Answers to the questions that a stage asks."""

from __future__ import annotations

from shipway.model.actions import Answer
from shipway.model.world import World

NO_BUNDLES = Answer(code=0, out="{}")


def talk(conversation: object, *rounds: tuple[Answer, ...]) -> World:
    """Answer a conversation round by round; gives the world that it ends with."""
    assert hasattr(conversation, "send")
    try:
        next(conversation)  # type: ignore[call-overload]
        for answers in rounds:
            conversation.send(answers)
    except StopIteration as end:
        world: World = end.value
        return world
    raise AssertionError("the conversation goes on")
