"""The builder of the settings is made where it is missing; of any other it matters what it can do."""

from __future__ import annotations

from dataclasses import replace

from shipway.model.actions import Ask, Command
from shipway.model.target import Target
from shipway.model.world import Builder, World
from shipway.stages.build.commands import NAME
from shipway.tools.buildx import create_builder, inspect_builder, read_builder


def observe_builder(target: Target, world: World, ask: Ask) -> World:
    """Ask what the builder is; one that is not there, or not with all its nodes, has no entry."""
    name = target.build.builder
    answer = ask(inspect_builder(NAME, name))
    builder = read_builder(answer, target.settings.builder)
    if builder is None:
        return replace(world, builders={})
    return replace(world, builders={name: builder})


def lacks_builder(target: Target, world: World) -> bool:
    """Tell whether the builder of the settings has to be made, or to get the rest of its nodes."""
    name = target.build.builder
    return name != "" and name not in world.builders


def plan_builder(target: Target) -> tuple[Command, ...]:
    """Plan the builder of the settings, one command a node."""
    creation = create_builder(NAME, target.build.builder, target.settings.builder)
    return tuple(creation)


def imagine_builder(target: Target, world: World) -> World:
    """Imagine the builder of the settings, with all its nodes."""
    name = target.build.builder
    settings = target.settings.builder
    builder = Builder(
        name=name,
        driver=settings.driver,
        platforms=target.platforms,
        endpoints=tuple(settings.nodes.values()),
    )
    return replace(world, builders={name: builder})


def is_built_apart(target: Target, world: World) -> bool:
    """Tell whether each platform is built apart, since the builder has several nodes."""
    if len(target.platforms) < 2:
        return False
    builder = world.builders.get(target.build.builder)
    return builder is not None and len(builder.endpoints) > 1
