"""The stage `build` on a builder of several nodes: each platform apart, then the merge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from shipway.image.labels import REVISION
from shipway.model.actions import Answer, Command
from shipway.model.stage import Stage, State
from shipway.model.target import Building, Cache, Target
from shipway.model.world import Builder, World
from shipway.run.preview import preview
from shipway.run.reconcile import reconcile
from shipway.run.result import Outcome
from shipway.settings import BuilderSettings
from shipway.stages import build, inspect
from shipway.target.builders import builder_name
from tests.support.model_remotes import Died, ModelRemotes
from tests.support.targets import change_settings

NODES = {"linux/amd64": "tcp://amd:1", "linux/arm64": "tcp://arm:1"}
STAGES: tuple[Stage, ...] = (build.STAGE, inspect.STAGE)
SIDE_BY_SIDE = (
    "build linux/amd64 and push them under sha-ccccccc-linux-amd64",
    "build linux/arm64 and push them under sha-ccccccc-linux-arm64",
)
MERGE = "merge 2 images under sha-ccccccc"


def on_nodes(target: Target, driver: str = "remote") -> Target:
    """Give the target with a builder of one node for each platform."""
    changed = change_settings(target, "builder", driver=driver, nodes=NODES)
    name = builder_name(changed.settings.builder)
    return replace(changed, build=replace(changed.build, builder=name))


class Watched(ModelRemotes):
    """Remotes that keep what was done, by its reasons."""

    def __init__(self, **fields: object) -> None:
        super().__init__(**fields)  # type: ignore[arg-type]
        self.done: list[str] = []

    def run(self, command: Command) -> Answer:
        """Carry a command out."""
        answer = super().run(command)
        if command.effect != "read":
            self.done.append(command.why)
        return answer


def run(remotes: ModelRemotes, target: Target) -> list[str]:
    """Build and inspect; gives what came of it."""
    return [outcome.outcome for outcome in run_stages(remotes, target)]


def run_stages(remotes: ModelRemotes, target: Target) -> list[Outcome]:
    """Build and inspect; gives the outcome of each stage."""
    outcomes: list[Outcome] = []
    reconcile(STAGES, target, remotes.executor, record=outcomes.append)
    return outcomes


def test_what_came_from_the_cache_is_said_of_each_platform(target: Target) -> None:
    built, _ = run_stages(ModelRemotes(), on_nodes(target))
    assert "; linux/amd64: no steps were run; linux/arm64: no steps were run" in built.reason


@pytest.mark.parametrize("driver", ["remote", "docker-container", "kubernetes"])
def test_both_platforms_are_in_one_annotated_index(target: Target, driver: str) -> None:
    remotes = Watched()
    nodes = on_nodes(target, driver)
    assert run(remotes, nodes) == ["done", "done"]
    creation = f"make the builder {nodes.build.builder}"
    assert remotes.done == [creation, creation, *SIDE_BY_SIDE, MERGE]
    index = remotes.manifests[remotes.tags[target.staging]]
    assert index["annotations"] == dict(target.labels)
    single = ModelRemotes()
    run(single, target)
    whole = single.manifests[single.tags[target.staging]]
    assert whole["annotations"] == index["annotations"]
    assert run(remotes, nodes) == ["skipped", "skipped"] and remotes.builds == 2


@pytest.mark.parametrize("lost", [True, False], ids=["before the change", "after the change"])
@pytest.mark.parametrize("point", [0, 1, 2])
def test_a_run_that_was_killed_goes_on(target: Target, point: int, lost: bool) -> None:
    nodes = on_nodes(target)
    remotes = Watched(die_at=point, lost=lost)
    with pytest.raises(Died):
        run(remotes, nodes)
    remotes.die_at = -1
    assert run(remotes, nodes)[0] == ("skipped" if point == 2 and not lost else "done")
    assert remotes.builds == 2 and set(remotes.tags) == {
        target.staging,
        f"{target.staging}-linux-amd64",
        f"{target.staging}-linux-arm64",
    }


def test_a_builder_that_was_left_without_its_last_node_gets_it(target: Target) -> None:
    nodes = on_nodes(target)
    name = nodes.build.builder
    remotes = Watched(builders={name: {f"{name}0": "linux/amd64"}})
    run(remotes, nodes)
    assert list(remotes.builders[name]) == [f"{name}0", f"{name}1"]
    assert remotes.done[-1] == MERGE


def test_the_builder_in_use_may_have_several_nodes_too(target: Target) -> None:
    remotes = Watched(builders={"": {"one": "linux/amd64", "other": "linux/arm64"}})
    run(remotes, target)
    assert remotes.done == [*SIDE_BY_SIDE, MERGE]


def test_an_image_of_one_platform_needs_no_merge(target: Target) -> None:
    single = replace(target, platforms=("linux/arm64",))
    nodes = on_nodes(single)
    remotes = Watched()
    run(remotes, nodes)
    assert remotes.done[2:] == ["build linux/arm64 and push them under sha-ccccccc"]


def test_a_node_for_both_platforms_builds_them_in_one_go(target: Target) -> None:
    one = change_settings(target, "builder", driver="remote", nodes={"linux/amd64": "tcp://a:1"})
    named = replace(one, build=replace(one.build, builder="ours"))
    remotes = Watched()
    run(remotes, named)
    assert remotes.done[1:] == ["build linux/amd64, linux/arm64 and push them under sha-ccccccc"]


def change_version(target: Target) -> Target:
    """Another version of the same commit, as a release without a commit of its own is."""
    labels = {**target.labels, "org.opencontainers.image.version": "9.9.9"}
    return replace(target, labels=labels)


def change_commit(target: Target) -> Target:
    """Another commit whose hash begins alike."""
    return replace(target, labels={**target.labels, REVISION: "d" * 40})


@pytest.mark.parametrize("change", [change_version, change_commit])
def test_what_was_left_of_another_image_is_built_over(
    target: Target, change: Callable[[Target], Target]
) -> None:
    nodes = on_nodes(target)
    remotes = ModelRemotes(die_at=1)
    with pytest.raises(Died):
        run(remotes, change(nodes))
    remotes.die_at = -1
    run(remotes, nodes)
    assert remotes.builds == 3


def test_a_part_whose_manifests_are_gone_is_built_again(target: Target) -> None:
    nodes = on_nodes(target)
    remotes = ModelRemotes(die_at=2)
    with pytest.raises(Died):
        run(remotes, nodes)
    remotes.die_at = -1
    remotes.gone.add(next(iter(remotes.parts)))
    run(remotes, nodes)
    assert remotes.builds == 3


def test_each_platform_has_a_cache_of_its_own(target: Target) -> None:
    caches = {
        platform: Cache(reads=(f"type=local,src={platform}",)) for platform in target.platforms
    }
    nodes = replace(target, build=Building(caches=caches))
    world = World(builders={"": Builder(endpoints=("one", "other"))})
    for platform, command in zip(target.platforms, build.plan(nodes, world), strict=True):
        assert isinstance(command, Command) and command.side_by_side
        assert command.label == platform
        assert f"--cache-from=type=local,src={platform}" in command.argv
        assert f"--platform={platform}" in command.argv


@pytest.mark.parametrize("nodes", [{}, NODES])
@pytest.mark.parametrize("driver", ["default", "docker-container", "remote", "kubernetes"])
@pytest.mark.parametrize("strategy", ["cross", "emulated"])
def test_every_dry_run_ends_in_what_the_run_does(
    target: Target, driver: str, nodes: dict[str, str], strategy: str
) -> None:
    changed = change_settings(target, "builder", driver=driver, nodes=nodes)
    changed = change_settings(changed, "build", strategy=strategy)
    name = builder_name(changed.settings.builder)
    changed = replace(changed, build=replace(changed.build, builder=name))
    engine = {"default": "linux/amd64, linux/arm64"}
    foreseen = Watched(builders={"": engine})
    rows = preview(STAGES, changed, foreseen.executor)
    assert rows[0].finding.state is State.ABSENT and not foreseen.done
    remotes = Watched(builders={"": engine})
    run(remotes, changed)
    assert [action.why for action in rows[0].actions] == remotes.done
    assert isinstance(changed.settings.builder, BuilderSettings)
