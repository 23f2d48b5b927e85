"""cosign that signs without a key, for a Sigstore on loopback."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path

from shipway.effects.processes import Processes
from shipway.model.target import Building, Signer, Target
from shipway.tools import cosign, cosign_signing
from shipway.tools.cosign_answers import SIGNATURE, is_signed
from tests.sigstore.identity import GITHUB, Workflow
from tests.sigstore.service import Sigstore

INDEX = "application/vnd.oci.image.index.v1+json"
CALLED = "acme/ci/.github/workflows/ship.yml@refs/tags/v1"


@dataclass(frozen=True)
class Bench:
    """cosign, a registry and a Sigstore."""

    sigstore: Sigstore
    runner: Processes
    registry: str

    def push(self, name: str) -> str:
        """Push an index of its own; gives its digest."""
        content = json.dumps(
            {"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": {"name": name}}
        ).encode()
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        send(
            f"http://{self.registry}/v2/acme/app/manifests/{digest}",
            "PUT",
            content,
            {"Content-Type": INDEX},
        )
        return digest

    def target(self, expected: Workflow) -> Target:
        """An image by ``expected``."""
        return Target(
            image=f"{self.registry}/acme/app",
            commit=expected.sha,
            branch="main",
            channel="release",
            staging="sha-5eed5ee",
            tags=(),
            platforms=(),
            folder="",
            signer=expect(expected),
            build=Building(run_url="https://github.com/acme/app/actions/runs/1003"),
        )

    def sign(self, digest: str) -> None:
        """As the workflow that the Sigstore hands out tokens for."""
        self.runner(cosign_signing.sign(self.target(self.sigstore.workflow), digest))

    def attest(self, digest: str, predicate: Path) -> None:
        """The result of a scan, as the same workflow."""
        command = cosign_signing.sign(self.target(self.sigstore.workflow), digest)
        program, _, *words = command.argv
        what = ("attest", "--type=vuln", f"--predicate={predicate}")
        self.runner(replace(command, argv=(program, *what, *words)))

    def is_signed(self, digest: str, expected: Workflow) -> bool:
        """Whether cosign finds a signature by ``expected``."""
        target = self.target(expected)
        claim = (digest, SIGNATURE)
        question = cosign.verify_signature(target.image, target.signer, digest)
        return is_signed(self.runner(question), claim)


def expect(workflow: Workflow) -> Signer:
    """The identity, and the caller's repository and branch."""
    return Signer(
        identity=workflow.identity, issuer=GITHUB, repository=workflow.repository, ref=workflow.ref
    )


def send(
    url: str, method: str, content: bytes | None, headers: dict[str, str]
) -> tuple[int, bytes]:
    """(status, body) of a request to this machine."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(
            urllib.request.Request(url, content, headers, method=method), timeout=10
        ) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
