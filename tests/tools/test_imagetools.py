"""What a registry answers to buildx."""

from __future__ import annotations

import hashlib
import json

import pytest

from shipway.errors import StepFailed
from shipway.image.index import SUBJECT, Index
from shipway.model.actions import Answer, Command
from shipway.tools import imagetools
from tests.support.conversation import Script


class TestRegistry:
    """ "Could not ask" is never "not there"."""

    @pytest.mark.parametrize(
        "error", ["ERROR: r.example/a:b: not found", "manifest unknown", "NAME_UNKNOWN: no repo"]
    )
    def test_not_there(self, error: str) -> None:
        assert imagetools.read_index(Answer(code=1, err=error), "r.example/a:b") is None

    @pytest.mark.parametrize(
        ("error", "hint"),
        [
            ("unexpected status: 401 Unauthorized", "docker login r.example"),
            ("denied: no access", "docker login"),
            ("503 Service Unavailable", "registry answers"),
            ("sha256:14013: i/o timeout", "registry answers"),
            ("", "registry answers"),
            ("dial tcp: lookup r.example: no such host", "registry answers"),
        ],
    )
    def test_could_not_ask(self, error: str, hint: str) -> None:
        with pytest.raises(StepFailed) as caught:
            imagetools.read_index(Answer(code=1, err=error), "r.example/a:b")
        assert hint in caught.value.hint and "r.example/a:b" in caught.value.message

    def test_an_answer_that_is_no_manifest(self) -> None:
        with pytest.raises(StepFailed, match="cannot be read"):
            imagetools.read_index(Answer(code=0, out="{}"), "r.example/a:b")


NAME = "r.example:5000/acme/toy"
IMAGE, ATTESTATION, CONFIG = (f"sha256:{letter * 64}" for letter in "abc")
MANIFEST = json.dumps(
    {
        "manifests": [
            {"digest": IMAGE, "platform": {"os": "linux", "architecture": "arm64"}},
            {
                "digest": ATTESTATION,
                "platform": {"os": "unknown", "architecture": "unknown"},
                "annotations": {SUBJECT: IMAGE},
            },
        ]
    }
)
DIGEST = f"sha256:{hashlib.sha256(MANIFEST.encode()).hexdigest()}"
THERE = Answer(code=0, out=MANIFEST)


def absent(reference: str) -> Answer:
    """What buildx says of what is not there."""
    return Answer(code=1, err=f"ERROR: {reference}: not found")


class TestAPartThatIsNotThere:
    """buildx says "not found" of the parts of an index, too."""

    asked: list[str]

    def find(self, *rounds: tuple[Answer, ...]) -> Index | None:
        script = Script(*rounds)
        (index,) = imagetools.find_indexes([f"{NAME}:v1"], script)
        assert script.is_over
        self.asked = [
            question.argv[4] for question in script.questions if isinstance(question, Command)
        ]
        return index

    @pytest.mark.parametrize("name", [NAME, "docker.io/acme/toy", "acme/toy"])
    def test_a_tag_that_is_not_there_is_asked_for_once(self, name: str) -> None:
        assert self.find((absent(f"{name}:v1"),)) is None
        assert self.asked == [f"{NAME}:v1"]

    @pytest.mark.parametrize(
        "error",
        [
            f"ERROR: {NAME}@{ATTESTATION}: not found",
            f"ERROR: content at http://{NAME}/manifests/{ATTESTATION} not found: not found",
            f"{NAME}:v1: {ATTESTATION}: MANIFEST_UNKNOWN: manifest unknown",
        ],
    )
    def test_it_is_named(self, error: str) -> None:
        refused = Answer(code=1, err=error)
        gone = absent(f"{NAME}@{ATTESTATION}")
        index = self.find((refused,), (THERE,), (THERE, gone))
        assert index is not None and (index.digest, index.gone) == (DIGEST, (ATTESTATION,))
        assert index.platforms == ("linux/arm64",)
        assert index.describe_gone() == f"{ATTESTATION} (attestations of linux/arm64)"
        assert self.asked[1:] == [f"{NAME}:v1", f"{NAME}@{IMAGE}", f"{NAME}@{ATTESTATION}"]

    def test_it_may_lie_below_a_manifest(self) -> None:
        refused = Answer(code=1, err=f"ERROR: content at x/blobs/{CONFIG} not found: not found")
        index = self.find((refused,), (THERE,), (THERE, THERE))
        assert index is not None and index.gone == (CONFIG,) == (index.describe_gone(),)

    def test_words_that_name_nothing_are_looked_into(self) -> None:
        refused = Answer(code=1, err="ERROR: MANIFEST_UNKNOWN: manifest unknown")
        assert self.find((refused,), (absent(f"{NAME}:v1"),)) is None
        index = self.find((refused,), (THERE,), (THERE, THERE))
        assert index is not None and not index.gone

    def test_it_could_not_be_asked_for(self) -> None:
        refused = absent(f"{NAME}@{ATTESTATION}")
        busy = Answer(code=1, err="503 Service Unavailable")
        with pytest.raises(StepFailed, match="could not ask"):
            self.find((refused,), (busy,))
        with pytest.raises(StepFailed, match="could not ask"):
            self.find((refused,), (THERE,), (THERE, busy))

    def test_it_is_never_taken_for_the_tag(self) -> None:
        with pytest.raises(StepFailed, match="could not ask"):
            imagetools.read_index(absent(f"{NAME}@{ATTESTATION}"), f"{NAME}:v1")

    @pytest.mark.parametrize(
        ("reference", "name"),
        [
            ("r:5000/a/b:v1", "r:5000/a/b"),
            ("r:5000/a/b", "r:5000/a/b"),
            (f"r/a:v1@{IMAGE}", "r/a"),
            (f"r:5000/a@{IMAGE}", "r:5000/a"),
        ],
    )
    def test_a_part_is_asked_for_by_the_images_name(self, reference: str, name: str) -> None:
        assert imagetools.strip_target(reference) == name
