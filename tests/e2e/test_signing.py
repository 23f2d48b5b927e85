"""Signing again, signing after a kill, and two who sign at the same moment; the registry lists no referrers."""

from __future__ import annotations

import base64
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from shipway.effects.registry import connect
from shipway.effects.statements import is_image
from shipway.stages.attest import KINDS
from tests.support.kept import Kept, shipway
from tests.support.repositories import git
from tests.support.toy import Toy

pytestmark = pytest.mark.engine
SEED = int(os.environ.get("SHIPWAY_SEED") or random.randrange(10**6))


@pytest.fixture(name="digests")
def fixture_digests(toy: Toy) -> list[str]:
    """The entries of a pushed image, the index last; nobody has signed it."""
    digest = toy.run("build", "--push")["digest"]
    with connect(toy.image, toy.environment) as registry:
        _, index = registry.manifest(digest)
    return [*(entry.digest for entry in index.manifests or ()), digest]


def count(kept: Kept, toy: Toy, digests: list[str]) -> list[int]:
    """How many signatures of the toy's key cosign finds on each digest."""
    key = str(toy.folder / "cosign.pub")
    return [
        len(
            json.loads(
                kept.run(
                    "cosign",
                    "verify",
                    "--key",
                    key,
                    "--insecure-ignore-tlog=true",
                    "--output=json",
                    f"{toy.image}@{one}",
                )
            )
        )
        for one in digests
    ]


def test_signing_twice_adds_nothing(kept: Kept, toy: Toy, digests: list[str]) -> None:
    first, second = toy.run("sign"), toy.run("sign")
    assert first["stages"][-1]["outcome"] == "done"
    assert first["stages"][-1]["reason"] == "5 of 5 entries are signed, 5 signatures"
    assert second["stages"][-1]["outcome"] == "skipped" and count(kept, toy, digests) == [1] * 5


def read_entries(toy: Toy, digest: str) -> tuple[list[str], list[str]]:
    """Read the digests of an index's images, and cosign's names of what is stated of each."""
    with connect(toy.image, toy.environment) as registry:
        _, index = registry.manifest(digest)
        entries = index.manifests or ()
        images = [entry.digest for entry in entries if is_image(entry)]
        statements = next(entry.digest for entry in entries if entry.digest not in images)
        _, held = registry.manifest(statements)
    types = [layer.annotation("in-toto.io/predicate-type") for layer in held.layers or ()]
    return images, [kind for name, kind in KINDS.items() if name in types]


def read_statement(printed: str) -> dict[str, Any]:  # Any: a JSON document
    """Read the one statement that cosign printed."""
    (envelope,) = map(json.loads, printed.splitlines())
    statement: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))
    return statement


def test_attestations_are_signed_beside_the_images_own_and_only_once(kept: Kept, toy: Toy) -> None:
    toy.write(settings="attest = true\n")
    digest = toy.run("build", "--push")["digest"]
    toy.run("sign")
    first, second = toy.run("attest"), toy.run("attest")
    assert first["stages"][-1]["outcome"] == "done" and second["stages"][-1]["outcome"] == "skipped"
    assert (
        first["stages"][-1]["reason"]
        == second["stages"][-1]["reason"]
        == "4 of 4 attestations are signed"
    )
    images, kinds = read_entries(toy, digest)
    for image, kind in itertools.product(images, kinds):
        printed = kept.run(
            "cosign",
            "verify-attestation",
            "--key",
            str(toy.folder / "cosign.pub"),
            f"--type={kind}",
            "--insecure-ignore-tlog=true",
            f"{toy.image}@{image}",
        )
        statement = read_statement(printed)
        assert KINDS[statement["predicateType"]] == kind and statement["predicate"]
        assert [one["digest"]["sha256"] for one in statement["subject"]] == [
            image.removeprefix("sha256:")
        ]
    assert toy.run("verify")["stages"][-1]["outcome"] == "done"


@pytest.mark.parametrize("attempt", range(4))
def test_signing_after_a_kill_completes(
    kept: Kept, toy: Toy, digests: list[str], attempt: int
) -> None:
    moment = random.Random(SEED + attempt).uniform(0.3, 2.0)
    killed = toy.start("sign")
    time.sleep(moment)
    killed.kill()
    killed.wait()
    # What it had started goes on for a moment: it may still sign.
    assert toy.run("sign")["stages"][-1]["reason"].startswith("5 of 5 entries are signed"), (
        f"SHIPWAY_SEED={SEED}"
    )
    assert all(count(kept, toy, digests)), f"SHIPWAY_SEED={SEED}, killed after {moment:.2f} s"
    assert toy.run("verify")["stages"][-1]["outcome"] == "done"


def test_two_who_sign_at_the_same_moment_leave_every_entry_signed(
    kept: Kept, toy: Toy, digests: list[str]
) -> None:
    signers = [toy.start("sign") for _ in range(3)]
    assert [signer.wait(timeout=120) for signer in signers] == [0, 0, 0]
    assert all(1 <= found <= 3 for found in count(kept, toy, digests))
    assert toy.run("sign")["stages"][-1]["outcome"] == "skipped"


def test_anybody_verifies_from_anywhere_without_a_secret(kept: Kept, toy: Toy) -> None:
    git(toy.folder, "remote", "add", "origin", "https://github.com/acme/toy.git")
    digest = toy.run("build", "--push")["digest"]
    toy.run("sign")
    with tempfile.TemporaryDirectory() as folder:
        # A place that everybody may read, with cosign, the public key, and nothing of the signer's.
        nowhere = Path(folder)
        nowhere.chmod(0o755)
        shutil.copy(str(shutil.which("cosign", path=kept.environment["PATH"])), nowhere)
        shutil.copy(toy.folder / "cosign.pub", nowhere)
        words = shipway(
            "verify",
            f"{toy.image}@{digest}",
            "--key",
            "cosign.pub",
            "--no-transparency-log",
            "--json",
        )
        done = subprocess.run(
            (*somebody(nowhere), *words),
            cwd=nowhere,
            text=True,
            capture_output=True,
            check=False,
            env={"PATH": f"{nowhere}:{os.defpath}", "HOME": "/nonexistent"},
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["verified"] is True


def somebody(folder: Path) -> tuple[str, ...]:
    """Words that run a command as nobody, where that is possible: Python may lie in a folder that is root's alone."""
    words = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    if sys.platform == "win32" or os.geteuid() != 0 or not shutil.which("setpriv"):
        return ()
    tried = subprocess.run(
        (*words, sys.executable, "-c", "import shipway"),
        cwd=folder,
        check=False,
        stderr=subprocess.DEVNULL,
    )
    return () if tried.returncode else words
