"""What cosign is asked, and how its answers are read."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from shipway.errors import StepFailed
from shipway.image.contents import SPDX
from shipway.model.actions import Answer
from shipway.model.target import Signing, Target
from shipway.tools import cosign
from tests.support.conversation import NO_BUNDLES
from tests.support.good_image import INDEX


class TestSignatures:
    """Asking for signatures."""

    def test_every_fact_that_is_known_is_pinned(self, target: Target) -> None:
        pinned = Signing(
            identity="i",
            issuer="j",
            repository="acme/toy",
            ref="refs/heads/main",
            commit="c",
            trigger="push",
        )
        argv = cosign.verify_command(replace(target, signing=pinned), INDEX.digest).argv
        for name, value in (
            ("repository", "acme/toy"),
            ("ref", "refs/heads/main"),
            ("sha", "c"),
            ("trigger", "push"),
        ):
            assert argv[argv.index(f"--certificate-github-workflow-{name}") + 1] == value

    @pytest.mark.parametrize(
        ("answer", "seen"),
        [
            (
                Answer(
                    code=0,
                    out='[{"optional": {"githubWorkflowSha": "5eed", "githubWorkflowTrigger": "push"}}]',
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
    def test_what_is_seen_of_a_signature(self, target: Target, answer: Answer, seen: str) -> None:
        assert cosign.read_signer(replace(target, signing=Signing(identity="me")), answer) == seen

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
        assert cosign.read_signed(answer, INDEX.digest) is signed

    @pytest.mark.parametrize("kind", [cosign.SIGNATURE, SPDX])
    def test_nothing_is_found_only_where_the_registry_has_nothing(
        self, target: Target, kind: str
    ) -> None:
        *leaves, index = INDEX.leaves_first
        nothing = (
            Answer(code=1, err="no matching attestations: \nerror during …")
            if kind == SPDX
            else Answer(code=10, err="no signatures found")
        )
        asked = {
            (digest, kind): cosign.verify_command(target, digest) for digest in (leaves[0], index)
        }
        held = Answer(
            code=0, out=json.dumps({leaves[0]: [], index: ["https://example.org/other", kind]})
        )

        def simulate(*rounds: tuple[Answer, ...]) -> dict[cosign.Question, Answer]:
            talk = cosign.ask(target, asked)
            questions = next(talk)
            with pytest.raises(StopIteration) as end:
                for answers in rounds:
                    assert len(questions) == len(answers)
                    questions = talk.send(answers)
            found: dict[cosign.Question, Answer] = end.value.value
            return found

        good, foreign = (
            Answer(code=0, out="[{}]"),
            Answer(code=1, err="no matching attestations: failed to verify"),
        )
        assert simulate((good, good)) == dict.fromkeys(asked, good)
        assert simulate((good, nothing), (NO_BUNDLES,))[index, kind] == nothing
        assert simulate((nothing, nothing), (held,), (good,)) == {
            (leaves[0], kind): nothing,
            (index, kind): good,
        }
        assert simulate((good, foreign), (held,), (foreign,))[index, kind] == foreign
        with pytest.raises(StepFailed, match=f"could not ask whether {index} is signed") as caught:
            simulate((nothing, nothing), (held,), (nothing,))
        assert "cosign 3" in caught.value.hint

    def test_an_answer_about_bundles_that_is_none(self) -> None:
        for said in ("", "[]", '{"sha256:a": 1}'):
            with pytest.raises(StepFailed, match="cannot be understood"):
                cosign.read_bundles(Answer(code=0, out=said))

    @pytest.mark.parametrize("said", ["503 Service Unavailable", ""])
    def test_could_not_ask(self, said: str) -> None:
        with pytest.raises(StepFailed, match="could not ask whether"):
            cosign.read_signed(Answer(code=1, err=said), INDEX.digest)
