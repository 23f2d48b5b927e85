"""In which form attestations are pushed."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from shipway.effects.failures import failure
from shipway.effects.processes import Processes
from shipway.model.actions import Answer, Command
from shipway.model.target import Building, Cache, Target
from shipway.stages.build import commands as build
from tests.support.targets import change_settings

GITLAB = (
    "ERROR: failed to build: failed to solve: failed to push registry.gitlab.com/acme/toy:sha-1: "
    f"unknown: blob unknown to registry - sha256:{'a' * 64}"
)
REFUSALS = [
    GITLAB,
    "error from registry: blob unknown to registry - sha256:1",
    "Error response from registry: manifest blob unknown: blob unknown to registry: sha256:1",
    "400 Bad Request: MANIFEST_BLOB_UNKNOWN: blob unknown to registry",
    "failed to push r.example/a:b: unknown: manifest invalid: manifest invalid",
    "failed to push r.example/a:b: 400 Bad Request: MANIFEST_INVALID: manifest invalid",
    "failed to push r.example/a:b: unknown media type: application/vnd.oci.empty.v1+json",
    "failed to push r.example/a:b: unsupported: artifactType is not allowed",
]


def output_of(argv: tuple[str, ...]) -> str:
    """What is said of the image that is pushed."""
    (output,) = [word for word in argv if word.startswith("--output=")]
    return output


def with_cache(target: Target) -> Target:
    """The target, with a cache that may break."""
    return replace(target, build=Building(cache=Cache(reads=("type=local,src=c",))))


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("cached", [False, True])
def test_a_registry_that_refuses_artifacts_gets_the_form_before(
    target: Target, refusal: str, cached: bool
) -> None:
    command = build.build_image(with_cache(target) if cached else target)
    assert "oci-artifact" not in output_of(command.argv)
    matching = [other for other in command.fallbacks if re.search(other.pattern, refusal)]
    (older,) = matching
    assert output_of(older.argv) == f"{output_of(command.argv)},oci-artifact=false"
    changed = set(older.argv).symmetric_difference(command.argv)
    assert changed == {output_of(older.argv), output_of(command.argv)}
    assert "oci-artifact = false" in older.reason and not older.pause


@pytest.mark.parametrize(("artifact", "form"), [(True, "true"), (False, "false")])
def test_what_the_settings_say_is_written_out_and_kept(
    target: Target, artifact: bool, form: str
) -> None:
    chosen = change_settings(with_cache(target), "build", oci_artifact=artifact)
    command = build.build_image(chosen)
    lines = [command.argv, *(other.argv for other in command.fallbacks)]
    assert len(lines) == 3
    for argv in lines:
        assert output_of(argv).endswith(f",oci-artifact={form}")
    assert not [other for other in command.fallbacks if re.search(other.pattern, GITLAB)]
    error = failure(command, Answer(code=1, err=GITLAB))
    assert "set `oci-artifact = false` in [tool.shipway.build]" in error.hint


def test_other_builds_have_no_attestations(target: Target) -> None:
    chosen = change_settings(target, "build", oci_artifact=False)
    for command in (build.build_here(chosen), build.build_layout(chosen, "out")):
        assert not [word for word in command.argv if "oci-artifact" in word]


def test_other_failures_are_no_reason(target: Target) -> None:
    (older,) = [
        other for other in build.build_image(target).fallbacks if "artifacts" in other.reason
    ]
    for error in (
        "denied: access forbidden",
        "blob sha256:1: not found",
        "failed to push r.example/a:b: 503 Service Unavailable",
        "blob unknown",
        "unsupported media type application/vnd.oci.image.layer.v1.tar+xz",
    ):
        assert not re.search(older.pattern, error)


def test_the_second_try_is_told_and_pushes(target: Target) -> None:
    commands: list[Command] = []
    lines: list[str] = []

    class Docker(Processes):
        """Refuses artifacts, as gitlab.com does."""

        def _run(self, command: Command, content: bytes | None) -> Answer:
            commands.append(command)
            refused = "oci-artifact=false" not in output_of(command.argv)
            return Answer(code=1, err=GITLAB) if refused else Answer(code=0)

    assert Docker({}, echo=lines.append)(build.build_image(target)).code == 0
    assert len(commands) == 2 and len(lines) == 1
    assert "takes no attestations as OCI artifacts" in lines[0] and "run once more" in lines[0]


def test_a_cache_that_breaks_besides_changes_nothing_of_the_form(target: Target) -> None:
    commands: list[Command] = []
    broken = f"ERROR: failed to solve: failed to copy: GET http://c/{'a' * 9}"

    class Docker(Processes):
        """Refuses artifacts; the cache breaks whenever it is read."""

        def _run(self, command: Command, content: bytes | None) -> Answer:
            commands.append(command)
            if any(word.startswith("--cache-from") for word in command.argv):
                return Answer(code=1, err=broken)
            refused = "oci-artifact=false" not in output_of(command.argv)
            return Answer(code=1, err=GITLAB) if refused else Answer(code=0)

    build_command = build.build_image(with_cache(target))
    assert Docker({}, wait=lambda _seconds: None)(build_command).code == 0
    assert len(commands) == 4
