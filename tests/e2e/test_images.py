"""Images of a small project, built, merged, read back, signed and verified with the real tools."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from shipway.effects.environment import cache_folder
from shipway.effects.executor import Executor
from shipway.effects.processes import Processes
from shipway.effects.questions import Answerer
from shipway.effects.read_image import describe_image
from shipway.effects.registry import connect
from shipway.tools.imagetools import find_indexes
from tests.support.kept import Kept, status
from tests.support.layers import elf
from tests.support.toy import DOCKERFILE, Toy

pytestmark = pytest.mark.engine

BOTH = ("linux/amd64", "linux/arm64")


def test_platforms_built_apart_and_merged_are_what_one_build_gives(
    kept: Kept, toy: Toy, tmp_path: Path
) -> None:
    files = [str(tmp_path / f"digests/{number}.json") for number in (0, 1)]
    builds = [
        toy.start("build", "--push", "--platform", name, "--digest-file", file)
        for name, file in zip(BOTH, files, strict=True)
    ]
    assert [process.wait(timeout=300) for process in builds] == [0, 0]
    merged = toy.run("merge", "--digest-file", str(tmp_path / "digests"))
    assert merged["platforms"] == list(BOTH)
    toy.run("sign")
    assert toy.run("verify")["stages"][-1]["outcome"] == "done"
    assert toy.run("promote")["stages"][-1]["outcome"] == "done"

    head = toy.write(settings="[tool.shipway.tags]\nedge = true\n")
    whole = toy.run("build", "--push")
    assert whole["revision"] == head and whole["digest"] != merged["digest"]
    one, other = (status(kept, f"{toy.image}@{found['digest']}") for found in (merged, whole))
    assert one.platforms == other.platforms == BOTH
    assert len(one.attestations) == len(other.attestations) == 2
    assert {entry.subject for entry in one.attestations} == {entry.digest for entry in one.images}
    assert set(one.annotations) == set(other.annotations)
    environment = toy.environment | {"XDG_CACHE_HOME": str(tmp_path)}
    contents = describe_image(toy.image, merged["digest"], environment)
    for name in BOTH:
        assert contents.platforms[name].distributions == (("toy", "1.0"),)
        assert "toy" in {package for package, _, _ in contents.packages(name)}


def test_a_part_that_somebody_deleted_is_named_and_no_tag_counts_as_gone(
    kept: Kept, toy: Toy
) -> None:
    head = toy.write()
    built = toy.run("build", "--push")
    whole = status(kept, f"{toy.image}@{built['digest']}")
    gone = whole.attestations[0].digest
    with connect(toy.image, toy.environment) as registry:
        registry.delete(gone)
    runner = Processes(toy.environment)
    ask = Executor(runner=runner, answers=Answerer(toy.environment))
    tags = (f"sha-{head[:7]}", "nothing")
    found, nothing = find_indexes([f"{toy.image}:{tag}" for tag in tags], ask)
    assert nothing is None and found is not None
    assert (found.digest, found.gone) == (built["digest"], (gone,))
    assert found.entries == whole.entries and found.annotations == whole.annotations
    # No version has it: it is built again.
    again = toy.run("build", "--push")
    assert again["stages"][0]["outcome"] == "done" and again["digest"] != built["digest"]


def test_the_printed_commands_do_it_in_a_shell(toy: Toy) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), toy.environment["PATH"]])
    for words in (("build", "--push"), ("sign",), ("promote",)):
        plan = toy.run(*words, "--dry-run")
        lines = [line for stage in plan["stages"] for line in stage["commands"]]
        assert lines, (words, plan)
        done = subprocess.run(
            ("sh", "-ec", "\n".join(lines)),
            cwd=toy.folder,
            env=toy.environment | {"PATH": path},
            check=False,
            text=True,
            capture_output=True,
        )
        assert done.returncode == 0, (lines, done.stderr[-2000:])
    stages = (
        toy.run("build", "--push")["stages"]
        + toy.run("sign")["stages"]
        + toy.run("promote")["stages"]
    )
    assert {
        stage["outcome"] for stage in stages if stage["name"] in {"build", "sign", "promote"}
    } == {"skipped"}


def test_a_file_for_another_machine_fails_the_build_and_is_named(toy: Toy) -> None:
    (toy.folder / "native/arm64.so").write_bytes(elf(62))
    toy.write()
    found = toy.run("build", "--push", code=7)
    assert (
        "compiled files of linux/arm64: app/native.so are for another machine"
        in found["error"]["message"]
    )
    assert "inspect comes first" not in toy.run("sign", code=7)["error"]["message"]
    toy.write(settings='[tool.shipway.build]\nallow-foreign = ["app/native.so"]\n')
    toy.run("build", "--push")


def test_an_image_without_sbom_is_refused(toy: Toy) -> None:
    toy.write(
        settings='[tool.shipway.build]\nextra-args = ["--sbom=false"]\nplatforms = ["linux/amd64"]\n'
    )
    assert (
        "SBOM of linux/amd64: 0 packages" in toy.run("build", "--push", code=7)["error"]["message"]
    )


def test_an_image_that_reproduces_and_one_that_does_not(toy: Toy) -> None:
    assert set(toy.run("build", "--check-reproducible")["platforms"]) == set(BOTH)
    toy.write(DOCKERFILE.replace("echo made", "date +%s.%N"))
    message = toy.run("build", "--check-reproducible", "--platform", "linux/amd64", code=1)[
        "error"
    ]["message"]
    assert "linux/amd64 does not reproduce: layer 1, app/made: content" in message


def test_a_cache_in_the_registry_outlives_the_builder(kept: Kept, toy: Toy) -> None:
    # Only where it is nobody's: a builder of shipway's own, or of a CI run.
    if (
        not os.environ.get("CI")
        and str(cache_folder(os.environ)) not in kept.environment["DOCKER_HOST"]
    ):
        pytest.skip("this would empty your builder")
    toy.environment |= {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": "acme/toy",
        "GITHUB_EVENT_NAME": "push",
    }
    layers = []
    # A step that nobody ever ran, of which no two runs make the same.
    step = f"echo {uuid.uuid4()} $(cat /proc/sys/kernel/random/uuid)"
    for number, cache in enumerate(("registry", "registry", "none")):
        kept.run("docker", "buildx", "prune", "--all", "--force")
        head = toy.write(
            DOCKERFILE.replace("echo made", step),
            message=f"feat: {number}",
            settings=f'[tool.shipway.cache]\ntype = "{cache}"\n'
            '[tool.shipway.build]\nextra-args = ["--sbom=false"]\n',
        )
        toy.environment |= {"GITHUB_SHA": head, "GITHUB_REF": "refs/heads/main"}
        # Without SBOM, which is refused afterwards: BuildKit of engine 26 keeps hold of what was scanned for one, and
        # no prune takes it away.
        assert "0 packages" in toy.run("build", "--push", code=7)["error"]["message"]
        with connect(toy.image, toy.environment) as registry:
            built = status(kept, f"{toy.image}@{registry.manifest(f'sha-{head[:7]}')[0]}")
            layers.append([registry.manifest(entry.digest)[1].layers for entry in built.images])
    assert layers[1] == layers[0]
    assert all(one != other for one, other in zip(layers[2], layers[0], strict=True))


@pytest.mark.parametrize(
    ("dockerfile", "said"),
    [
        (
            DOCKERFILE.replace("&& echo made", "&& echo 'no such thing' >&2 && false"),
            "no such thing",
        ),
        (DOCKERFILE.replace("python:3.13-slim-trixie", "localhost:1/none:1"), "localhost:1"),
        ("FROM nowhere AS", "FROM nowhere AS"),
    ],
)
def test_a_build_that_fails_shows_the_step_and_not_a_wall(
    toy: Toy, dockerfile: str, said: str
) -> None:
    toy.write(dockerfile)
    message = toy.run("build", "--push", code=5)["error"]["message"]
    assert said in message and len(message.splitlines()) < 16
