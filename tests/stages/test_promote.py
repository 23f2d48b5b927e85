"""The stage `promote`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from shipway.image.labels import VERSION
from shipway.model.actions import Answer, Command
from shipway.model.stage import State
from shipway.model.target import Target
from shipway.model.world import World
from shipway.stages import promote
from tests.support.conversation import NO_BUNDLES, talk
from tests.support.cosign_lists import COSIGN_3, list_entries
from tests.support.good_image import CONTENTS, INDEX
from tests.support.model_remotes import digest_of


class TestPromote:
    """Public tags."""

    def test_only_what_is_behind_moves(self, target: Target) -> None:
        (create,) = promote.plan(
            target, World(index=INDEX, tags={"v1.2.3": INDEX.digest, "latest": digest_of("old")})
        )
        assert isinstance(create, Command)
        assert create.argv[4:] == (
            "--tag",
            "registry.example/acme/toy:latest",
            f"{target.image}@{INDEX.digest}",
        )

    def confirmed(self, target: Target, *, second: str = INDEX.digest, code: int = 0) -> World:
        """The world after both tags and the verification by the first of them were asked."""
        manifests = [
            json.dumps({"digest": digest, "annotations": {VERSION: version}})
            for digest, version in ((INDEX.digest, "1.2.3"), (digest_of("newer"), "1.10.0"))
        ]
        signature = list_entries(COSIGN_3)
        if code:
            signature = Answer(code=code, err="no signatures found")
        rounds: list[tuple[object, ...]] = [
            tuple(Answer(code=0, out=manifest) for manifest in manifests),
            (signature,) * len(INDEX.leaves_first),
        ]
        if code:
            rounds.append((NO_BUNDLES,))
        rounds.append((Answer(code=0, out=json.dumps({"digest": second})),))
        return talk(promote.observe, target, World(index=INDEX, contents=CONTENTS), *rounds)

    @pytest.mark.parametrize(
        ("changes", "fault"),
        [
            ({"second": digest_of("moved")}, "v1.2.3 still there"),
            ({"code": 10}, "signature of"),
        ],
    )
    def test_what_people_get_by_the_tag_is_verified_again(
        self, target: Target, changes: dict[str, Any], fault: str
    ) -> None:
        finding = promote.judge(target, self.confirmed(target, **changes))
        assert finding.state is State.FAULT and fault in finding.evidence

    def test_a_tag_that_a_higher_release_has_stays_there(self, target: Target) -> None:
        world = self.confirmed(target)
        finding = promote.judge(target, world)
        assert finding.state is State.SAME and finding.evidence.endswith("; latest stays at 1.10.0")
        older = replace(world, versions={"latest": "1.2.2"})
        assert promote.judge(target, older).state is State.ABSENT
        assert promote.simulate(target, older).tags == {
            "v1.2.3": INDEX.digest,
            "latest": INDEX.digest,
        }

    def test_a_commit_without_public_tags_has_nothing_to_move(self, target: Target) -> None:
        assert promote.skip_reason(replace(target, tags=()))
