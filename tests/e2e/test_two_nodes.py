"""An image of two platforms, built on two BuildKits of this machine: one node for each platform."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipway.effects.registry import connect
from shipway.image.index import Index
from shipway.rehearsal.waiting import wait_until
from tests.support.kept import Kept, status
from tests.support.nodes import Node, stand_up_nodes
from tests.support.toy import DOCKERFILE, Toy

pytestmark = pytest.mark.engine

PLATFORMS = ("linux/amd64", "linux/arm64")
PATIENCE = 120.0


@pytest.fixture(name="nodes", scope="module")
def fixture_nodes(kept: Kept) -> Iterator[tuple[Node, ...]]:
    """The two nodes, for the platforms in their order."""
    answer = kept.run("docker", "info", "--format={{json .RegistryConfig.Mirrors}}")
    mirrors = tuple(json.loads(answer) or ())
    with stand_up_nodes(("amd64", "arm64"), mirrors, kept.environment) as nodes:
        yield nodes


@pytest.fixture(name="farm")
def fixture_farm(toy: Toy, tmp_path: Path) -> Toy:
    """A project whose buildx has no builders but its own."""
    toy.environment["BUILDX_CONFIG"] = str(tmp_path / "buildx")
    return toy


def settings_of(nodes: tuple[Node, ...]) -> str:
    """Write the settings of a builder of one node for each platform."""
    table = {platform: node.address for platform, node in zip(PLATFORMS, nodes, strict=True)}
    lines = [f'"{platform}" = "{address}"' for platform, address in table.items()]
    places = ", ".join(lines)
    return f'[tool.shipway.builder]\ndriver = "remote"\nnodes = {{{places}}}\n'


def slow_down(machine: str) -> str:
    """Write a Dockerfile whose build for a machine is long enough for something to end meanwhile."""
    # Nothing of it is in a node's cache: no other build has this step.
    step = f'RUN : {uuid.uuid4()}; test "$TARGETARCH" != {machine} || sleep 20; mkdir'
    return DOCKERFILE.replace("RUN mkdir", step)


def find(farm: Toy, tag: str) -> str | None:
    """Give the digest behind a tag of the project's image; ``None`` where there is none."""
    host, _, name = farm.image.partition("/")
    address = f"http://{host}/v2/{name}/manifests/{tag}"
    accept = {"Accept": "application/vnd.oci.image.index.v1+json"}
    question = urllib.request.Request(address, headers=accept, method="HEAD")
    try:
        with urllib.request.urlopen(question, timeout=10) as answer:
            digest: str = answer.headers["Docker-Content-Digest"]
            return digest
    except urllib.error.HTTPError as error:
        assert error.code == 404
        return None


def test_a_release_of_both_nodes_goes_through_every_stage(
    kept: Kept, farm: Toy, nodes: tuple[Node, ...]
) -> None:
    head = farm.write(settings=settings_of(nodes))
    built = farm.run("build", "--push")
    assert built["platforms"] == list(PLATFORMS)
    index = status(kept, f"{farm.image}@{built['digest']}")
    assert index.annotations["org.opencontainers.image.revision"] == head
    for task in ("inspect", "sign", "verify", "promote"):
        stages = farm.run(task)["stages"]
        assert stages[-1]["outcome"] in ("done", "skipped"), stages
    again = farm.run("build", "--push")
    assert again["digest"] == built["digest"] and again["stages"][0]["outcome"] == "skipped"
    assert set(farm.run("build", "--check-reproducible")["platforms"]) == set(PLATFORMS)


def test_two_nodes_give_the_images_of_one(kept: Kept, farm: Toy, nodes: tuple[Node, ...]) -> None:
    first, second = nodes
    head = farm.write()
    own = Kept(kept.printed, farm.environment)
    create = ("docker", "buildx", "create", "--driver=remote")
    own.run(*create, "--name=two", "--platform=linux/amd64", first.address)
    own.run(*create, "--name=two", "--append", "--platform=linux/arm64", second.address)
    own.run(*create, "--name=one", first.address)
    indexes: list[Index] = []
    for builder in ("two", "one"):
        farm.environment["BUILDX_BUILDER"] = builder
        built = farm.run("build", "--push")
        assert built["stages"][0]["outcome"] == "done"
        indexes.append(status(kept, f"{farm.image}@{built['digest']}"))
        with connect(farm.image, farm.environment) as registry:
            registry.delete(built["digest"])
    two, one = indexes
    assert [entry.digest for entry in two.images] == [entry.digest for entry in one.images]
    assert two.platforms == one.platforms == PLATFORMS and two.annotations == one.annotations
    assert find(farm, f"sha-{head[:7]}-linux-arm64") is not None


@pytest.mark.parametrize("slow", ["amd64", "arm64"])
def test_a_run_that_was_killed_goes_on(farm: Toy, nodes: tuple[Node, ...], slow: str) -> None:
    head = farm.write(slow_down(slow), settings=settings_of(nodes))
    quick = "arm64" if slow == "amd64" else "amd64"
    tag = f"sha-{head[:7]}-linux-{quick}"
    run = farm.start("build", "--push")
    try:
        assert wait_until(lambda: find(farm, tag) is not None, patience=PATIENCE)
    finally:
        run.kill()
        run.wait()
    before = find(farm, tag)
    assert find(farm, f"sha-{head[:7]}") is None
    built = farm.run("build", "--push")
    assert built["platforms"] == list(PLATFORMS) and find(farm, tag) == before


@pytest.mark.parametrize("place", [0, 1])
def test_a_node_that_was_killed_fails_the_run_and_the_next_one_goes_on(
    farm: Toy, nodes: tuple[Node, ...], place: int
) -> None:
    slow, quick = (PLATFORMS[place], PLATFORMS[1 - place])
    machine = slow.partition("/")[2]
    head = farm.write(slow_down(machine), settings=settings_of(nodes))
    tag = f"sha-{head[:7]}-{quick.replace('/', '-')}"
    run = farm.start("build", "--push")
    node = nodes[place]
    try:
        assert wait_until(lambda: find(farm, tag) is not None, patience=PATIENCE)
        node.end(hard=True)
        assert run.wait(timeout=PATIENCE) == 5
    finally:
        node.start()
    before = find(farm, tag)
    built = farm.run("build", "--push")
    assert built["platforms"] == list(PLATFORMS) and find(farm, tag) == before
