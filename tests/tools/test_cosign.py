"""What cosign is asked, and how its answers are read."""

from __future__ import annotations

import pytest

from shipway.errors import StepFailed
from shipway.image.contents import SPDX
from shipway.model.actions import Answer, ReadBundles
from shipway.model.target import Signer, Target
from shipway.tools import cosign
from tests.support.conversation import NO_BUNDLES, Script
from tests.support.good_image import INDEX


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
                Answer(
                    code=0,
                    out='[{"optional": {"githubWorkflowSha": "5eed", '
                    '"githubWorkflowTrigger": "push"}}]',
                ),
                "signed by me, commit 5eed, trigger push",
            ),
            (Answer(code=0, out='[{"optional": {}}]'), "signed by me"),
            (Answer(code=0, out="\n"), "signed by me"),
            (
                Answer(code=12, err="WARNING: x\nError: none of the expected\n"),
                "none of the expected",
            ),
            (Answer(code=10), "missing"),
        ],
    )
    def test_what_is_seen_of_a_signature(self, answer: Answer, description: str) -> None:
        assert cosign.describe_signer(Signer(identity="me"), answer) == description

    @pytest.mark.parametrize(
        ("answer", "signed"),
        [
            (Answer(code=0), True),
            (Answer(code=10, err="no signatures found"), False),
            (Answer(code=12, err="none"), False),
            (Answer(code=1, err="Error: no matching signatures: …"), False),
        ],
    )
    def test_answers(self, answer: Answer, signed: bool) -> None:
        assert cosign.is_signed(answer, INDEX.digest) is signed

    @pytest.mark.parametrize("code", [1, 10, 12])
    def test_a_busy_registry_is_no_answer(self, code: int) -> None:
        reason = "no matching signatures: GET https://r/v2/a/blobs/x: 503 Service Unavailable"
        with pytest.raises(StepFailed, match="could not ask whether") as caught:
            cosign.is_signed(Answer(code=code, err=f"Error: {reason}"), INDEX.digest)
        assert caught.value.passes
        with pytest.raises(StepFailed, match="could not ask whether") as caught:
            cosign.is_signed(Answer(code=1, err="Error: no such flag"), INDEX.digest)
        assert not caught.value.passes

    @pytest.mark.parametrize("predicate_type", [cosign.SIGNATURE, SPDX])
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

        def simulate(*rounds: tuple[object, ...]) -> dict[cosign.Claim, Answer]:
            script = Script(*rounds)
            answers = cosign.ask_for_claims(target.image, questions, script)
            assert script.is_over
            return answers

        good = Answer(code=0, out="[{}]")
        foreign = Answer(code=1, err="no matching attestations: failed to verify")
        assert simulate((good, good)) == dict.fromkeys(questions, good)
        assert simulate((good, nothing), (NO_BUNDLES,))[index, predicate_type] == nothing
        assert simulate((nothing, nothing), (bundles,), (good,)) == {
            (leaf, predicate_type): nothing,
            (index, predicate_type): good,
        }
        repeated = simulate((good, foreign), (bundles,), (foreign,))
        assert repeated[index, predicate_type] == foreign
        with pytest.raises(StepFailed, match=f"could not ask whether {index} is signed") as caught:
            simulate((nothing, nothing), (bundles,), (nothing,))
        assert "cosign 3" in caught.value.hint

    def test_the_registry_is_asked_for_what_cosign_did_not_find_and_nothing_else(
        self, target: Target
    ) -> None:
        leaf, index = INDEX.leaves_first[0], INDEX.digest
        questions = {
            (digest, cosign.SIGNATURE): cosign.verify_signature(target.image, target.signer, digest)
            for digest in (leaf, index)
        }
        script = Script((Answer(code=0), Answer(code=10)), (NO_BUNDLES,))
        cosign.ask_for_claims(target.image, questions, script)
        question = script.questions[-1]
        assert isinstance(question, ReadBundles)
        assert (question.image, question.digests) == (target.image, (index,))

    @pytest.mark.parametrize("error", ["503 Service Unavailable", ""])
    def test_could_not_ask(self, error: str) -> None:
        with pytest.raises(StepFailed, match="could not ask whether"):
            cosign.is_signed(Answer(code=1, err=error), INDEX.digest)
