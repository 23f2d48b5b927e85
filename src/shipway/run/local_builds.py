"""A build whose image is not pushed has the same builder as any other, made where it is missing."""

from __future__ import annotations

from shipway.effects.executor import Executor
from shipway.model.actions import Command
from shipway.model.target import Target
from shipway.model.world import World
from shipway.stages.build.builder import (
    imagine_builder,
    is_built_apart,
    lacks_builder,
    observe_builder,
    plan_builder,
)
from shipway.target.parts import plan_parts


def prepare_builder(target: Target, executor: Executor) -> tuple[tuple[Command, ...], World]:
    """Give the commands that make the builder, none where it is there, and the world after them."""
    world = observe_builder(target, World(), executor)
    if lacks_builder(target, world):
        return plan_builder(target), imagine_builder(target, world)
    return (), world


def split_target(target: Target, world: World) -> tuple[Target, ...]:
    """Give the targets that are built in one go each: one, or on several nodes one a platform."""
    if is_built_apart(target, world):
        return plan_parts(target)
    return (target,)
