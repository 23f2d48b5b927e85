"""The stage `build`."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from shipway.effects.failures import failure
from shipway.errors import ContextError, SettingsError, ToolMissing
from shipway.image.index import parse_index
from shipway.image.labels import REVISION, WORKFLOW_COMMIT
from shipway.model.actions import Answer, Command
from shipway.model.stage import State
from shipway.model.target import Building, Cache, Target
from shipway.model.world import World
from shipway.settings import BuilderSettings
from shipway.stages import build
from shipway.stages.build import commands
from shipway.tools.build import describe_cache_use
from shipway.tools.buildx import create_builder
from shipway.tools.fetch_failures import NO_NETWORK
from tests.support.conversation import talk
from tests.support.good_image import INDEX
from tests.support.model_remotes import digest_of, manifest
from tests.support.targets import change_settings


def absent_images(target: Target) -> tuple[Answer, ...]:
    """The registry has neither of the two images that a release asks for."""
    tags = (target.staging, target.tags[0])
    return tuple(Answer(code=1, err=f"ERROR: {target.image}:{tag}: not found") for tag in tags)


class TestBuildOfAnotherCommit:
    """Seven letters of a hash are not the hash."""

    def test_an_image_of_another_commit_is_a_conflict(self, target: Target) -> None:
        world = World(index=replace(INDEX, annotations={REVISION: "d" * 40}))
        finding = build.judge(target, world)
        assert finding.state is State.CONFLICT and "d" * 40 in finding.evidence
        ours = World(index=replace(INDEX, annotations={REVISION: target.commit}))
        assert build.judge(target, ours).state is State.SAME


class TestBuild:
    """The build."""

    def test_the_command_for_every_platform(self, target: Target) -> None:
        run_url = "https://github.com/acme/toy/actions/runs/1"
        asked = change_settings(target, "build", args={"A": "1"}, secrets=("id=pip,env=PIP_TOKEN",))
        command = commands.build_image(replace(asked, build=replace(target.build, run_url=run_url)))
        text = " ".join(command.argv)
        assert (
            "--platform=linux/amd64,linux/arm64" in command.argv and "--sbom=true" in command.argv
        )
        assert f"--provenance=mode=max,version=v1,builder-id={run_url}" in command.argv
        assert "name=registry.example/acme/toy:sha-ccccccc" in text and "latest" not in text
        assert "--annotation=index:org.opencontainers.image.version=1.2.3" in command.argv
        assert command.argv[-3:] == ("--build-arg=A=1", "--secret=id=pip,env=PIP_TOKEN", ".")
        assert command.env == {"SOURCE_DATE_EPOCH": "1700000000"}
        assert command.secrets == ("PIP_TOKEN",)

    def test_a_secret_among_arguments_is_refused_before_any_build(self, target: Target) -> None:
        exposed = replace(target, build=replace(target.build, exposed=("PIP_INDEX_URL",)))
        for plan in (commands.build_image, commands.build_here):
            with pytest.raises(SettingsError, match="hold a secret: PIP_INDEX_URL") as caught:
                plan(exposed)
            assert caught.value.status == 2 and "env=PIP_INDEX_URL" in caught.value.hint

    def test_the_command_for_this_machine_pushes_nothing(self, target: Target) -> None:
        command = commands.build_here(target)
        assert command.effect == "local" and "--load" in command.argv
        assert not [word for word in command.argv if "push" in word or "--platform" in word]

    def test_a_cache_is_read_and_the_build_goes_on_without_it(self, target: Target) -> None:
        cache = Cache(reads=("type=local,src=c",), writes=("type=local,dest=c",))
        cached = replace(target, build=Building(cache=cache))
        command = commands.build_image(cached)
        flags = {"--cache-from=type=local,src=c", "--cache-to=type=local,dest=c"}
        assert flags <= set(command.argv)
        fallback = command.fallbacks[0]
        assert fallback.reason == "a cache broke" and fallback.pause == 0
        assert set(command.argv) - set(fallback.argv) == flags
        for reason in (
            "failed to copy: GET http://x/blobs/1",
            "failed to compute cache key: failed to copy: GET x",
            "short read: expected 3 bytes but got 1",
            "blob sha256:" + "0" * 64 + ": not found",
        ):
            error = f"ERROR: failed to build: failed to solve: {reason}"
            assert re.search(fallback.pattern, error)
        failed_step = 'process "/bin/sh -c false" did not complete successfully'
        assert not re.search(fallback.pattern, failed_step)
        reasons = [other.reason for other in commands.build_image(target).fallbacks]
        assert "a cache broke" not in reasons

    def test_a_fetch_without_network_is_waited_for_and_made_again(self, target: Target) -> None:
        cached = replace(target, build=Building(cache=Cache(reads=("type=local,src=c",))))
        for command in (commands.build_image(target), commands.build_image(cached)):
            fallback = command.fallbacks[-1]
            assert fallback.pattern == NO_NETWORK and fallback.pause > 0
            assert fallback.argv == command.argv

    def test_a_cache_that_would_be_dropped_without_a_word_is_an_error(self, target: Target) -> None:
        lacking = replace(target, build=Building(cache=Cache(lacks=("ACTIONS_RUNTIME_TOKEN",))))
        with pytest.raises(ContextError, match="needs ACTIONS_RUNTIME_TOKEN") as caught:
            build.plan(lacking, World())
        assert "github-script" in caught.value.hint

    @pytest.mark.parametrize(
        ("progress", "remark"),
        [
            (
                "#5 [linux/amd64 a 1/3] FROM x\n#6 [linux/amd64 a 2/3] RUN y\n#6 CACHED\n"
                "#7 [a 3/3] COPY z\n#7 DONE 0.1s\n"
                "#2 [internal] load build definition\n#2 CACHED\n",
                "1 of 2 steps came from the cache",
            ),
            ("", "no steps were run"),
        ],
    )
    def test_what_came_from_the_cache(self, target: Target, progress: str, remark: str) -> None:
        assert describe_cache_use(Answer(code=0, err=progress)) == remark
        assert commands.build_image(target).remark is describe_cache_use

    def test_a_builder_is_made_once(self, target: Target) -> None:
        asked = change_settings(target, "builder", driver="docker-container")
        asked = replace(asked, build=Building(builder="ours"))
        (creation,) = create_builder("build", "ours", BuilderSettings(driver="docker-container"))
        images = absent_images(asked)
        absent = Answer(code=1, err="no builder")
        there = Answer(code=0, out="Name: ours\nEndpoint: x\nPlatforms: linux/arm64*\n")
        world = talk(build.observe, asked, World(), images, (absent,))
        assert build.plan(asked, world) == (creation,)
        assert creation.argv[:5] == ("docker", "buildx", "create", "--name", "ours")
        world = talk(build.observe, asked, World(), images, (there,))
        (command,) = build.plan(asked, world)
        assert isinstance(command, Command) and "--builder=ours" in command.argv
        assert "--builder=ours" in commands.build_here(asked).argv

    def test_emulation_that_is_not_registered_is_named(self, target: Target) -> None:
        emulated = change_settings(target, "build", strategy="emulated")
        for platforms, lacking in (
            ("linux/amd64", True),
            ("linux/amd64, linux/amd64/v2, linux/arm64", False),
            ("", False),  # it has not run yet, and does not say
            ("linux/amd64/v1*, linux/arm64/v8", False),
        ):
            world = talk(
                build.observe,
                emulated,
                World(),
                absent_images(emulated),
                (Answer(code=0, out=f"Endpoint: default\nPlatforms:        {platforms}\n"),),
            )
            if lacking:
                with pytest.raises(ToolMissing, match="no emulation of linux/arm64") as caught:
                    build.plan(emulated, world)
                assert "tonistiigi/binfmt" in caught.value.hint
            else:
                assert build.plan(emulated, world)

    def test_images_of_one_platform_are_merged(self, target: Target) -> None:
        merged = replace(target, parts=(digest_of("a"), digest_of("b")))
        world = talk(build.observe, merged, World(), absent_images(merged))
        (command,) = build.plan(merged, world)
        assert isinstance(command, Command)
        assert command.argv[:6] == (
            "docker",
            "buildx",
            "imagetools",
            "create",
            "--tag",
            "registry.example/acme/toy:sha-ccccccc",
        )
        assert "--annotation=index:org.opencontainers.image.version=1.2.3" in command.argv
        assert command.argv[-2:] == tuple(f"{target.image}@{digest}" for digest in merged.parts)

    def test_the_sbom_generator_of_the_settings(self, target: Target) -> None:
        own = change_settings(target, "build", sbom_generator="scanner@sha256:0")
        assert "--attest=type=sbom,generator=scanner@sha256:0" in commands.build_image(own).argv

    def test_an_image_that_lacks_a_platform_is_built_again(self, target: Target) -> None:
        half = parse_index(json.dumps(manifest("x", ("linux/amd64",))))
        finding = build.judge(target, World(index=half))
        assert finding.state is State.ABSENT and "lacks linux/arm64" in finding.evidence

    def test_the_index_names_the_commit_that_the_workflow_ran_on(self, target: Target) -> None:
        annotation = f"--annotation=index:{WORKFLOW_COMMIT}=5eed"
        started = replace(target, build=Building(workflow_commit="5eed"), parts=(INDEX.digest,))
        assert annotation in commands.build_image(started).argv
        assert annotation in commands.merge_images(started).argv
        assert annotation not in commands.build_here(started).argv
        assert WORKFLOW_COMMIT not in " ".join(commands.build_image(target).argv)

    def test_every_stand_in_can_be_looked_up_after_the_build(self, target: Target) -> None:
        world = build.simulate(target, World())
        assert world.index is not None and world.index.imagined
        variables = build.STAGE.variables(target)
        assert {f"sha256:{variable.name}" for variable in variables} == set(
            world.index.leaves_first
        )
        assert all(variable.stand_in == f"sha256:{variable.name}" for variable in variables)
        assert all(variable.command for variable in variables)

    def test_variants_of_one_machine_are_told_apart(self, target: Target) -> None:
        arms = replace(target, platforms=("linux/arm/v6", "linux/arm/v7"))
        commands = [variable.command for variable in build.STAGE.variables(arms)]
        text = " ".join(" ".join(command.argv) for command in commands if command)
        assert text.count('"v6"') == text.count('"v7"') == 1


FAILED_STEP = """\
#5 0.182 E: cannot fetch
#5 ERROR: process "/bin/sh -c echo one" did not complete successfully: exit code: 100
------
 > [stage-1 2/2] RUN echo one && apt-get update:
{}0.182 E: cannot fetch
------
Dockerfile:3
--------------------
   2 |     FROM python:3.13-slim-trixie
   3 | >>> RUN echo one && \\
--------------------
ERROR: failed to solve: process "{}" did not complete successfully: exit code: 100
"""


def test_a_build_that_failed_shows_the_step_and_what_it_printed_last(target: Target) -> None:
    progress = FAILED_STEP.format(
        "".join(f"0.1 line {number}\n" for number in range(40)), "echo one " * 99
    )
    error = failure(commands.build_image(target), Answer(code=1, err=progress))
    _, step, *printed, reason = error.message.splitlines()
    assert step == "  | [stage-1 2/2] RUN echo one && apt-get update:"
    assert printed[-1] == "  | 0.182 E: cannot fetch" and len(printed) == 12
    assert (
        reason.startswith("  | ERROR: failed to solve")
        and reason.endswith("exit code: 100")
        and len(reason) < 320
    )
