"""The stage `build`."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from shipway.effects.processes import failure
from shipway.errors import ContextError, ToolMissing
from shipway.image.index import parse_index
from shipway.image.labels import REVISION, WORKFLOW_COMMIT
from shipway.model.actions import Answer, Command
from shipway.model.stage import State
from shipway.model.target import Building, Cache, Target
from shipway.model.world import World
from shipway.stages import build
from tests.support.conversation import talk
from tests.support.good_image import INDEX
from tests.support.model_remotes import digest_of, manifest


class TestBuildOfAnotherCommit:
    """Seven letters of a hash are not the hash."""

    def test_an_image_of_another_commit_is_a_conflict(self, target: Target) -> None:
        world = World(index=replace(INDEX, annotations={REVISION: "d" * 40}))
        found = build.judge(target, world)
        assert found.state is State.CONFLICT and "d" * 40 in found.evidence
        assert (
            build.judge(
                target, World(index=replace(INDEX, annotations={REVISION: target.commit}))
            ).state
            is State.SAME
        )


class TestBuild:
    """The build."""

    def test_the_command_for_every_platform(self, target: Target) -> None:
        command = build.build_command(
            replace(
                target,
                builder="https://github.com/acme/toy/actions/runs/1",
                build=replace(target.build, args=("--build-arg=A=1",), secrets=("PIP_TOKEN",)),
            )
        )
        text = " ".join(command.argv)
        assert (
            "--platform=linux/amd64,linux/arm64" in command.argv and "--sbom=true" in command.argv
        )
        assert (
            "--provenance=mode=max,version=v1,builder-id=https://github.com/acme/toy/actions/runs/1"
            in command.argv
        )
        assert "name=registry.example/acme/toy:sha-ccccccc" in text and "latest" not in text
        assert "--annotation=index:org.opencontainers.image.version=1.2.3" in command.argv
        assert command.argv[-2:] == ("--build-arg=A=1", ".")
        assert command.env == {"SOURCE_DATE_EPOCH": "1700000000"} and command.secrets == (
            "PIP_TOKEN",
        )

    def test_the_command_for_this_machine_pushes_nothing(self, target: Target) -> None:
        command = build.build_command(target, push=False)
        assert command.effect == "local" and "--load" in command.argv
        assert not [word for word in command.argv if "push" in word or "--platform" in word]

    def test_a_cache_is_read_and_the_build_goes_on_without_it(self, target: Target) -> None:
        cache = Cache(reads=("type=local,src=c",), writes=("type=local,dest=c",))
        cached = replace(target, build=Building(cache=cache))
        command = build.build_command(cached)
        assert (
            "--cache-from=type=local,src=c" in command.argv
            and "--cache-to=type=local,dest=c" in command.argv
        )
        assert (
            command.otherwise is not None
            and "--cache-from=type=local,src=c" not in command.otherwise[1]
        )
        assert set(command.argv) - set(command.otherwise[1]) == {
            "--cache-from=type=local,src=c",
            "--cache-to=type=local,dest=c",
        }
        for said in (
            "failed to copy: GET http://x/blobs/1",
            "failed to compute cache key: failed to copy: GET x",
            "short read: expected 3 bytes but got 1",
            "blob sha256:" + "0" * 64 + ": not found",
        ):
            assert re.search(
                command.otherwise[0], f"ERROR: failed to build: failed to solve: {said}"
            )
        assert not re.search(
            command.otherwise[0], 'process "/bin/sh -c false" did not complete successfully'
        )
        assert build.build_command(target).otherwise is None

    def test_a_cache_that_would_be_dropped_without_a_word_is_an_error(self, target: Target) -> None:
        deaf = replace(target, build=Building(cache=Cache(lacks=("ACTIONS_RUNTIME_TOKEN",))))
        with pytest.raises(ContextError, match="needs ACTIONS_RUNTIME_TOKEN") as caught:
            build.plan(deaf, World())
        assert "github-script" in caught.value.hint

    @pytest.mark.parametrize(
        ("said", "told"),
        [
            (
                "#5 [linux/amd64 a 1/3] FROM x\n#6 [linux/amd64 a 2/3] RUN y\n#6 CACHED\n#7 [a 3/3] COPY z\n#7 DONE 0.1s\n"
                "#2 [internal] load build definition\n#2 CACHED\n",
                "1 of 2 steps came from the cache",
            ),
            ("", "no steps were run"),
        ],
    )
    def test_what_came_from_the_cache(self, said: str, told: str) -> None:
        assert build.read_cached(Answer(code=0, err=said)) == told

    def test_a_builder_is_made_once(self, target: Target) -> None:
        commands = (("docker", "buildx", "create", "--name", "ours"),)
        farm = replace(target, build=Building(node="ours", node_commands=commands))
        absent, there = (
            Answer(code=1, err="x: not found"),
            Answer(code=0, out="Name: ours\nPlatforms: linux/arm64*\n"),
        )
        world = talk(
            build.observe(farm, World()), (absent, absent), (Answer(code=1, err="no builder"),)
        )
        made, built = build.plan(farm, world)
        assert isinstance(made, Command) and made.argv == commands[0]
        assert isinstance(built, Command) and "--builder=ours" in built.argv
        world = talk(build.observe(farm, World()), (absent, absent), (there,))
        assert len(build.plan(farm, world)) == 1 and world.nodes == {"ours": ("linux/arm64",)}
        assert "--builder=ours" in build.build_command(farm, push=False).argv

    def test_emulation_that_is_not_registered_is_named(self, target: Target) -> None:
        slow = replace(target, build=Building(strategy="emulated"))
        for platforms, lacking in (
            ("linux/amd64", True),
            ("linux/amd64, linux/amd64/v2, linux/arm64", False),
        ):
            world = talk(
                build.observe(slow, World()),
                (Answer(code=1, err="x: not found"),) * 2,
                (Answer(code=0, out=f"Platforms:        {platforms}\n"),),
            )
            if lacking:
                with pytest.raises(ToolMissing, match="no emulation of linux/arm64") as caught:
                    build.plan(slow, world)
                assert "tonistiigi/binfmt" in caught.value.hint
            else:
                assert build.plan(slow, world)

    def test_images_of_one_platform_are_merged(self, target: Target) -> None:
        merged = replace(target, parts=(digest_of("a"), digest_of("b")))
        absent = Answer(code=1, err="x: not found")
        (command,) = build.plan(merged, talk(build.observe(merged, World()), (absent, absent)))
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
        own = replace(target, build=Building(sbom="scanner@sha256:0"))
        assert "--attest=type=sbom,generator=scanner@sha256:0" in build.build_command(own).argv

    def test_an_image_that_lacks_a_platform_is_built_again(self, target: Target) -> None:
        half = parse_index(json.dumps(manifest("x", ("linux/amd64",))))
        finding = build.judge(target, World(index=half))
        assert finding.state is State.ABSENT and "lacks linux/arm64" in finding.evidence

    def test_the_index_names_the_commit_that_the_workflow_ran_on(self, target: Target) -> None:
        noted = f"--annotation=index:{WORKFLOW_COMMIT}=5eed"
        started = replace(target, build=Building(started="5eed"), parts=(INDEX.digest,))
        assert (
            noted in build.build_command(started).argv
            and noted in build.merge_command(started).argv
        )
        assert noted not in build.build_command(started, push=False).argv
        assert WORKFLOW_COMMIT not in " ".join(build.build_command(target).argv)

    def test_every_stand_in_can_be_looked_up_after_the_build(self, target: Target) -> None:
        world = build.simulate(target, World())
        assert world.index is not None and world.index.imagined
        known = {f"sha256:{variable}" for variable, _ in build.name_digests(target)}
        assert known == set(world.index.leaves_first)


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
    said = FAILED_STEP.format(
        "".join(f"0.1 line {number}\n" for number in range(40)), "echo one " * 99
    )
    error = failure(build.build_command(target), Answer(code=1, err=said))
    _, step, *printed, reason = error.message.splitlines()
    assert step == "  | [stage-1 2/2] RUN echo one && apt-get update:"
    assert printed[-1] == "  | 0.182 E: cannot fetch" and len(printed) == 12
    assert (
        reason.startswith("  | ERROR: failed to solve")
        and reason.endswith("exit code: 100")
        and len(reason) < 320
    )
