"""`shipway verify IMAGE` with the real cosign and a Sigstore on loopback: a good release holds, an attack is refused.

It takes cosign (2.5 or 3) and a registry, as `test_keyless.py` does; the images are made without an engine.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from shipway.effects.read_image import describe_image
from shipway.image.contents import Contents
from shipway.run.verify import Verdict, verify_image
from shipway.target.from_image import Expectation
from tests.sigstore.identity import Workflow
from tests.support.kept import shipway
from tests.support.keyless import CALLED, Bench
from tests.support.model_remotes import provenance_of
from tests.support.published import COMMIT, FROM_APP, INDEX, MANIFEST, Recipe, Shelf

pytestmark = pytest.mark.engine

WANTED = Expectation(repository="acme/app", transparency_log=False)
GOOD = Recipe()


def send(
    url: str, method: str, content: bytes | None, headers: dict[str, str]
) -> tuple[int, dict[str, str]]:
    """(status, headers) of a request to this machine."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(
            urllib.request.Request(url, content, headers, method=method), timeout=10
        ) as answer:
            return answer.status, dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers)


@dataclass(frozen=True)
class Market:
    """Where images are published, signed and looked at."""

    bench: Bench
    environment: dict[str, str]

    @property
    def image(self) -> str:
        """The image under test."""
        return f"{self.bench.registry}/acme/app:v1.2.3"

    def publish(self, recipe: Recipe = GOOD) -> tuple[str, ...]:
        """Publish it; nobody has signed it yet."""
        return Shelf(f"http://{self.bench.registry}/v2/acme/app", send).publish(recipe, "v1.2.3")

    def sign(self, digests: tuple[str, ...], workflow: Workflow | None = None) -> None:
        """Sign by digest, as ``workflow``."""
        self.bench.sigstore.workflow = workflow or Workflow()
        for digest in digests:
            self.bench.sign(digest)

    def verify(self, wanted: Expectation = WANTED) -> Verdict:
        """As a consumer."""
        return verify_image(self.image, wanted, self.environment)

    def faults(self, wanted: Expectation = WANTED) -> str:
        """What does not hold."""
        return "\n".join(
            f"{point.name}: {point.observation}" for point in self.verify(wanted).faults
        )


@pytest.fixture(name="market")
def fixture_market(bench: Bench) -> Iterator[Market]:
    """Everything, for one test. The consumer's environment has neither a job's token nor its variables."""
    environment = {
        name: value
        for name, value in bench.runner.public.items()
        if not name.startswith(("GITHUB", "ACT"))
    }
    yield Market(bench, environment)


def test_what_is_only_attested_is_not_signed_and_attestations_hide_no_signature(
    market: Market, tmp_path: Path
) -> None:
    digests = market.publish()
    predicate = tmp_path / "scan.json"
    predicate.write_text('{"scanner": {"result": "failed"}}')
    market.bench.sigstore.workflow = Workflow()
    for digest in digests:
        market.bench.attest(digest, predicate)
    signatures = [point for point in market.verify().points if point.name.startswith("signature")]
    assert signatures and not [point for point in signatures if point.holds]
    market.sign(digests)
    assert not market.faults()


def test_a_good_release_is_verified_by_the_program_from_nowhere(
    market: Market, tmp_path: Path
) -> None:
    market.sign(market.publish())
    (tmp_path / "empty").mkdir()
    (tmp_path / "policy.toml").write_text(
        'licenses = ["MIT"]\nplatforms = ["linux/amd64", "linux/arm64"]\n'
    )
    words = (
        "verify",
        market.image,
        "--repository",
        "acme/app",
        "--no-transparency-log",
        "--policy",
        str(tmp_path / "policy.toml"),
    )
    for kind in ((), ("--json",)):
        done = subprocess.run(
            shipway(*words, *kind),
            cwd=tmp_path / "empty",
            env=market.environment,
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["verified"] is True
    done = subprocess.run(
        shipway("verify", market.image, "--repository", "mallory/app", "--no-transparency-log"),
        cwd=tmp_path / "empty",
        env=market.environment,
        text=True,
        capture_output=True,
        check=False,
    )
    assert (
        done.returncode == 7
        and "mallory/app" in done.stderr
        and "FAIL  signature of" in done.stdout
    )


def documented(start: str, market: Market) -> str:
    """The commands in the docs' block that begins with ``start``, for the image under test."""
    text = (Path(__file__).parents[2] / "docs/verify.md").read_text(encoding="utf-8")
    block = re.search(rf"```sh\n({start}.*?)```", text, re.DOTALL)
    assert block
    return (
        block[1]
        .replace("ghcr.io/owner/name", market.image.rpartition(":")[0])
        .replace("owner/name", "acme/app")
    )


def test_the_documented_command(market: Market) -> None:
    # An image in another registry than GitHub's, and signatures that are in no log, have to be told of.
    script = (
        documented("shipway verify", market).strip()
        + " --repository acme/app --no-transparency-log"
    )
    digests, here = market.publish(), str(Path(sys.executable).parent)
    for code in (7, 0):
        done = subprocess.run(
            ("sh", "-ec", script),
            text=True,
            capture_output=True,
            check=False,
            env={**market.environment, "PATH": os.pathsep.join([here, market.environment["PATH"]])},
        )
        assert done.returncode == code, done.stdout + done.stderr
        market.sign(digests)


def test_the_documented_commands_of_cosign_alone(
    market: Market, environment: dict[str, str]
) -> None:
    client = {name: value for name, value in environment.items() if name.startswith("DOCKER_")}
    digests = market.publish()
    for signed in (False, True):
        done = subprocess.run(
            ("sh", "-ec", documented("IMAGE=", market)),
            text=True,
            capture_output=True,
            check=False,
            env={**market.environment, **client},
        )
        assert (done.returncode == 0) is signed, done.stderr
        assert signed or "no signatures found" in done.stderr, done.stderr
        market.sign(digests[-1:])


class TestSignatures:
    """Who signed what."""

    def test_nobody(self, market: Market) -> None:
        digests = market.publish()
        assert all(f"signature of {digest[:19]}" in market.faults() for digest in digests)

    @pytest.mark.parametrize("position", [1, 2])
    def test_all_but_one_entry(self, market: Market, position: int) -> None:
        digests = market.publish()
        market.sign(tuple(digest for digest in digests if digest != digests[position]))
        assert market.faults().splitlines() and all(
            line.startswith(f"signature of {digests[position][:19]}")
            for line in market.faults().splitlines()
        )

    def test_another_image_under_the_tag_of_a_signed_one(self, market: Market) -> None:
        market.sign(market.publish())
        digests = market.publish(GOOD.but(extra="evil"))
        assert f"signature of {digests[-1][:19]} (the index)" in market.faults()

    @pytest.mark.parametrize(
        ("workflow", "seen"),
        [
            (Workflow(file=".github/workflows/other.yml"), "other.yml"),
            (Workflow(repository="acme/app-evil"), "app-evil|repository"),
            (Workflow(ref="refs/heads/main-evil"), "main-evil|ref"),
            (Workflow(sha="0bad" * 10), "sha"),
            (Workflow(called=CALLED), "acme/ci"),
        ],
        ids=[
            "another workflow",
            "another repository",
            "a branch that starts alike",
            "another commit",
            "a called one",
        ],
    )
    def test_somebody_else(self, market: Market, workflow: Workflow, seen: str) -> None:
        market.sign(market.publish(), workflow)
        found = market.faults()
        assert found.count("signature of") == 5 and re.search(seen, found.lower())

    def test_another_caller_of_the_same_reusable_workflow(self, market: Market) -> None:
        wanted = replace(WANTED, identity=f"https://github.com/{CALLED}")
        digests = market.publish()
        market.sign(digests, Workflow(called=CALLED, repository="mallory/app"))
        assert market.faults(wanted).count("signature of") == 5
        market.sign(digests, Workflow(called=CALLED))
        assert not market.faults(wanted)

    def test_another_event(self, market: Market) -> None:
        market.sign(market.publish(), Workflow(event="workflow_dispatch"))
        assert not market.faults(replace(WANTED, trigger="workflow_dispatch"))
        assert market.faults(replace(WANTED, trigger="push")).count("signature of") == 5


@pytest.mark.parametrize(
    ("recipe", "point"),
    [
        (GOOD.but(subject="sha256:" + "ab" * 32), "subjects of linux/amd64"),
        (GOOD.but(attestations=2), "attestations of linux/amd64: 2"),
        (
            GOOD.but(installed=("toy", "evil")),
            "SBOM of linux/amd64 names what is installed: it leaves out evil 1.0",
        ),
        (GOOD.but(listed=()), "SBOM of linux/arm64: 0 packages"),
        (
            GOOD.but(provenance=provenance_of("0bad" * 10, **FROM_APP)),
            "source of linux/amd64: https://github.com/acme/app at 0bad",
        ),
        (
            GOOD.but(provenance=provenance_of(COMMIT, **{**FROM_APP, "builder": {"id": ""}})),
            "built by nobody",
        ),
    ],
    ids=[
        "another subject",
        "two attestation manifests",
        "a distribution that is not listed",
        "an empty SBOM",
        "another commit",
        "no builder",
    ],
)
def test_a_signature_does_not_make_up_for_the_content(
    market: Market, recipe: Recipe, point: str
) -> None:
    market.sign(market.publish(recipe))
    found = market.faults()
    assert point in found and "signature of" not in found


def test_a_tag_that_moves_meanwhile(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    market.sign(market.publish())

    def describe_slowly(name: str, digest: str, environment: Mapping[str, str]) -> Contents:
        contents = describe_image(name, digest, environment)
        market.publish(GOOD.but(extra="evil"))
        return contents

    monkeypatch.setattr("shipway.effects.questions.describe_image", describe_slowly)
    assert market.faults().startswith(f"{market.image} still there: sha256:")


def test_a_signature_that_is_lost(market: Market) -> None:
    digests = market.publish()
    market.sign(digests)
    address = f"http://{market.bench.registry}/v2/acme/app/manifests"
    for tag in (f"sha256-{digests[0][7:]}", f"sha256-{digests[0][7:]}.sig"):
        _, headers = send(f"{address}/{tag}", "GET", None, {"Accept": f"{INDEX}, {MANIFEST}"})
        if found := headers.get("Docker-Content-Digest"):
            assert send(f"{address}/{found}", "DELETE", None, {})[0] == 202
    assert market.faults().startswith(f"signature of {digests[0][:19]}")
