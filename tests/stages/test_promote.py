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
        shown = [
            json.dumps({"digest": digest, "annotations": {VERSION: version}})
            for digest, version in ((INDEX.digest, "1.2.3"), (digest_of("newer"), "1.10.0"))
        ]
        return talk(
            promote.observe(target, World(index=INDEX, contents=CONTENTS)),
            tuple(Answer(code=0, out=one) for one in shown),
            tuple(Answer(code=code, err="no signatures found") for _ in INDEX.leaves_first),
            *([(NO_BUNDLES,)] if code else []),
            (Answer(code=0, out=json.dumps({"digest": second})),),
        )

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"second": digest_of("moved")}, "v1.2.3 still there"),
            ({"code": 10}, "signature of"),
        ],
    )
    def test_what_people_get_by_the_tag_is_verified_again(
        self, target: Target, changes: dict[str, Any], said: str
    ) -> None:
        found = promote.judge(target, self.confirmed(target, **changes))
        assert found.state is State.FAULT and said in found.evidence

    def test_a_tag_that_a_higher_release_has_stays_there(self, target: Target) -> None:
        world = self.confirmed(target)
        found = promote.judge(target, world)
        assert found.state is State.SAME and found.evidence.endswith("; latest stays at 1.10.0")
        older = replace(world, versions={"latest": "1.2.2"})
        assert promote.judge(target, older).state is State.ABSENT
        assert promote.simulate(target, older).tags == {
            "v1.2.3": INDEX.digest,
            "latest": INDEX.digest,
        }

    def test_a_commit_without_public_tags_has_nothing_to_move(self, target: Target) -> None:
        assert promote.skip_reason(replace(target, tags=()))
