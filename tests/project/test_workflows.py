"""What no run of the workflows on one machine can show: concurrency, permissions, filters, pins (read as data)."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))

Node = dict[str, Any]
"""A mapping of a YAML document; Any, since workflows have no types here."""

PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
TASK = re.compile(r"task [a-z:]+( -- --[a-z]+( [a-z]+)?)?")
INSTALL = re.compile(r"pip install go-task-bin==\d+\.\d+\.\d+")


@functools.cache
def load(name: str) -> Node:
    """One workflow. PyYAML reads the key `on` as the boolean of YAML 1.1; it is given its name back."""
    document: Node = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return {"on" if str(key) == "True" else key: value for key, value in document.items()}


def jobs() -> Iterator[tuple[str, Node]]:
    """Every job of every workflow, with its full name."""
    for file in FILES:
        for name, job in load(file.name)["jobs"].items():
            yield f"{file.stem}.{name}", job


def steps() -> Iterator[tuple[str, Node]]:
    """Every step of every job, with its full name."""
    for name, job in jobs():
        for step in job["steps"]:
            yield f"{name}: {step['name']}", step


def runs(job: Node) -> list[str]:
    """The shell lines of a job."""
    return [step["run"] for step in job["steps"] if "run" in step]


each_job = pytest.mark.parametrize("job", [pytest.param(job, id=name) for name, job in jobs()])
each_step = pytest.mark.parametrize("step", [pytest.param(step, id=name) for name, step in steps()])


def test_the_three_workflows_are_there() -> None:
    assert [file.stem for file in FILES] == ["docs", "quality", "release"]


class TestEveryJob:
    """Permissions, time, token."""

    @each_job
    def test_has_permissions_of_its_own(self, job: Node) -> None:
        assert isinstance(job["permissions"], dict)

    @each_job
    def test_ends_in_time(self, job: Node) -> None:
        assert 0 < job["timeout-minutes"] <= 90

    @each_job
    def test_keeps_the_token_out_of_the_checkout(self, job: Node) -> None:
        assert job["steps"][0]["with"]["persist-credentials"] is False

    @pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
    def test_starts_from_no_permission(self, file: Path) -> None:
        assert load(file.name)["permissions"] == {}

    @pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
    def test_says_why_it_needs_a_permission(self, file: Path) -> None:
        grants = re.findall(
            r"^ +(?:contents|packages|id-token): (?:read|write)(.*)$",
            file.read_text(encoding="utf-8"),
            re.MULTILINE,
        )
        assert grants
        assert all(re.match(r" # to \w+", why) for why in grants)


class TestEveryStep:
    """One task or one pinned action."""

    @each_step
    def test_does_one_thing(self, step: Node) -> None:
        assert ("run" in step) != ("uses" in step)

    @each_step
    def test_calls_task_and_nothing_else(self, step: Node) -> None:
        line = step.get("run", "task ci")
        assert TASK.fullmatch(line) or INSTALL.fullmatch(line)

    @pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
    def test_pins_its_action_by_commit_and_names_the_version(self, file: Path) -> None:
        lines = [
            line.strip()
            for line in file.read_text(encoding="utf-8").splitlines()
            if "uses:" in line
        ]
        assert lines
        assert [line for line in lines if not PINNED.match(line)] == []

    def test_takes_the_same_version_of_an_action_everywhere(self) -> None:
        pins = {step["uses"] for _, step in steps() if "uses" in step}
        assert len(pins) == len({pin.partition("@")[0] for pin in pins})

    def test_installs_the_same_task_everywhere(self) -> None:
        assert (
            len({step["run"] for _, step in steps() if INSTALL.fullmatch(step.get("run", ""))}) == 1
        )


class TestConcurrency:
    """What may be cancelled, and what must not be."""

    def test_cancels_outdated_quality_runs(self) -> None:
        assert load("quality.yml")["concurrency"]["cancel-in-progress"] is True
        assert "github.ref" in load("quality.yml")["concurrency"]["group"]

    @pytest.mark.parametrize("name", ["release.yml", "docs.yml"])
    def test_never_cancels_what_publishes(self, name: str) -> None:
        assert load(name)["concurrency"] == {"group": Path(name).stem, "cancel-in-progress": False}

    def test_lets_one_run_at_a_time_make_the_image_of_a_commit(self) -> None:
        found = load("quality.yml")["jobs"]["image"]["concurrency"]
        assert "github.event.pull_request.head.sha || github.sha" in found["group"]
        assert found["cancel-in-progress"] is False


class TestQuality:
    """The checks that come before everything else."""

    def test_runs_on_every_push_and_every_pull_request(self) -> None:
        assert load("quality.yml")["on"] == {
            "push": {"branches-ignore": ["main"]},
            "pull_request": None,
        }
        assert load("release.yml")["on"] == {"push": {"branches": ["main"]}}

    def test_is_the_same_job_before_images_and_before_releases(self) -> None:
        assert load("quality.yml")["jobs"]["quality"] == load("release.yml")["jobs"]["quality"]

    def test_is_the_contract(self) -> None:
        assert runs(load("quality.yml")["jobs"]["quality"])[-1] == "task ci"

    def test_comes_before_everything_that_builds(self) -> None:
        needs = {name: job["needs"] for name, job in jobs() if "needs" in job}
        assert needs == {
            "quality.image": "quality",
            "quality.image-without-push": "quality",
            "release.release": "quality",
            "release.image": "release",
            "release.docs": "release",
        }


class TestBranchImages:
    """Images of branches and pull requests."""

    def test_go_through_the_pipeline_up_to_their_tags(self) -> None:
        assert runs(load("quality.yml")["jobs"]["image"])[1:] == [
            "task build -- --push",
            "task sign",
            "task attest",
            "task verify",
            "task promote",
        ]

    def test_are_built_from_the_head_of_a_pull_request(self) -> None:
        for name in ("image", "image-without-push"):
            assert (
                "github.event.pull_request.head.sha"
                in load("quality.yml")["jobs"][name]["steps"][0]["with"]["ref"]
            )

    def test_save_a_push_to_main_that_calls_for_no_release(self) -> None:
        job = load("release.yml")["jobs"]["image"]
        assert job["if"] == "needs.release.outputs.released != 'true'"
        other = load("quality.yml")["jobs"]["image"]
        assert (runs(job), job["permissions"]) == (runs(other), other["permissions"])

    def test_of_forks_are_built_with_a_token_that_can_only_read(self) -> None:
        job = load("quality.yml")["jobs"]["image-without-push"]
        assert job["permissions"] == {"contents": "read"}
        assert runs(job)[-1] == "task build"


class TestRelease:
    """The job that releases."""

    def test_sees_the_whole_history(self) -> None:
        for name, job in jobs():
            if name.endswith((".release", ".docs")):
                assert job["steps"][0]["with"]["fetch-depth"] == 0

    def test_is_one_task_that_tells_the_job_what_it_did(self) -> None:
        job = load("release.yml")["jobs"]["release"]
        (step,) = (step for step in job["steps"] if step.get("id") == "release")
        assert step["run"] == "task release -- --until publish"
        assert job["outputs"] == {
            name: f"${{{{ steps.release.outputs.{name} }}}}"
            for name in ("released", "version", "tag")
        }

    def test_takes_nothing_from_a_cache(self) -> None:
        inputs = [step.get("with", {}) for step in load("release.yml")["jobs"]["release"]["steps"]]
        assert not any("cache" in found for found in inputs)
        assert [found[name] for found in inputs for name in found if name.startswith("cache-")] == [
            False,
            False,
        ]

    def test_gives_the_token_to_the_step_that_needs_it_alone(self) -> None:
        holders = {step["run"] for _, step in steps() if "GITHUB_TOKEN" in step.get("env", {})}
        assert holders == {"task release -- --until publish", "task document"}
        assert not any("env" in job for _, job in jobs())


class TestDocs:
    """The jobs that publish the docs."""

    def test_are_published_in_the_run_of_the_release_and_only_then(self) -> None:
        job = load("release.yml")["jobs"]["docs"]
        assert job["needs"] == "release"
        assert job["if"] == "needs.release.outputs.released == 'true'"
        assert runs(job)[-1] == "task document"

    def test_are_published_for_a_release_made_by_hand(self) -> None:
        assert load("docs.yml")["on"] == {
            "release": {"types": ["published"]},
            "workflow_dispatch": None,
        }
        assert runs(load("docs.yml")["jobs"]["docs"])[-1] == "task document"

    def test_are_the_same_job_in_both_places(self) -> None:
        conditions = ("needs", "if")
        one, other = (
            {
                key: value
                for key, value in load(name)["jobs"]["docs"].items()
                if key not in conditions
            }
            for name in ("release.yml", "docs.yml")
        )
        assert one == other


def test_updates_wait_before_they_are_proposed() -> None:
    document = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))
    assert {one["package-ecosystem"] for one in document["updates"]} == {
        "github-actions",
        "pip",
        "docker",
    }
    assert all(one["cooldown"]["default-days"] >= 7 for one in document["updates"])
