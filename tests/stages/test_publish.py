"""The stage `publish`."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from shipway.model.actions import Answer, ComparePackages, Request
from shipway.model.stage import State
from shipway.model.target import Target, require_release
from shipway.model.version import Version
from shipway.model.world import Published, World
from shipway.stages import publish
from shipway.target.release_page import ASSET, LONGEST_BODY
from tests.support.conversation import Script, talk
from tests.support.good_image import INDEX
from tests.support.model_remotes import digest_of
from tests.support.targets import change_settings


class TestPublish:
    """The GitHub release."""

    def release(self, **changes: object) -> dict[str, object]:
        return {
            "id": 1,
            "tag_name": "v1.2.3",
            "draft": False,
            "assets": [{"name": ASSET}],
            "upload_url": "https://up.example/1/assets{?name,label}",
            "html_url": "page",
            **changes,
        }

    def observed(self, target: Target, *pages: list[dict[str, object]]) -> World:
        rounds = [(Answer(code=200, out=json.dumps(page)),) for page in pages]
        releases = [release for page in pages for release in page]
        public = [release["tag_name"] for release in releases if not release["draft"]]
        if require_release(target).tag in public:
            latest = Answer(code=404)
            if self.latest is not None:
                latest = Answer(code=200, out=json.dumps(self.latest))
            rounds.append((latest,))
        return talk(publish.observe, target, World(), *rounds)

    latest: dict[str, object] | None = None

    @pytest.mark.parametrize(
        ("latest", "others", "leader"),
        [
            ("v1.2.3", (), ""),
            ("v1.2.2", (), "1"),
            ("v1.2.3", ("v2.0.0",), "7"),
            ("v2.0.0", ("v2.0.0",), ""),
            ("v1.2.2", ("v2.0.0", "v3.0.0-rc.1", "other-v9.0.0"), "7"),
            ("other-v1.0.0", (), ""),
            (None, (), ""),
            ("v1.2.3", ("v2.0.1",), ""),  # which was withdrawn
            ("v1.2.3", ("v1.2.3+build.5",), "7"),
            ("v1.2.3+build.5", ("v1.2.3+build.5",), ""),
        ],
    )
    def test_the_latest_release_is_the_highest(
        self, target: Target, latest: str | None, others: tuple[str, ...], leader: str
    ) -> None:
        self.latest = self.release(tag_name=latest) if latest else None
        page = [self.release(id=number, tag_name=tag) for number, tag in enumerate(others, 7)]
        page.append(self.release())
        release = replace(require_release(target), withdrawn=(Version(2, 0, 1),))
        world = self.observed(replace(target, release=release), page)
        assert world.leader == leader
        assert publish.judge(target, world).state is (State.ABSENT if leader else State.SAME)
        if leader:
            (lead,) = publish.plan(target, world)
            assert isinstance(lead, Request) and lead.path.endswith(f"/{leader}")
            assert lead.body == {"make_latest": "true"}
            assert publish.judge(target, publish.simulate(target, world)).state is State.SAME

    @pytest.mark.parametrize(("plus", "tag"), [("_", "v1.2.2_b.1"), ("-", "v1.2.2-b.1")])
    def test_packages_are_compared_with_the_image_of_the_release_before(
        self, target: Target, plus: str, tag: str
    ) -> None:
        own = change_settings(target, "tags", plus=plus)
        release = replace(require_release(target), previous=Version(1, 2, 2, build="b.1"))
        script = Script((Answer(code=200, out="[]"),), ("changes",))
        publish.observe(replace(own, release=release), World(index=INDEX), script)
        question = script.questions[-1]
        assert isinstance(question, ComparePackages)
        assert question.previous == f"{target.image}:{tag}"

    def test_it_is_looked_for_on_every_page(self, target: Target) -> None:
        others = [self.release(tag_name="v0.0.1")] * 100
        world = self.observed(target, others, [self.release()])
        assert world.release is not None and publish.judge(target, world).state is State.SAME
        assert self.observed(target, others, []).release is None

    def test_a_published_release_wins_over_a_forgotten_draft(self, target: Target) -> None:
        world = self.observed(target, [self.release(id=2, draft=True, assets=[]), self.release()])
        assert world.release is not None and not world.release.draft

    def test_a_release_without_its_image_is_a_conflict(self, target: Target) -> None:
        world = self.observed(target, [self.release(assets=None)])
        assert publish.judge(target, world).state is State.CONFLICT

    def test_the_asset_goes_where_the_draft_says(self, target: Target) -> None:
        draft = self.draft(publish.render_body(target, World(index=INDEX)))
        world = World(index=INDEX, release=draft)
        (upload,) = publish.plan(target, world)
        assert isinstance(upload, Request) and upload.path == "https://up.example?name=image.json"
        assert json.loads(upload.content)["digest"] == INDEX.digest

    def test_an_upload_that_broke_off_is_deleted_and_made_again(self, target: Target) -> None:
        broken = {"id": 12, "name": ASSET, "state": "starter", "size": 0}
        body = publish.render_body(target, World(index=INDEX))
        page = self.release(draft=True, assets=[broken], body=body)
        world = talk(
            publish.observe, target, World(index=INDEX), (Answer(code=200, out=json.dumps([page])),)
        )
        assert publish.judge(target, world).state is State.ABSENT
        delete, upload = publish.plan(target, world)
        assert isinstance(delete, Request) and isinstance(upload, Request)
        assert (delete.method, delete.path) == (
            "DELETE",
            f"/repos/{target.repository}/releases/assets/12",
        )
        assert upload.content

    def draft(self, body: str, *, public: bool = False, assets: tuple[str, ...] = ()) -> Published:
        return Published(
            id="1",
            draft=not public,
            assets=frozenset(assets),
            upload="https://up.example",
            page="https://github.com/acme/toy/releases/1",
            body=body,
        )

    @pytest.mark.parametrize("theirs", ["", "What a person wrote.\n", "See `app@sha256:1`"])
    def test_somebodys_draft_is_completed_before_it_shows(
        self, target: Target, theirs: str
    ) -> None:
        world = World(index=INDEX, release=self.draft(theirs))
        finding = publish.judge(target, world)
        assert finding.state is State.ABSENT and "somebody else's draft" in finding.evidence
        (request,) = publish.plan(target, world)
        assert isinstance(request, Request) and request.method == "PATCH"
        body = str(request.body["body"])
        assert body.startswith(theirs.strip()) and "draft" not in request.body
        assert f"{target.image}@{INDEX.digest}" in body and "shipway verify" in body
        world = publish.simulate(target, world)
        for _ in range(2):
            assert publish.judge(target, world).state is State.ABSENT
            world = publish.simulate(target, world)
        assert publish.judge(target, world).state is State.SAME

    @pytest.mark.parametrize(
        ("body", "public", "assets", "words"),
        [
            ("mine", True, (ASSET,), "is published without"),
            ("mine", True, (), "is published without"),
            ("mine", False, (ASSET,), "of its own"),
            ("x" * LONGEST_BODY, False, (), "has no room"),
            (f"registry.example/acme/toy@{digest_of('another')}", True, (ASSET,), "names sha256:"),
            (f"registry.example/acme/toy@{digest_of('another')}", False, (), "names sha256:"),
        ],
    )
    def test_what_somebody_else_made_is_refused_by_name(
        self, target: Target, body: str, public: bool, assets: tuple[str, ...], words: str
    ) -> None:
        release = self.draft(body, public=public, assets=assets)
        finding = publish.judge(target, World(index=INDEX, release=release))
        assert finding.state is State.CONFLICT
        assert words in finding.evidence and release.page in finding.evidence

    def test_a_draft_of_ours_wins_over_somebodys(self, target: Target) -> None:
        ours = publish.render_body(target, World(index=INDEX))
        pages = [
            self.release(id=1, draft=True, assets=[], body="mine"),
            self.release(id=2, draft=True, assets=[], body=ours),
        ]
        answers = (Answer(code=200, out=json.dumps(pages)),)
        world = talk(publish.observe, target, World(index=INDEX), answers)
        assert world.release is not None and world.release.id == "2"

    def test_long_notes_leave_room_for_what_somebody_wrote(self, target: Target) -> None:
        notes = "\n\n".join(f"- Change {number} of a long list" for number in range(6_000))
        release = replace(require_release(target), notes=notes)
        theirs = "word " * 10_000
        world = World(index=INDEX, release=self.draft(theirs))
        long = replace(target, release=release)
        assert publish.judge(long, world).state is State.ABSENT
        (completion,) = publish.plan(long, world)
        assert isinstance(completion, Request)
        body = str(completion.body["body"])
        assert body.startswith("word word") and len(body) <= LONGEST_BODY
        assert f"{target.image}@{INDEX.digest}" in body and " more" in body

    def test_notes_name_the_image_and_its_digest(self, target: Target) -> None:
        body = publish.render_body(target, World(index=INDEX))
        assert "- A feature" in body and f"{target.image}@{INDEX.digest}" in body

    def test_who_has_no_release_page(self, target: Target) -> None:
        branch = replace(target, release=None, channel="branch")
        assert "a branch build is not released" in (publish.skip_reason(branch) or "")
        nowhere = replace(target, repository="")
        assert "no repository" in (publish.skip_reason(nowhere) or "")
        assert publish.skip_reason(target) is None
