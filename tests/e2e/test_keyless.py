"""Keyless signing with the real cosign and the commands of the stage, against a Sigstore on loopback.

It takes cosign (2.5 or 3) and a registry; of a Docker Engine only where the registry's program is not on PATH.
"""

from __future__ import annotations

import base64
import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shipway.effects.executor import Executor
from shipway.effects.questions import Answerer
from shipway.errors import StepFailed, VerificationFailed
from shipway.image.index import Entry, Index
from shipway.model.actions import Answer, Command
from shipway.model.stage import Finding, Stage, State
from shipway.run.reconcile import reconcile
from shipway.settings import Settings
from shipway.stages import sign
from shipway.target.context import Facts, detect
from shipway.target.plan import plan_signer
from tests.sigstore.identity import Workflow
from tests.sigstore.keys import make_root
from tests.sigstore.service import Sigstore, stand_up
from tests.sigstore.timestamps import make_timestamp_authority
from tests.sigstore.transparency import Log
from tests.sigstore.trust import write_trust
from tests.support.keyless import CALLED, Bench, expect, send

pytestmark = pytest.mark.engine


@pytest.fixture(name="sigstore")
def fixture_sigstore(tmp_path: Path) -> Iterator[Sigstore]:
    """The services alone."""
    with stand_up(tmp_path) as sigstore:
        yield sigstore


class TestWithCosign:
    """The whole way, as a job on GitHub goes it."""

    def test_what_a_workflow_signs_is_signed_by_it_and_by_nobody_else(self, bench: Bench) -> None:
        signed, unsigned = bench.push("signed"), bench.push("unsigned")
        workflow = bench.sigstore.workflow
        bench.sign(signed)
        assert bench.is_signed(signed, workflow) and not bench.sigstore.refusals
        assert not bench.is_signed(unsigned, workflow)
        for other in (
            replace(workflow, file=".github/workflows/other.yml"),
            replace(workflow, ref="refs/heads/fork"),
            replace(workflow, repository="acme/app-evil"),
            replace(workflow, called=CALLED),
        ):
            assert not bench.is_signed(signed, other), other

    def test_a_reusable_workflow_signs_for_its_caller(self, bench: Bench) -> None:
        digest = bench.push("called")
        bench.sigstore.workflow = replace(bench.sigstore.workflow, called=CALLED)
        bench.sign(digest)
        assert bench.is_signed(digest, bench.sigstore.workflow)
        assert not bench.is_signed(
            digest, replace(bench.sigstore.workflow, repository="mallory/app")
        )

    @pytest.mark.parametrize(
        "workflow",
        [Workflow(lifetime=-60), Workflow(audience="somebody-else")],
        ids=["expired", "wrong audience"],
    )
    def test_a_token_that_is_not_good_signs_nothing(self, bench: Bench, workflow: Workflow) -> None:
        digest = bench.push("refused")
        bench.sigstore.workflow = workflow
        with pytest.raises(StepFailed, match="400"):
            bench.sign(digest)
        assert not bench.is_signed(digest, workflow)

    def test_an_attestation_is_no_signature(self, bench: Bench, tmp_path: Path) -> None:
        digest, workflow = bench.push("attested"), bench.sigstore.workflow
        predicate = tmp_path / "scan.json"
        predicate.write_text('{"scanner": {"result": "failed"}}')
        bench.attest(digest, predicate)
        assert not bench.is_signed(digest, workflow)
        bench.sign(digest)
        assert bench.is_signed(digest, workflow)

    def test_what_the_stage_does_not_accept_it_signs_once(self, bench: Bench) -> None:
        leaves = [bench.push(name) for name in ("amd64", "arm64")]
        entries = tuple(
            Entry(digest=digest, platform=f"linux/{name}")
            for digest, name in zip(leaves, ("amd64", "arm64"), strict=True)
        )
        index = Index(digest=bench.push("index"), entries=entries)
        there = Stage(
            name="there",
            observe=lambda _target, world, _ask: replace(world, index=index),
            judge=lambda _target, _world: Finding(State.SAME, "pushed"),
            plan=lambda _target, _world: (),
            simulate=lambda _target, world: world,
        )
        target = bench.target(bench.sigstore.workflow)
        called = replace(bench.sigstore.workflow, called=CALLED)
        bench.sigstore.workflow = called
        signed: list[str] = []

        def run(command: Command) -> Answer:
            answer = bench.runner(command)
            if command.argv[:2] == ("cosign", "sign"):
                signed.append(command.argv[-1].partition("@")[2])
            return answer

        executor = Executor(runner=run, answers=Answerer({}))
        with pytest.raises(VerificationFailed) as caught:
            reconcile((there, sign.STAGE), target, executor, record=lambda _: None)
        assert signed == leaves[:1]
        assert f"https://github.com/{CALLED}" in caught.value.message
        assert f"the settings expect {target.signer.identity} by" in caught.value.hint
        bench.sigstore.workflow = replace(called, called="")
        reconcile((there, sign.STAGE), target, executor, record=lambda _: None)
        # The first leaf has both signatures now.
        assert signed == [leaves[0], leaves[0], leaves[1], index.digest]

    def test_a_signature_outlives_its_certificate(self, bench: Bench) -> None:
        digest, sigstore = bench.push("old"), bench.sigstore
        sigstore.authority = replace(sigstore.authority, lifetime=timedelta(seconds=2))
        bench.sign(digest)
        time.sleep(3)
        assert bench.is_signed(digest, sigstore.workflow)

    def test_a_signature_from_after_the_end_of_its_certificate_is_none(self, bench: Bench) -> None:
        digest, sigstore = bench.push("late"), bench.sigstore
        sigstore.timestamps = replace(sigstore.timestamps, drift=timedelta(hours=1))
        # cosign 3 looks before it pushes, cosign 2 when it verifies.
        with contextlib.suppress(StepFailed):
            bench.sign(digest)
        assert not bench.is_signed(digest, sigstore.workflow)

    @pytest.mark.parametrize("other", ["log", "root", "timestamps"])
    def test_a_verifier_that_does_not_trust_one_of_the_services_refuses(
        self, bench: Bench, other: str, tmp_path: Path
    ) -> None:
        digest, sigstore = bench.push(other), bench.sigstore
        authority, timestamps = sigstore.authority, sigstore.timestamps
        known = {
            "log": (replace(authority, log=Log()), timestamps),
            "root": (replace(authority, root=make_root("another")), timestamps),
            "timestamps": (authority, make_timestamp_authority()),
        }
        bench.sign(digest)
        write_trust(tmp_path, sigstore.url, *known[other])
        assert not bench.is_signed(digest, sigstore.workflow)
        write_trust(tmp_path, sigstore.url, authority, timestamps)
        assert bench.is_signed(digest, sigstore.workflow)


@pytest.mark.parametrize("kind", ["release", "other image"])
def test_shipway_expects_what_the_certificate_says(kind: str) -> None:
    workflow = Workflow()
    environment = workflow.variables()
    context = detect(Facts(environment=environment))
    assert plan_signer(Settings(), context, {} if kind == "release" else environment) == expect(
        workflow
    )


class TestAuthority:
    """What is refused, without cosign: it never asks for any of this."""

    def test_a_token_is_for_the_job_that_has_the_bearer(self, sigstore: Sigstore) -> None:
        assert self.token(sigstore, "guessed") == (401, "")
        status, token = self.token(sigstore, sigstore.issuer.bearer)
        assert status == 200 and token.count(".") == 2

    @pytest.mark.parametrize("version", [1, 2])
    def test_a_certificate_is_for_whoever_has_the_key(
        self, sigstore: Sigstore, version: int
    ) -> None:
        _, token = self.token(sigstore, sigstore.issuer.bearer)
        key, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        status, pem = self.ask(sigstore, token, key, key, version)
        (name,) = (
            x509.load_pem_x509_certificate(pem)
            .extensions.get_extension_for_class(x509.SubjectAlternativeName)
            .value.get_values_for_type(x509.UniformResourceIdentifier)
        )
        assert status in (200, 201) and name == sigstore.workflow.identity
        assert self.ask(sigstore, token, key, other, version)[0] == 400
        assert "signature" in sigstore.refusals[-1]

    def test_a_token_of_another_issuer_is_refused(self, sigstore: Sigstore, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        key = ec.generate_private_key(ec.SECP256R1())
        with stand_up(tmp_path / "other") as other:
            token = other.issuer.mint(other.workflow, "sigstore")
        assert self.ask(sigstore, token, key, key, 1)[0] == 400
        head, _, signature = token.split(".")
        nobody = ".".join(
            (head, base64.urlsafe_b64encode(b'{"alg": "none"}').decode().rstrip("="), signature)
        )
        assert self.ask(sigstore, nobody, key, key, 1)[0] == 400

    @staticmethod
    def token(sigstore: Sigstore, bearer: str) -> tuple[int, str]:
        """(status, token) from the runner's endpoint."""
        url = sigstore.environment()["ACTIONS_ID_TOKEN_REQUEST_URL"]
        status, body = send(
            f"{url}&audience=sigstore", "GET", None, {"Authorization": f"Bearer {bearer}"}
        )
        return status, json.loads(body).get("value", "")

    @staticmethod
    def ask(
        sigstore: Sigstore,
        token: str,
        key: ec.EllipticCurvePrivateKey,
        prover: ec.EllipticCurvePrivateKey,
        version: int,
    ) -> tuple[int, bytes]:
        """(status, PEM) for ``key``, with a proof of ``prover``, by either version of the API."""
        pem = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        proof = base64.b64encode(
            prover.sign(sigstore.workflow.claims()["sub"].encode(), ec.ECDSA(hashes.SHA256()))
        )
        body: object = {
            "publicKey": {"content": base64.b64encode(pem).decode()},
            "signedEmailAddress": proof.decode(),
        }
        if version == 2:
            body = {
                "publicKeyRequest": {
                    "publicKey": {"algorithm": "ECDSA", "content": pem.decode()},
                    "proofOfPossession": proof.decode(),
                }
            }
        status, answer = send(
            f"{sigstore.url}/api/v{version}/signingCert",
            "POST",
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {token}"},
        )
        if version == 2 and status == 200:
            (leaf, _) = json.loads(answer)["signedCertificateEmbeddedSct"]["chain"]["certificates"]
            return status, leaf.encode()
        return status, answer
