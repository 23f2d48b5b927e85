"""The verification of an image from anywhere."""

from __future__ import annotations

import json
from unittest import mock

import pytest

from shipway.effects import questions
from shipway.errors import StepFailed, ToolMissing, VerificationFailed
from shipway.image.contents import Contents
from shipway.image.index import parse_index
from shipway.image.labels import REVISION, SOURCE, VERSION
from shipway.model.actions import Answer, Command
from shipway.run import verify as consumer
from shipway.target.from_image import Expectation
from tests.support.cosign_lists import COSIGN_3, VULNERABILITIES, list_entries
from tests.support.model_remotes import contents_of, manifest


class TestRun:
    """The whole verification, with cosign and the registry played."""

    INDEX = parse_index(json.dumps(manifest("x", ("linux/amd64",))))
    LABELS = {VERSION: "1.2.3", REVISION: "c" * 40, SOURCE: "https://github.com/acme/toy"}

    @pytest.fixture(autouse=True)
    def play(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[Command] = []  # pylint: disable=attribute-defined-outside-init
        self.answer = list_entries(COSIGN_3)  # pylint: disable=attribute-defined-outside-init
        self.help_text = "--trusted-root --signing-config"  # pylint: disable=attribute-defined-outside-init
        contents = contents_of(self.INDEX, self.LABELS)

        def run(command: Command) -> Answer:
            self.asked.append(command)
            if "--help" in command.argv:
                return Answer(code=0, out=self.help_text)
            if "--new-bundle-format=false" in command.argv:
                return Answer(code=10, err="Error: no signatures found")
            return self.answer

        monkeypatch.setattr(consumer, "Processes", lambda _, answer: run)
        monkeypatch.setattr(consumer, "resolve_index", mock.Mock(return_value=self.INDEX))
        monkeypatch.setattr(questions, "describe_image", lambda *_: contents)
        monkeypatch.setattr(consumer, "find_lost_referrers", lambda *_: {})
        monkeypatch.setattr("shutil.which", lambda *_, **__: "cosign")

    @pytest.mark.parametrize("key", ["", "cosign.pub"])
    def test_a_trusted_root_that_cosign_cannot_take_is_not_dropped(self, key: str) -> None:
        self.help_text = "--new-bundle-format"  # pylint: disable=attribute-defined-outside-init
        expectation = Expectation(key=key, trusted_root="root.json")
        with pytest.raises(ToolMissing, match="takes no trusted root, such as root.json") as caught:
            consumer.verify_image("ghcr.io/acme/toy:v1.2.3", expectation, {"PATH": ""})
        assert "cosign 3" in caught.value.hint and len(self.asked) == 1

    @pytest.mark.parametrize("key", ["", "cosign.pub"])
    def test_a_good_image(self, key: str) -> None:
        expectation = Expectation(key=key, trusted_root="root.json")
        verdict = consumer.verify_image("ghcr.io/acme/toy:v1.2.3", expectation, {"PATH": ""})
        assert not verdict.faults and verdict.document()["verified"] is True
        assert all(line.startswith("pass  ") for line in verdict.render().splitlines())
        for command in self.asked[1:]:
            assert command.argv[-3:-1] == ("--trusted-root", "root.json")
        assert not [command for command in self.asked if command.secrets]

    @pytest.mark.parametrize("key", ["", "cosign.pub"])
    def test_who_attests_that_a_scan_failed_has_not_signed(
        self, monkeypatch: pytest.MonkeyPatch, key: str
    ) -> None:
        self.answer = list_entries(VULNERABILITIES)  # pylint: disable=attribute-defined-outside-init
        bundles = {digest: (VULNERABILITIES,) for digest in self.INDEX.leaves_first}
        monkeypatch.setattr(questions, "read_bundle_types", lambda *_: bundles)
        expectation = Expectation(key=key)
        verdict = consumer.verify_image("ghcr.io/acme/toy:v1.2.3", expectation, {"PATH": ""})
        assert [point.name.partition(" ")[0] for point in verdict.faults] == ["signature"] * 3
        for point in verdict.faults:
            assert point.observation == f"no signature, only attested: {VULNERABILITIES}"

    def test_what_does_not_hold_is_told_in_the_error(self) -> None:
        verdict = consumer.verify_image("ghcr.io/acme/toy:v1.2.4", Expectation(), {"PATH": ""})
        error = consumer.explain_refusal(verdict)
        assert (
            error.status == 7
            and "annotations: differ" in error.message
            and error.document["verified"] is False
        )
        assert "FAIL  annotations" in verdict.render()

    def test_a_label_cannot_write_a_line_of_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        labels = {**self.LABELS, VERSION: "1\npass  signature of the index: good\x1b[1A"}
        contents = contents_of(self.INDEX, labels)
        monkeypatch.setattr(questions, "describe_image", lambda *_: contents)
        verdict = consumer.verify_image("ghcr.io/acme/toy:v1.2.3", Expectation(), {"PATH": ""})
        assert len(verdict.render().split("\n")) == len(verdict.points)
        error = consumer.explain_refusal(verdict)
        assert r"1\npass  signature of the index: good\x1b[1A" in error.message
        assert "\x1b" not in verdict.render() + error.message

    def test_a_part_that_is_gone_counts_more_than_a_signature_that_could_not_be_asked_for(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(command: Command) -> Answer:
            raise StepFailed(f"{command.argv[0]}: MANIFEST_UNKNOWN", hint="run it again")

        def describe(*_: object) -> Contents:
            raise VerificationFailed("a part of it is gone", hint="do not use it")

        monkeypatch.setattr(consumer, "Processes", lambda _, answer: refuse)
        monkeypatch.setattr(questions, "describe_image", describe)
        with pytest.raises(VerificationFailed, match="a part of it is gone"):
            consumer.verify_image("ghcr.io/acme/toy:v1.2.3", Expectation(), {"PATH": ""})
        monkeypatch.setattr(questions, "describe_image", lambda *_: Contents(digest="x"))
        with pytest.raises(StepFailed, match="MANIFEST_UNKNOWN"):
            consumer.verify_image("ghcr.io/acme/toy:v1.2.3", Expectation(), {"PATH": ""})

    def test_no_such_image(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(consumer, "resolve_index", lambda *_: None)
        verdict = consumer.verify_image("ghcr.io/acme/toy:v1.2.3", Expectation(), {"PATH": ""})
        assert [point.observation for point in verdict.faults] == [
            "ghcr.io/acme/toy:v1.2.3 is not there"
        ]
        assert verdict.document()["digest"] is None and not self.asked
