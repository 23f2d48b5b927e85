"""Which builder is used."""

from __future__ import annotations

from shipway.settings import BuilderSettings
from shipway.target.builders import builder_name
from shipway.tools.buildx import create_builder


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
    first, second = create(farm)
    assert (
        first[-2:] == ("--platform=linux/amd64,linux/386", "tcp://x86:1")
        and "--append" not in first
    )
    assert second[-3:] == ("--append", "--platform=linux/arm64", "tcp://arm:1")
