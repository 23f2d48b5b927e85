"""Which builder a rehearsal builds on: the release's own, or it is said which one, and why."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from shipway.errors import ContextError, ToolMissing
from shipway.model.actions import Answer, Command
from shipway.rehearsal.builders import ChosenBuilder, choose_builder, copy_builders
from shipway.rehearsal.differences import adapt, list_differences
from shipway.rehearsal.remotes import Remotes, scrub
from shipway.settings import BuilderSettings, parse_project
from shipway.target.context import Context

ENGINE = "Name: default\nDriver: docker\n\nNodes:\nName: default\nEndpoint: default\n"
HOST_NETWORK = 'Driver Options: network="host"\n'


def show(name: str, driver: str, *endpoints: str, options: str = "") -> str:
    """What buildx prints of a builder."""
    nodes = [f"Name: {name}0\nEndpoint: {endpoint}\n{options}\n" for endpoint in endpoints]
    return f"Name: {name}\nDriver: {driver}\n\nNodes:\n" + "".join(nodes)


class Buildx:
    """Answers a question about a builder with ``out``; keeps what was asked."""

    def __init__(self, out: str = ENGINE, err: str = "") -> None:
        self.answer = Answer(code=1 if err else 0, out=out, err=err)
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, command: Command) -> Answer:
        self.asked.append(command.argv)
        return self.answer


def choose(
    driver: str = "default",
    *,
    buildx: Buildx | None = None,
    name: str = "",
    options: dict[str, str] | None = None,
    nodes: dict[str, str] | None = None,
) -> ChosenBuilder:
    """Choose the builder of a project with these settings, on a machine with this buildx."""
    fields = {"driver": driver, "options": options or {}, "nodes": nodes or {}}
    settings = msgspec.convert(fields, BuilderSettings)
    environment = {"BUILDX_BUILDER": name} if name else {}
    return choose_builder(settings, environment, buildx or Buildx())


HERE = {"linux/amd64": "unix:///run/bk.sock", "linux/arm64": "tcp://127.0.0.1:1234"}
ELSEWHERE = {"linux/amd64": "tcp://amd.example:1", "linux/arm64": "tcp://127.0.0.1:1234"}


def test_nodes_on_this_machine_are_used_as_they_are() -> None:
    chosen = choose("remote", nodes=HERE, options={"cacert": "/ca.pem"})
    assert chosen.settings == BuilderSettings(
        driver="remote", nodes=HERE, options={"cacert": "/ca.pem"}
    )
    assert not chosen.difference and not chosen.variables


def test_nodes_elsewhere_are_named_and_replaced() -> None:
    chosen = choose("remote", nodes=ELSEWHERE)
    assert chosen.settings == BuilderSettings()
    assert chosen.difference == (
        "the one in use: remote at tcp://amd.example:1 does not reach this machine's remotes"
    )


def test_a_cluster_is_replaced() -> None:
    chosen = choose("kubernetes", nodes={"linux/arm64": "kubernetes.io/arch=arm64"})
    assert chosen.settings == BuilderSettings()
    assert chosen.difference == ("the one in use: kubernetes does not reach this machine's remotes")


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        ({}, "docker-container, on the network of this machine"),
        ({"network": "host"}, ""),
        ({"network": "custom"}, ""),
    ],
)
def test_a_container_is_put_on_the_network_of_this_machine(
    options: dict[str, str], difference: str
) -> None:
    chosen = choose("docker-container", options={"image": "moby/buildkit:v1", **options})
    expected = {"image": "moby/buildkit:v1", "network": "host", **options}
    assert chosen.settings.options == expected and chosen.difference == difference


def test_containers_on_other_machines_are_left_out() -> None:
    nodes = {"linux/amd64": "unix:///var/run/docker.sock", "linux/arm64": "ssh://me@arm.example"}
    chosen = choose("docker-container", nodes=nodes)
    assert not chosen.settings.nodes and chosen.settings.options == {"network": "host"}
    assert "this machine alone" in chosen.difference and "ssh://me@arm" in chosen.difference


@pytest.mark.parametrize(
    "shown",
    [
        ENGINE,
        show("mine", "docker-container", "unix:///var/run/docker.sock", options=HOST_NETWORK),
        show("farm", "remote", "unix:///run/one.sock", "tcp://localhost:1234"),
    ],
)
def test_the_builder_in_use_is_used_where_it_reaches_this_machine(shown: str) -> None:
    buildx = Buildx(shown)
    chosen = choose(buildx=buildx, name="mine")
    assert chosen == ChosenBuilder(BuilderSettings(), "mine")
    assert chosen.variables == {"BUILDX_BUILDER": "mine"}
    assert buildx.asked == [("docker", "buildx", "inspect", "mine")]


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        (show("mine", "docker-container", "default"), "mine is not on the network of this machine"),
        (show("farm", "remote", "tcp://arm.example:1"), "farm, remote at tcp://arm.example:1 does"),
        (show("ci", "kubernetes", "kubernetes:///ci"), "ci, kubernetes does not reach"),
        (show("build", "cloud", "cloud://acme/x"), "build, cloud does not reach"),
    ],
)
@pytest.mark.parametrize("name", ["", "mine"])
def test_one_that_does_not_is_named_and_the_engine_builds(
    shown: str, reason: str, name: str
) -> None:
    chosen = choose(buildx=Buildx(shown), name=name)
    assert chosen.variables == {"BUILDX_BUILDER": "default"}
    assert chosen.difference.startswith(f"the engine's own: {reason}")
    cluster = choose("kubernetes", buildx=Buildx(shown), name=name)
    assert cluster.variables == {"BUILDX_BUILDER": "default"}
    assert cluster.difference.startswith("the engine's own: kubernetes does not reach")


def test_a_builder_that_is_not_there_is_refused_as_by_a_release() -> None:
    with pytest.raises(ContextError, match="BUILDX_BUILDER is lost, and there is no") as caught:
        choose(buildx=Buildx(err='ERROR: no builder "lost" found'), name="lost")
    assert "docker buildx ls" in caught.value.hint


def test_an_engine_that_does_not_answer_is_left_to_the_build() -> None:
    def missing(_: Command) -> Answer:
        raise ToolMissing("docker is not installed", hint="install it")

    assert choose_builder(BuilderSettings(), {}, missing) == ChosenBuilder(BuilderSettings())
    silent = Buildx(err="ERROR: Cannot connect to the Docker daemon")
    assert choose(buildx=silent, name="mine") == ChosenBuilder(BuilderSettings(), "mine")


def test_the_builders_of_the_user_are_there_as_a_copy(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    (mine / "buildx/instances").mkdir(parents=True)
    (mine / "buildx/instances/farm").write_text("{}")
    (mine / "buildx/current").write_text("{}")
    scrub({"DOCKER_CONFIG": str(mine), "BUILDX_BUILDER": "x"}, tmp_path / "rehearsal")
    copied = tmp_path / "rehearsal/docker/buildx"
    assert (copied / "instances/farm").read_text() == (copied / "current").read_text() == "{}"
    for variables in (
        {"BUILDX_CONFIG": str(mine / "buildx"), "HOME": "/nowhere"},
        {"HOME": str(tmp_path / "home")},
    ):
        (tmp_path / "home").mkdir(exist_ok=True)
        copy_builders(variables, tmp_path / "other")
    assert (tmp_path / "other/buildx/instances/farm").exists()


@pytest.mark.parametrize("difference", ["", "the engine's own: it is far away"])
def test_the_settings_are_the_projects_own_or_that_is_said(tmp_path: Path, difference: str) -> None:
    project = parse_project(
        '[project]\nname = "toy"\nversion = "0"\n[tool.shipway]\n'
        'cache = {type = "gha"}\nbuild = {strategy = "emulated"}\n'
    )
    own = BuilderSettings(driver="remote", nodes=HERE)
    remotes = Remotes(
        folder=tmp_path,
        project=tmp_path,
        repository="acme/toy",
        branch="main",
        registry="127.0.0.1:5000",
        api="",
        signing_config=None,
        environment={},
        secrets={},
        builder=ChosenBuilder(own, "", difference),
    )
    adapted = adapt(project, remotes).settings
    assert adapted.builder == own and adapted.build == project.settings.build
    context = Context(event="local", branch="main", commit="c" * 40)
    differences = list_differences(context, project.settings, remotes)
    assert differences.get("builder", "") == difference
    assert differences["cache"] == "none, not gha"
    assert "can be released" in differences["repository"]
    assert {"origin", "image", "sign", "release"} <= set(differences)
