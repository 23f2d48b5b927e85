"""The stage `inspect`."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from shipway.image.contents import PROVENANCE, SPDX, Contents
from shipway.image.labels import REVISION
from shipway.model.actions import ReadImage
from shipway.model.stage import State
from shipway.model.target import Target
from shipway.model.world import World
from shipway.stages import inspect
from tests.support.conversation import Script, talk
from tests.support.good_image import CONTENTS, INDEX, changed, stated
from tests.support.targets import change_settings


class TestInspect:
    """What was built is what was meant."""

    def faults(self, target: Target, contents: Contents) -> str:
        world = talk(inspect.observe, target, World(index=INDEX), (contents,))
        finding = inspect.judge(target, world)
        return finding.evidence if finding.state is State.FAULT else ""

    def test_a_good_image_is_read_once(self, target: Target) -> None:
        assert self.faults(target, CONTENTS) == ""
        known = World(index=INDEX, contents=CONTENTS)
        assert talk(inspect.observe, target, known) is known
        assert "4 compiled files" in inspect.judge(target, known).evidence

    def test_the_project_is_installed_in_the_version_of_the_release(self, target: Target) -> None:
        own = replace(target, distribution="Package.0")
        fault = self.faults(own, CONTENTS)
        assert (
            "version of Package.0 in linux/amd64: 1.0 is installed, the release is 1.2.3" in fault
        )
        assert self.faults(replace(own, release=None), CONTENTS) == ""
        assert self.faults(replace(target, distribution="toy"), CONTENTS) == ""

    @pytest.mark.parametrize(
        ("contents", "fault"),
        [
            (
                changed("linux/arm64", foreign=("deps/a.so", "deps/b.so")),
                "compiled files of linux/arm64: deps/a.so, deps/b.so are for another machine",
            ),
            (
                changed("linux/arm64", foreign=tuple(f"{n}.so" for n in range(7))),
                "4.so and 2 more are for another machine",
            ),
            (
                changed("linux/amd64", labels={REVISION: "c" * 40}),
                "labels of linux/amd64: differ: org.opencontainers.image.version is missing",
            ),
            (
                changed("linux/amd64", distributions=(("package.0", "1.0"), ("Other_Thing", "2"))),
                "SBOM of linux/amd64 names what is installed: it leaves out Other_Thing 2",
            ),
            (
                changed("linux/amd64", distributions=(("package-0", "1.1"),)),
                "leaves out package-0 1.1",
            ),
            (msgspec.structs.replace(CONTENTS, annotations={}), "annotations: differ"),
            (msgspec.structs.replace(CONTENTS, attestations=()), "SBOM of linux/amd64: 0 packages"),
            (
                msgspec.structs.replace(CONTENTS, attestations=()),
                "provenance of linux/arm64: missing",
            ),
            (
                msgspec.structs.replace(CONTENTS, attestations=()),
                "subjects of linux/arm64: statements about nothing",
            ),
            (stated(SPDX, packages=()), "SBOM of linux/arm64: 0 packages"),
            (stated(PROVENANCE, build={}), "provenance of linux/amd64: missing"),
            (
                stated(PROVENANCE, subjects=("sha256:0",)),
                "subjects of linux/amd64: statements about sha256:0",
            ),
            (stated(SPDX, subjects=()), "subjects of linux/amd64: statements about nothing"),
        ],
    )
    def test_each_fault_is_named(self, target: Target, contents: Contents, fault: str) -> None:
        assert fault in self.faults(target, contents)

    def test_files_for_another_machine_can_be_meant(self, target: Target) -> None:
        contents = changed("linux/arm64", foreign=("opt/firmware/boot",))
        for pattern, holds in (("opt/firmware/*", True), ("opt/*.so", False)):
            allowing = change_settings(target, "build", allow_foreign=(pattern,))
            faults = self.faults(allowing, contents)
            assert ("opt/firmware/boot" not in faults) is holds

    def test_the_question_is_about_the_digest_that_was_observed(self, target: Target) -> None:
        script = Script((CONTENTS,))
        inspect.observe(target, World(index=INDEX), script)
        (question,) = script.questions
        assert isinstance(question, ReadImage)
        assert (question.image, question.digest) == (target.image, INDEX.digest)

    def test_nothing_to_read_yet(self, target: Target) -> None:
        assert inspect.judge(target, talk(inspect.observe, target, World())).state is State.ABSENT
