"""What a rehearsal leaves in its remotes, looked at with the real tools."""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from shipway.effects.executor import Executor
from shipway.effects.processes import Processes
from shipway.effects.questions import Answerer
from shipway.errors import Conflict
from shipway.image.index import Index
from shipway.image.sbom import parse_packages
from shipway.model.release import Release
from shipway.model.target import Signer, Target
from shipway.model.version import parse_version
from shipway.model.world import World
from shipway.rehearsal import leash
from shipway.run.reconcile import refuse
from shipway.run.release import ORDER
from shipway.run.result import Outcome
from shipway.stages import build
from tests.support.kept import PROJECT, Kept, shipway, status

pytestmark = pytest.mark.engine


@pytest.fixture(name="index", scope="session")
def fixture_index(kept: Kept) -> Index:
    """The released index as the registry shows it."""
    return status(kept, f"{kept.printed['image']}@{kept.printed['digest']}")


def test_every_stage_is_done_once_and_skipped_with_a_reason_the_second_time(kept: Kept) -> None:
    first, second = kept.printed["stages"], kept.printed["second"]
    assert [one["name"] for one in first] == [one["name"] for one in second] == list(ORDER)
    assert [one["name"] for one in first if one["outcome"] != "done"] == [
        "attest"
    ]  # it has to be asked for
    assert {one["outcome"] for one in second} == {"skipped"} and all(
        one["reason"] for one in second
    )
    assert set(Outcome.__dataclass_fields__) == {*first[0]}


def test_all_tags_share_the_digest_of_one_index_for_two_platforms(kept: Kept, index: Index) -> None:
    tags = kept.printed["tags"]
    assert (
        tags[0] == f"v{kept.printed['version']}"
        and tags[1] == "latest"
        and tags[2].startswith("sha-")
    )
    assert {status(kept, f"{kept.printed['image']}:{tag}").digest for tag in tags} == {
        kept.printed["digest"]
    }
    assert index.platforms == ("linux/amd64", "linux/arm64") and len(index.attestations) == 2


def test_every_entry_verifies_with_cosign_alone(kept: Kept, index: Index) -> None:
    for digest in index.leaves_first:
        kept.run(
            "cosign",
            "verify",
            "--key",
            kept.printed["remotes"]["public key"],
            "--insecure-ignore-tlog=true",
            f"{kept.printed['image']}@{digest}",
        )


def test_another_key_verifies_nothing(kept: Kept, index: Index, tmp_path: Path) -> None:
    subprocess.run(
        ["cosign", "generate-key-pair"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        env={**kept.environment, "COSIGN_PASSWORD": "another"},
    )
    done = subprocess.run(
        [
            "cosign",
            "verify",
            "--key",
            str(tmp_path / "cosign.pub"),
            "--insecure-ignore-tlog=true",
            f"{kept.printed['image']}@{index.digest}",
        ],
        env=kept.environment,
        check=False,
        capture_output=True,
    )
    assert done.returncode != 0


def test_a_consumer_verifies_it_from_nowhere(kept: Kept, tmp_path: Path) -> None:
    words = shipway(
        "verify",
        f"{kept.printed['image']}:v{kept.printed['version']}",
        "--no-transparency-log",
        "--key",
        kept.printed["remotes"]["public key"],
        "--json",
    )
    done = subprocess.run(
        words, cwd=tmp_path, env=kept.environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["verified"] and found["digest"] == kept.printed["digest"]


def test_sbom_and_provenance_are_there_for_each_platform(kept: Kept) -> None:
    reference = f"{kept.printed['image']}:latest"
    sboms, provenances = (
        json.loads(
            kept.run(
                "docker",
                "buildx",
                "imagetools",
                "inspect",
                reference,
                "--format",
                f"{{{{json .{name}}}}}",
            )
        )
        for name in ("SBOM", "Provenance")
    )
    for platform in ("linux/amd64", "linux/arm64"):
        names = {package["name"] for package in sboms[platform]["SPDX"]["packages"]}
        assert {"invoke", "nox", "msgspec", "git", "cosign"} <= names
        assert kept.printed["packages"][platform] == len(parse_packages([sboms[platform]["SPDX"]]))
        assert provenances[platform]["SLSA"]


def test_the_release_commit_and_its_tag_are_in_the_origin(kept: Kept) -> None:
    origin, version = kept.printed["remotes"]["origin"], kept.printed["version"]
    commits = kept.run("git", "-C", origin, "rev-parse", f"v{version}^{{commit}}", "main").split()
    assert commits == [kept.printed["revision"]] * 2
    assert f'version = "{version}"' in kept.run("git", "-C", origin, "show", "main:pyproject.toml")
    assert f"## v{version} (" in kept.run("git", "-C", origin, "show", "main:CHANGELOG.md")


def test_a_release_with_notes_is_published(kept: Kept) -> None:
    request = urllib.request.Request(
        kept.printed["remotes"]["releases"], headers={"Authorization": "Bearer x"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        (release,) = json.load(answer)
    assert (release["tag_name"], release["draft"]) == (f"v{kept.printed['version']}", False)
    assert kept.printed["digest"] in release["body"] and len(release["body"]) > 150
    assert [asset["name"] for asset in release["assets"]] == ["image.json"]


def test_the_docs_of_the_version_are_published(kept: Kept) -> None:
    origin = kept.printed["remotes"]["origin"]
    (version,) = json.loads(kept.run("git", "-C", origin, "show", "gh-pages:versions.json"))
    assert version == {
        "version": kept.printed["docs"],
        "title": kept.printed["version"],
        "aliases": ["latest"],
    }
    assert "<html" in kept.run(
        "git", "-C", origin, "show", f"gh-pages:{version['version']}/index.html"
    )


def test_the_image_lists_its_tasks(kept: Kept, index: Index) -> None:
    for platform in index.platforms:
        if platform == "linux/amd64" or Path("/proc/sys/fs/binfmt_misc/qemu-aarch64").exists():
            listed = kept.run(
                "docker",
                "run",
                "--rm",
                "--platform",
                platform,
                f"{kept.printed['image']}@{kept.printed['digest']}",
                "shipway",
                "--list",
            )
            assert "rehearse" in listed


def test_the_image_runs_as_nobody_in_particular_and_has_its_tools(kept: Kept) -> None:
    script = "id -u; git --version; docker buildx version; cosign version; task --version; mike --version"
    assert kept.run(
        "docker", "run", "--rm", f"{kept.printed['image']}:latest", "sh", "-ec", script
    ).startswith("65532")


def test_a_version_tag_with_another_digest_is_a_conflict(kept: Kept) -> None:
    """The rehearsal's own code, on the kept remotes, after somebody moved the tag."""
    image, version = kept.printed["image"], kept.printed["version"]
    (platform, *_) = status(kept, f"{image}:latest").images
    kept.run(
        "docker",
        "buildx",
        "imagetools",
        "create",
        "--tag",
        f"{image}:v{version}",
        f"{image}@{platform.digest}",
    )
    moved = status(kept, f"{image}:v{version}").digest
    assert moved != kept.printed["digest"]
    parsed = parse_version(version)
    assert parsed is not None
    release = Release(
        version=parsed, tag=f"v{version}", commit=kept.printed["revision"], notes="- It works"
    )
    target = Target(
        image=image,
        commit=kept.printed["revision"],
        branch="main",
        channel="release",
        staging=kept.printed["tags"][2],
        tags=(f"v{version}", "latest"),
        platforms=("linux/amd64", "linux/arm64"),
        folder=".",
        signer=Signer(key=kept.printed["remotes"]["public key"], transparency_log=False),
        release=release,
    )
    executor = Executor(
        runner=Processes(kept.environment),
        answers=Answerer(kept.environment),
        api=lambda _: pytest.fail("no request is needed"),
    )
    world = build.observe(target, World(), executor)
    with pytest.raises(Conflict, match="is already"):
        refuse(build.STAGE, build.judge(target, world))


@pytest.mark.parametrize("attempt", range(2))
def test_a_rehearsal_that_is_killed_leaves_nothing(
    environment: dict[str, str], tmp_path: Path, attempt: int
) -> None:
    seed = int(os.environ.get("SHIPWAY_SEED") or time.time_ns() // (attempt + 1))
    moment = random.Random(seed).uniform(0.5, 12)
    with subprocess.Popen(
        shipway("rehearse", "--working-tree"),
        cwd=PROJECT,
        env={**environment, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        time.sleep(moment)
        process.kill()
    until = time.monotonic() + 15
    while time.monotonic() < until and (any(tmp_path.iterdir()) or running(tmp_path)):
        time.sleep(0.1)
    assert not list(tmp_path.iterdir()), f"SHIPWAY_SEED={seed}, killed after {moment:.1f} s"
    assert not running(tmp_path), f"SHIPWAY_SEED={seed}, killed after {moment:.1f} s"


def running(folder: Path) -> list[int]:
    """Processes of rehearsals below a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            environment = (entry / "environ").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        if f"{leash.LEASH_VARIABLE}={folder}/".encode() in environment:
            found.append(int(entry.name))
    return found
