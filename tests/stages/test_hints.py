"""What to do next when the tool of a stage fails."""

from __future__ import annotations

import pytest

from shipway.effects.failures import failure
from shipway.model.actions import Answer, Command
from shipway.model.target import Target
from shipway.model.world import World
from shipway.stages import commit
from shipway.stages.build.commands import build_image
from shipway.tools import cosign_signing
from tests.support.good_image import INDEX


@pytest.mark.parametrize(
    ("stage", "error", "advice"),
    [
        ("build", "exec /bin/sh: exec format error", "--platform=$BUILDPLATFORM"),
        (
            "build",
            "ERROR: Multi-platform build is not supported for the docker driver",
            "docker buildx create --use",
        ),
        ("build", "no match for platform in manifest", "set `platforms`"),
        ("build", "push access denied, authorization failed", "docker login"),
        ("sign", "fetching ambient OIDC credentials", "id-token: write"),
        ("sign", "UNAUTHORIZED: authentication required", "packages: write"),
        ("commit", "! [rejected] main -> main (fetch first)", "the branch moved meanwhile"),
        ("commit", "remote: error: GH006: Protected branch update failed", "GitHub App"),
        ("commit", "remote: Permission to acme/toy.git denied", "contents: write"),
        ("commit", "something else", "goes on where this one stopped"),
    ],
)
def test_known_failures_say_what_to_do_next(
    target: Target, stage: str, error: str, advice: str
) -> None:
    commands = {
        "build": build_image(target),
        "sign": cosign_signing.sign(target, INDEX.digest),
        "commit": commit.plan(target, World())[0],
    }
    command = commands[stage]
    assert isinstance(command, Command)
    explained = failure(command, Answer(code=1, err=error))
    assert advice in explained.hint and error in explained.message
