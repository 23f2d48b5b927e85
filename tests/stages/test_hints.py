"""What to do next when the tool of a stage fails."""

from __future__ import annotations

import pytest

from shipway.effects.processes import failure
from shipway.model.actions import Answer, Command
from shipway.model.target import Target
from shipway.model.world import World
from shipway.stages import build, commit, sign
from tests.support.good_image import INDEX


@pytest.mark.parametrize(
    ("stage", "said", "hint"),
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
    target: Target, stage: str, said: str, hint: str
) -> None:
    commands = {
        "build": build.build_command(target),
        "sign": sign.sign_command(target, INDEX.digest),
        "commit": commit.plan(target, World())[0],
    }
    command = commands[stage]
    assert isinstance(command, Command)
    error = failure(command, Answer(code=1, err=said))
    assert hint in error.hint and said in error.message
