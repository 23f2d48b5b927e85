"""Deleting what may go from a registry."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from shipway.effects.registry import connect
from shipway.errors import StepFailed
from shipway.image.labels import PREFIX
from shipway.image.retention import DAY
from shipway.model.actions import Answer, Command, Request
from shipway.run import prune as pruning
from tests.support.registry import Registry
from tests.support.scene import Scene

NOW = 1_800_000_000
OLD, NEW = NOW - 31 * DAY, NOW - DAY


def created(when: int) -> dict[str, object]:
    """Annotations of an index."""
    days = {OLD: "2026-12-15T08:00:00Z", NEW: "2027-01-14T08:00:00Z"}
    return {"annotations": {f"{PREFIX}created": days[when]}}


def single(number: int) -> dict[str, object]:
    """Give a manifest with one layer, another one for each number."""
    return {"layers": [{"digest": f"sha256:{number:064}"}]}


@pytest.mark.process
@pytest.mark.parametrize("listed", [True, False])
def test_a_registry_is_read_and_images_are_deleted(
    registry: Registry, tmp_path: Path, listed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    child, shared = registry.put(single(1)), registry.put(single(2))
    doomed = registry.put({"manifests": [{"digest": child}, {"digest": shared}], **created(OLD)})
    kept = registry.put({"manifests": [{"digest": shared}], **created(OLD)})
    signature = registry.put({**single(3), "subject": {"digest": doomed}})
    registry.names = {
        "pr-7": doomed,
        "v1.0.0": kept,
        "latest": kept,
        "strange": registry.put({"annotations": {f"{PREFIX}created": "yesterday"}}),
    }
    if listed:
        registry.about = {doomed: [signature]}
    else:
        registry.names[f"sha256-{doomed[7:]}"] = signature
    scene = Scene(tmp_path, f'[tool.shipway]\nimage = "{registry.name}"\n')
    monkeypatch.setattr(pruning, "open_session", lambda _: scene.session())
    monkeypatch.setattr("time.time", lambda: NOW)
    progress: list[str] = []
    shown = pruning.prune_images(progress.append, delete=False)
    gone_first = [image["digest"] for image in shown["images"]]
    assert gone_first[0] == doomed and set(gone_first) == {
        doomed,
        child,
        signature,
        registry.names["strange"],
    }
    assert doomed in registry.blobs and not progress
    assert pruning.prune_images(progress.append, delete=True)["deleted"] and len(progress) == 4
    assert set(registry.names) == {"v1.0.0", "latest"} and {kept, shared} <= set(registry.blobs)
    assert not set(gone_first) & set(registry.blobs)
    assert not pruning.prune_images(progress.append, delete=True)["images"]


@pytest.mark.process
def test_a_remote_without_branches_is_not_taken_for_all_of_them_gone(tmp_path: Path) -> None:
    session = Scene(tmp_path).session()
    silent = replace(session, executor=replace(session.executor, runner=lambda _: Answer(code=0)))
    with pytest.raises(StepFailed, match="every image would look abandoned"):
        pruning.read_retention_rules(silent)
    assert pruning.read_retention_rules(session).always == {"main"}


class GitHub:
    """Packages at GitHub: a registry's manifests, each with a number, and who refuses what."""

    def __init__(self, registry: Registry, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        self.registry = registry
        self.asked: list[str] = []
        self.versions: list[str] = []
        self.refusals: dict[str, StepFailed] = {}
        session = scene.session()
        executor = replace(session.executor, runner=_show_main, api=self.answer)
        double = replace(session, executor=executor)
        monkeypatch.setattr(pruning, "open_session", lambda _: double)
        monkeypatch.setattr(
            pruning, "connect", lambda _, environment: connect(registry.name, environment)
        )
        monkeypatch.setattr("time.time", lambda: NOW)

    def put(self, *tags: str) -> str:
        """Put an image into the registry, and give its digest."""
        digest = self.registry.put({"manifests": [], "x": tags, **created(OLD)})
        self.registry.names |= dict.fromkeys(tags, digest)
        self.versions.append(digest)
        return digest

    def answer(self, request: Request) -> Answer:
        """List versions, a hundred a page, or delete one by its number."""
        self.asked.append(f"{request.method} {request.path}")
        if request.method == "DELETE":
            number = int(request.path.rpartition("/")[2])
            digest = self.versions[number]
            if digest in self.refusals:
                raise self.refusals[digest]
            return Answer(code=204)
        if "/orgs/" in request.path or not self.versions:
            return Answer(code=404)
        page = int(request.path.rpartition("&page=")[2])
        numbered = [{"name": name, "id": number} for number, name in enumerate(self.versions)]
        listed = numbered[(page - 1) * 100 : page * 100]
        return Answer(code=200, out=json.dumps(listed))


def _show_main(command: Command) -> Answer:
    is_question = "ls-remote" in command.argv
    return Answer(code=0, out=f"{'a' * 40}\trefs/heads/main\n" if is_question else "")


@pytest.fixture(name="packages")
def fixture_packages(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitHub:
    """Packages of a project that GitHub hosts."""
    return GitHub(registry, Scene(tmp_path), monkeypatch)


@pytest.mark.process
class TestPackagesAtGitHub:
    """They are deleted by number, through GitHub's API alone."""

    def test_are_deleted_by_number(self, packages: GitHub) -> None:
        packages.versions = [f"sha256:{number}" for number in range(100)]
        doomed = packages.put("pr-7")
        document = pruning.prune_images(lambda _: None, delete=True)
        assert document["image"] == "ghcr.io/acme/toy"
        assert packages.asked[-1] == "DELETE /users/acme/packages/container/toy/versions/100"
        assert doomed in packages.registry.blobs

    def test_are_asked_for_only_where_something_is_deleted(self, packages: GitHub) -> None:
        pruning.prune_images(lambda _: None, delete=True)
        packages.put("pr-7")
        pruning.prune_images(lambda _: None, delete=False)
        assert not packages.asked

    def test_one_that_is_refused_holds_up_no_other(self, packages: GitHub) -> None:
        first, *others = (packages.put(f"pr-{number}") for number in range(4))
        words = "answered 400: You cannot delete the last tagged version of a package."
        packages.refusals = {first: StepFailed(words, hint="")}
        for _ in range(2):
            with pytest.raises(
                StepFailed, match="3 manifests of .* were deleted, 1 refused"
            ) as caught:
                pruning.prune_images(lambda _: None, delete=True)
            deleted = [image["digest"] for image in caught.value.document["images"]]
            assert deleted == others and words in caught.value.message

    def test_a_limit_that_lasts_ends_it(self, packages: GitHub) -> None:
        digests = [packages.put(f"pr-{number}") for number in range(4)]
        limit = StepFailed("secondary rate limit", hint="wait 45 minutes", passes=True)
        packages.refusals = {digests[2]: limit}
        with pytest.raises(StepFailed, match="secondary rate limit") as caught:
            pruning.prune_images(lambda _: None, delete=True)
        document = caught.value.document
        assert [image["digest"] for image in document["images"]] == digests[:2]
        assert [image["digest"] for image in document["left"]] == digests[3:]
        assert caught.value.hint == "wait 45 minutes"

    def test_one_that_is_not_listed_holds_up_no_other(self, packages: GitHub) -> None:
        packages.put("pr-1")
        unlisted = packages.put("pr-2")
        packages.versions.remove(unlisted)
        with pytest.raises(StepFailed, match=f"GitHub does not list {unlisted}") as caught:
            pruning.prune_images(lambda _: None, delete=True)
        assert len(caught.value.document["images"]) == 1
        assert "delete:packages" in caught.value.hint

    def test_that_are_not_shown_are_told_at_once(self, packages: GitHub) -> None:
        packages.put("pr-1")
        packages.versions.clear()
        with pytest.raises(StepFailed, match="shows no package toy of acme") as caught:
            pruning.prune_images(lambda _: None, delete=True)
        assert "read:packages" in caught.value.hint and "contents" not in caught.value.hint


@pytest.fixture(name="toy")
def fixture_toy(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A registry whose image is pruned, at a time when ``OLD`` is too old."""
    scene = Scene(tmp_path, f'[tool.shipway]\nimage = "{registry.name}"\n')
    monkeypatch.setattr(pruning, "open_session", lambda _: scene.session())
    monkeypatch.setattr("time.time", lambda: NOW)
    return registry


def index_of(registry: Registry, *parts: str, when: int = OLD) -> str:
    """Put an index of these manifests into the registry."""
    entries = [{"digest": part} for part in parts]
    return registry.put({"manifests": entries, **created(when)})


@pytest.mark.process
class TestWhatIsNotThere:
    """Keeps nothing and holds nobody up; the tags that lead to it are named at the end."""

    @pytest.mark.parametrize("delete", [False, True])
    def test_a_part_of_an_index(self, toy: Registry, delete: bool) -> None:
        kept_child, doomed_child = toy.put(single(1)), toy.put(single(2))
        lost = [toy.put(single(number)) for number in range(3, 6)]
        nested = index_of(toy, lost[2])
        release = index_of(toy, kept_child, lost[0], nested)
        doomed = index_of(toy, doomed_child, lost[1])
        toy.names = {"v0.0.1": release, "pr-7": doomed}
        for digest in lost:
            del toy.blobs[digest]
        document = pruning.prune_images(lambda _: None, delete=delete)
        assert [image["digest"] for image in document["images"]] == [doomed, doomed_child]
        assert document["broken"] == [
            {"tags": ["pr-7"], "digest": doomed, "gone": [lost[1]]},
            {"tags": ["v0.0.1"], "digest": release, "gone": [lost[0], lost[2]]},
        ]
        *_, line = pruning.render_document(document)
        assert line == f"broken: v0.0.1 is {release}, which lacks {lost[0]}, {lost[2]}"
        assert {release, kept_child, nested} <= set(toy.blobs)
        assert (doomed in toy.blobs) is not delete

    def test_a_tag_that_is_listed(self, toy: Registry) -> None:
        doomed = index_of(toy)
        toy.names = {"v0.0.1": "sha256:" + "0" * 64, "pr-7": doomed, "latest\x1b[1A": "nothing"}
        document = pruning.prune_images(lambda _: None, delete=True)
        assert [image["digest"] for image in document["images"]] == [doomed]
        assert list(pruning.render_document(document))[2:] == [
            "broken: latest\\x1b[1A leads to nothing",
            "broken: v0.0.1 leads to nothing",
        ]

    def test_a_manifest_without_a_tag_is_named_by_its_digest(self, toy: Registry) -> None:
        part = toy.put(single(1))
        toy.names = {"pr-7": index_of(toy, part)}
        document = pruning.prune_images(lambda _: None, delete=False)
        image, line, _ = pruning.render_document(document)
        assert image == f"{toy.names['pr-7']} pr-7: older than 30 days"
        assert line.startswith(f"{part}: belongs to ")

    def test_a_tag_that_may_go_moves_no_cursor(self, toy: Registry) -> None:
        toy.names = {"topic\x1b[1A": index_of(toy)}
        progress: list[str] = []
        document = pruning.prune_images(progress.append, delete=True)
        lines = [*progress, *pruning.render_document(document)]
        assert r"topic\x1b[1A: its branch is gone" in lines[0] and "\x1b" not in "".join(lines)

    def test_a_referrer_that_is_listed(self, toy: Registry) -> None:
        doomed = index_of(toy)
        signature = toy.put({**single(1), "subject": {"digest": doomed}})
        toy.names = {"pr-7": doomed}
        toy.about = {doomed: ["sha256:" + "0" * 64, signature]}
        document = pruning.prune_images(lambda _: None, delete=True)
        assert [image["digest"] for image in document["images"]] == [doomed, signature]
        assert not document["broken"]

    def test_what_is_said_of_a_part_that_is_gone_goes_with_its_image(self, toy: Registry) -> None:
        lost = toy.put(single(1))
        del toy.blobs[lost]
        signature = toy.put({**single(2), "subject": {"digest": lost}})
        doomed = index_of(toy, lost)
        toy.names = {"pr-7": doomed}
        toy.about = {lost: [signature]}
        document = pruning.prune_images(lambda _: None, delete=True)
        assert [image["digest"] for image in document["images"]] == [doomed, signature]

    def test_what_could_not_be_asked_for_is_no_such_thing(
        self, toy: Registry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("shipway.effects.connections.ATTEMPTS", 0)
        toy.names = {"pr-7": index_of(toy)}
        list_tags = toy.list

        def list_and_fail(path: str) -> tuple[bytes, dict[str, str]]:
            toy.troubles = [(503, {})] * 9
            return list_tags(path)

        monkeypatch.setattr(toy, "list", list_and_fail)
        with pytest.raises(StepFailed, match="answered 503"):
            pruning.prune_images(lambda _: None, delete=True)
        assert toy.names


def refusal(code: str, message: str) -> bytes:
    """Write an answer as the distribution specification has it."""
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


@pytest.mark.process
class TestARefusal:
    """Ends nothing but the deletion of what belongs to it, and is told at the end."""

    def test_is_told_in_the_servers_words_after_all_else_was_deleted(self, toy: Registry) -> None:
        own, shared = toy.put(single(1)), toy.put(single(2))
        stubborn = index_of(toy, own, shared)
        deleted = index_of(toy, shared)
        toy.names = {"pr-1": stubborn, "pr-2": deleted}
        toy.undeletable = {stubborn: (409, refusal("DENIED", "immutable\x1b[2J" + "x" * 9999))}
        for number in range(2):
            with pytest.raises(StepFailed) as caught:
                pruning.prune_images(lambda _: None, delete=True)
            document = caught.value.document
            deletions = [] if number else [deleted]
            assert [image["digest"] for image in document["images"]] == deletions
            (refused,) = document["refused"]
            assert refused["digest"] == stubborn and refused["tags"] == ["pr-1"]
            assert r"answered 409" in refused["answer"]
            assert r"DENIED: immutable\x1b[2Jxxx" in refused["answer"]
            assert {image["digest"] for image in document["left"]} == {own, shared}
            assert f"{stubborn[:19]} pr-1: " in caught.value.message
            assert "\x1b" not in caught.value.message and len(caught.value.message) < 1000
            assert caught.value.status == 5
        assert {stubborn, own, shared} == set(toy.blobs)

    def test_of_many_is_told_of_ten(self, toy: Registry) -> None:
        for number in range(12):
            toy.names[f"pr-{number}"] = index_of(toy, toy.put(single(number)))
        toy.undeletable = {digest: (400, b"no") for digest in toy.names.values()}
        with pytest.raises(
            StepFailed, match="0 manifests of .* were deleted, 12 refused"
        ) as caught:
            pruning.prune_images(lambda _: None, delete=True)
        assert caught.value.message.count("\n") == 11 and "and 2 more" in caught.value.message
        assert len(caught.value.document["refused"]) == 12

    def test_names_the_broken_images_all_the_same(self, toy: Registry) -> None:
        toy.names = {"pr-7": index_of(toy), "v1": "nothing"}
        toy.undeletable = {"": (400, b"no")}
        lines: list[str] = []
        with pytest.raises(StepFailed) as caught:
            pruning.prune_images(lines.append, delete=True)
        assert "v1 leads to nothing" in lines[-1]
        assert caught.value.document["broken"][0]["tags"] == ["v1"]

    @pytest.mark.parametrize(
        ("status", "answer"),
        [
            (405, b""),
            (405, refusal("UNSUPPORTED", "The operation is unsupported.")),
            (400, refusal("UNSUPPORTED", "deletion is disabled")),
            (501, refusal("unsupported", "")),
        ],
    )
    def test_of_a_registry_that_does_not_delete_ends_it(
        self, toy: Registry, status: int, answer: bytes
    ) -> None:
        for number in range(5):
            toy.names[f"pr-{number}"] = index_of(toy, toy.put(single(number)))
        toy.undeletable = {"": (status, answer)}
        with pytest.raises(StepFailed, match="does not delete: .* answered") as caught:
            pruning.prune_images(lambda _: None, delete=True)
        assert sum(question.startswith("DELETE") for question in toy.asked) == 1
        assert len(caught.value.document["left"]) == 9
        assert "REGISTRY_STORAGE_DELETE_ENABLED" in caught.value.hint

    def test_that_lasts_longer_than_the_run_waits_ends_it(
        self, toy: Registry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("shipway.effects.connections.ATTEMPTS", 0)
        toy.names = {f"pr-{number}": index_of(toy, toy.put(single(number))) for number in range(5)}
        toy.undeletable = {"": (429, refusal("TOOMANYREQUESTS", "slow down"))}
        with pytest.raises(StepFailed, match="TOOMANYREQUESTS: slow down"):
            pruning.prune_images(lambda _: None, delete=True)
        assert sum(question.startswith("DELETE") for question in toy.asked) == 1
