"""The stage `verify`."""

from __future__ import annotations

import json
from dataclasses import replace

from shipway.image.contents import SPDX, Contents
from shipway.image.index import Entry, Index
from shipway.model.actions import Answer
from shipway.model.stage import State
from shipway.model.target import Target
from shipway.model.world import World
from shipway.stages import verify
from shipway.tools import imagetools
from tests.support.conversation import NO_BUNDLES, talk
from tests.support.cosign_lists import COSIGN_3, list_entries
from tests.support.good_image import CONTENTS, INDEX, stated
from tests.support.model_remotes import digest_of


class TestVerify:
    """The strict verification: what is missing is a fault."""

    def faults(
        self,
        target: Target,
        *,
        index: Index = INDEX,
        unsigned: str = "",
        tag: str = "",
        contents: Contents = CONTENTS,
    ) -> str:
        signatures = tuple(
            Answer(code=10) if digest == unsigned else list_entries(COSIGN_3)
            for digest in dict.fromkeys(index.leaves_first)
        )
        rounds: list[tuple[object, ...]] = [signatures]
        if unsigned:
            rounds.append((NO_BUNDLES,))
        now = json.dumps({"digest": tag or index.digest})
        rounds.append((Answer(code=0, out=now),))
        world = talk(verify.observe, target, World(index=index, contents=contents), *rounds)
        finding = verify.judge(target, world)
        return finding.evidence if finding.state is State.FAULT else ""

    def test_a_good_image_has_none(self, target: Target) -> None:
        assert self.faults(target) == ""

    def test_an_unsigned_child(self, target: Target) -> None:
        assert "signature of" in self.faults(target, unsigned=INDEX.images[1].digest)

    def test_an_unsigned_index(self, target: Target) -> None:
        assert INDEX.digest[:19] in self.faults(target, unsigned=INDEX.digest)

    def test_a_platform_too_few_or_too_many(self, target: Target) -> None:
        assert "platforms: linux/amd64, linux/arm64" in self.faults(
            replace(target, platforms=("linux/amd64",))
        )

    def test_two_attestations_for_one_platform(self, target: Target) -> None:
        twice = replace(INDEX, entries=(*INDEX.entries, INDEX.attestations[0]))
        assert "attestations of linux/amd64: 2" in self.faults(target, index=twice)

    def test_an_attestation_of_something_else(self, target: Target) -> None:
        stray = Entry(digest=digest_of("s"), subject=digest_of("elsewhere"))
        assert "speak of no image" in self.faults(
            target, index=replace(INDEX, entries=(*INDEX.entries, stray))
        )

    def test_a_tag_that_moved_meanwhile(self, target: Target) -> None:
        assert f"{target.staging} still there: {digest_of('other')}" in self.faults(
            target, tag=digest_of("other")
        )

    def test_what_does_not_hold_of_the_content(self, target: Target) -> None:
        assert "SBOM of linux/arm64: 0 packages" in self.faults(
            target, contents=stated(SPDX, packages=())
        )

    def test_nothing_to_verify_yet(self, target: Target) -> None:
        world = talk(verify.observe, target, World())
        assert verify.judge(target, world).state is State.ABSENT


def test_every_question_only_reads(target: Target) -> None:
    assert imagetools.inspect_reference("r.example/a:b").effect == "read"
    assert all(action.effect == "read" for action in verify.plan(target, World(index=INDEX)))
