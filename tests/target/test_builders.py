"""Which builder is used."""

from __future__ import annotations

from shipway.model.actions import Answer
from shipway.model.world import Builder
from shipway.settings import BuilderSettings
from shipway.target.builders import builder_name
from shipway.tools.buildx import create_builder, read_builder


def create(builder: BuilderSettings) -> list[tuple[str, ...]]:
    """Give the command lines that make a builder."""
    name = builder_name(builder)
    return [command.argv for command in create_builder("build", name, builder)]


def test_the_builder_in_use_needs_nothing() -> None:
    assert builder_name(BuilderSettings()) == "" and not create(BuilderSettings())


def test_a_builder_is_named_by_its_settings() -> None:
    cluster = BuilderSettings(driver="kubernetes", options={"replicas": "4", "namespace": "ci"})
    assert builder_name(cluster) == builder_name(
        BuilderSettings(driver="kubernetes", options={"namespace": "ci", "replicas": "4"})
    )
    assert builder_name(cluster) != builder_name(BuilderSettings(driver="kubernetes"))
    assert create(cluster) == [
        (
            "docker",
            "buildx",
            "create",
            "--name",
            builder_name(cluster),
            "--driver",
            "kubernetes",
            "--driver-opt=namespace=ci",
            "--driver-opt=replicas=4",
        )
    ]


def test_every_remote_node_is_appended_to_the_first() -> None:
    farm = BuilderSettings(
        driver="remote",
        nodes={"linux/arm64": "tcp://arm:1", "linux/amd64,linux/386": "tcp://x86:1"},
    )
    name = builder_name(farm)
    first, second = create(farm)
    assert first[-3:] == (f"--node={name}0", "--platform=linux/amd64,linux/386", "tcp://x86:1")
    assert "--append" not in first
    assert second[-4:] == (
        "--append",
        f"--node={name}1",
        "--platform=linux/arm64",
        "tcp://arm:1",
    )


def test_nodes_of_a_cluster_are_chosen_by_their_labels() -> None:
    cluster = BuilderSettings(
        driver="kubernetes",
        options={"namespace": "ci", "tolerations": "key=a,operator=Exists"},
        nodes={
            "linux/arm64": "kubernetes.io/arch=arm64",
            "linux/amd64": "kubernetes.io/arch=amd64,disk=ssd",
        },
    )
    first, second = create(cluster)
    assert '--driver-opt="tolerations=key=a,operator=Exists"' in first
    assert first[-2:] == (
        "--platform=linux/amd64",
        '--driver-opt="nodeselector=kubernetes.io/arch=amd64,disk=ssd"',
    )
    assert second[-1] == "--driver-opt=nodeselector=kubernetes.io/arch=arm64"


OUTPUT = """\
Name:          two
Driver:        remote
Last Activity: 2026-11-25 18:02:26 +0000 UTC

Nodes:
Name:      two0
Endpoint:  tcp://127.0.0.1:1
Status:    inactive
Platforms: linux/amd64*, linux/386*

Name:      two1
Endpoint:  tcp://127.0.0.1:2
Status:    inactive
Platforms: linux/arm64*
"""


def test_what_buildx_says_of_a_builder() -> None:
    answer = Answer(code=0, out=OUTPUT)
    nodes = {"linux/amd64": "tcp://127.0.0.1:1", "linux/arm64": "tcp://127.0.0.1:2"}
    settings = BuilderSettings(driver="remote", nodes=nodes)
    platforms = ("linux/amd64", "linux/386", "linux/arm64")
    addresses = tuple(nodes.values())
    whole = Builder(name="two", driver="remote", platforms=platforms, endpoints=addresses)
    assert read_builder(answer, settings) == whole
    first, _, _ = OUTPUT.partition("Name:      two1")
    half = Answer(code=0, out=first)
    assert read_builder(half, settings) is None
    in_use = read_builder(half, BuilderSettings(nodes=nodes))
    assert in_use is not None
    assert (in_use.platforms, in_use.endpoints) == (platforms[:2], addresses[:1])
    options = 'Endpoint:  tcp://127.0.0.1:1\nDriver Options: network="host"\n'
    on_host = read_builder(Answer(code=0, out=f"Name: x\n\nNodes:\n{options}"), BuilderSettings())
    assert on_host is not None and on_host.on_host_network and not in_use.on_host_network
    assert read_builder(Answer(code=1, err="no builder"), settings) is None
