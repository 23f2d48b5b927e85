"""What cosign is asked, and how its answers are read."""

from __future__ import annotations

import pytest

from shipway.errors import StepFailed
from shipway.image.contents import SPDX
from shipway.model.actions import Answer, Command, ReadBundles
from shipway.model.target import Signer, Target
from shipway.tools import cosign
from shipway.tools.cosign_answers import (
    SIGNATURE,
    Claim,
    count_signatures,
    describe_signer,
    is_signed,
)
from tests.support.conversation import NO_BUNDLES, Script
from tests.support.cosign_lists import COSIGN_2, COSIGN_3, VULNERABILITIES, list_entries
from tests.support.good_image import INDEX

CLAIM = (INDEX.digest, SIGNATURE)


class TestSignatures:
    """Asking for signatures."""

    def test_every_fact_that_is_known_is_pinned(self, target: Target) -> None:
        pinned = Signer(
            identity="i",
            issuer="j",
            repository="acme/toy",
            ref="refs/heads/main",
            commit="c",
            trigger="push",
        )
        argv = cosign.verify_signature(target.image, pinned, INDEX.digest).argv
        for name, fact in (
            ("repository", "acme/toy"),
            ("ref", "refs/heads/main"),
            ("sha", "c"),
            ("trigger", "push"),
        ):
            assert argv[argv.index(f"--certificate-github-workflow-{name}") + 1] == fact

    @pytest.mark.parametrize(
        ("answer", "description"),
        [
            (
                list_entries(COSIGN_2, githubWorkflowSha="5eed", githubWorkflowTrigger="push"),
                "signed by me, commit 5eed, trigger push",
            ),
            (list_entries(COSIGN_2), "signed by me"),
            (list_entries(VULNERABILITIES, COSIGN_3), "signed by me"),
            (
                list_entries(VULNERABILITIES, SPDX, SPDX),
                f"no signature, only attested: {VULNERABILITIES}, {SPDX}",
            ),
            (
                Answer(code=12, err="WARNING: x\nError: none of the expected\n"),
                "none of the expected",
            ),
            (Answer(code=10), "missing"),
        ],
    )
    def test_what_is_seen_of_a_signature(self, answer: Answer, description: str) -> None:
        assert describe_signer(Signer(identity="me"), answer, INDEX.digest) == description

    @pytest.mark.parametrize(
        ("answer", "signed"),
        [
            (list_entries(COSIGN_2), True),
            (list_entries(COSIGN_3), True),
            (list_entries(VULNERABILITIES, SPDX, COSIGN_3), True),
            (list_entries(VULNERABILITIES), False),
            (list_entries(SPDX, "https://slsa.dev/provenance/v1"), False),
            (list_entries("", "https://sigstore.dev/cosign/sign/v2"), False),
            (list_entries(), False),
            (Answer(code=10, err="no signatures found"), False),
            (Answer(code=12, err="none"), False),
            (Answer(code=1, err="Error: no matching signatures: …"), False),
        ],
    )
    def test_answers(self, answer: Answer, signed: bool) -> None:
        assert is_signed(answer, CLAIM) is signed

    def test_an_attestation_is_what_cosign_found_of_its_type(self) -> None:
        assert is_signed(Answer(code=0, out='{"payload": "…"}'), (INDEX.digest, SPDX))
        reason = f"Error: none of the attestations matched the predicate type: x, found: {SPDX}"
        assert not is_signed(Answer(code=1, err=reason), (INDEX.digest, SPDX))

    def test_attestations_are_not_counted(self) -> None:
        listed = list_entries(SPDX, COSIGN_3, VULNERABILITIES, COSIGN_3)
        assert count_signatures(listed, INDEX.digest) == 2

    @pytest.mark.parametrize("text", ["", "[", "{}", "[null]", '[{"critical": 1}]', "Verified OK"])
    def test_a_list_that_cannot_be_read_is_no_answer(self, text: str) -> None:
        with pytest.raises(StepFailed, match="could not ask whether .* cannot be read"):
            is_signed(Answer(code=0, out=text), CLAIM)

    @pytest.mark.parametrize("code", [1, 10, 12])
    def test_a_busy_registry_is_no_answer(self, code: int) -> None:
        reason = "no matching signatures: GET https://r/v2/a/blobs/x: 503 Service Unavailable"
        with pytest.raises(StepFailed, match="could not ask whether") as caught:
            is_signed(Answer(code=code, err=f"Error: {reason}"), CLAIM)
        assert caught.value.passes
        with pytest.raises(StepFailed, match="could not ask whether") as caught:
            is_signed(Answer(code=1, err="Error: no such flag"), CLAIM)
        assert not caught.value.passes

    @pytest.mark.parametrize("predicate_type", [SIGNATURE, SPDX])
    def test_nothing_is_found_only_where_the_registry_has_nothing(
        self, target: Target, predicate_type: str
    ) -> None:
        leaf, index = INDEX.leaves_first[0], INDEX.digest
        nothing = Answer(code=10, err="no signatures found")
        if predicate_type == SPDX:
            nothing = Answer(code=1, err="no matching attestations: \nerror during …")
        questions = {
            (digest, predicate_type): cosign.verify_signature(target.image, target.signer, digest)
            for digest in (leaf, index)
        }
        bundles = {leaf: (), index: ("https://example.org/other", predicate_type)}

        def simulate(*rounds: tuple[object, ...]) -> dict[Claim, Answer]:
            script = Script(*rounds)
            answers = cosign.ask_for_claims(target.image, questions, script)
            assert script.is_over
            return answers

        good = list_entries(COSIGN_3)
        foreign = Answer(code=1, err="no matching attestations: failed to verify")
        assert simulate((good, good)) == dict.fromkeys(questions, good)
        assert simulate((good, nothing), (NO_BUNDLES,))[index, predicate_type] == nothing
        assert simulate((nothing, nothing), (bundles,), (good,)) == {
            (leaf, predicate_type): nothing,
            (index, predicate_type): good,
        }
        repeated = simulate((good, foreign), (bundles,), (foreign,), (nothing,))
        assert repeated[index, predicate_type] == foreign
        with pytest.raises(StepFailed, match=f"could not ask whether {index} is signed") as caught:
            simulate((nothing, nothing), (bundles,), (nothing,))
        assert "cosign 3" in caught.value.hint

    def test_the_registry_is_asked_for_what_cosign_did_not_find_and_nothing_else(
        self, target: Target
    ) -> None:
        leaf, index = INDEX.leaves_first[0], INDEX.digest
        questions = {
            (digest, SIGNATURE): cosign.verify_signature(target.image, target.signer, digest)
            for digest in (leaf, index)
        }
        script = Script((list_entries(COSIGN_3), Answer(code=10)), (NO_BUNDLES,))
        cosign.ask_for_claims(target.image, questions, script)
        question = script.questions[-1]
        assert isinstance(question, ReadBundles)
        assert (question.image, question.digests) == (target.image, (index,))

    @pytest.mark.parametrize(
        ("predicate_type", "first"),
        [
            (SIGNATURE, list_entries(VULNERABILITIES)),
            (SPDX, Answer(code=1, err="Error: none of the attestations matched …, found: x")),
        ],
    )
    def test_what_cosign_2_wrote_is_asked_for_where_bundles_hide_it(
        self, target: Target, predicate_type: str, first: Answer
    ) -> None:
        claim = (INDEX.digest, predicate_type)
        question = cosign.verify_signature(target.image, target.signer, INDEX.digest)
        bundles = {INDEX.digest: (VULNERABILITIES,)}

        def simulate(older: Answer) -> Answer:
            script = Script((first,), (bundles,), (older,))
            answers = cosign.ask_for_claims(target.image, {claim: question}, script)
            last = script.questions[-1]
            assert isinstance(last, Command) and "--new-bundle-format=false" in last.argv
            assert script.is_over
            return answers[claim]

        good = list_entries(COSIGN_2)
        assert simulate(good) == good
        assert simulate(Answer(code=10, err="Error: no signatures found")) == first
        unknown = Answer(code=1, err="Error: unknown flag: --new-bundle-format")
        assert simulate(unknown) == first
        with pytest.raises(StepFailed, match="could not ask whether"):
            simulate(Answer(code=1, err="503 Service Unavailable"))

    @pytest.mark.parametrize("error", ["503 Service Unavailable", ""])
    def test_could_not_ask(self, error: str) -> None:
        with pytest.raises(StepFailed, match="could not ask whether"):
            is_signed(Answer(code=1, err=error), CLAIM)
