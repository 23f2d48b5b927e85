"""What may go from a registry, and that nothing of what stays goes with it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipway.errors import StepFailed
from shipway.labels import PREFIX
from shipway.model import Answer, Command, Request
from shipway.prune import DAY, Rules, Stored, plan_prune
from shipway.run import pruning
from shipway.run.registry import connect
from tests.unit.registry import Registry
from tests.unit.test_pipeline import Scene

NOW = 1_800_000_000
RULES = Rules(now=NOW, days=30, branches=frozenset({"main", "topic"}), always=frozenset({"main"}))
OLD, NEW = NOW - 31 * DAY, NOW - DAY


def gone(*stored: Stored) -> dict[str, str]:
    """Reason by digest."""
    return {one.digest: reason for one, reason in plan_prune(stored, RULES)}


@pytest.mark.parametrize(("tags", "created", "reason"), [
    (("pr-1",), OLD, "older than 30 days"), (("pr-1",), NEW, ""), (("pr-1",), None, ""),
    (("sha-a1b2c3d",), OLD, "older than 30 days"), (("sha-a1b2c3d-linux-arm64",), OLD, "older than 30 days"),
    (("topic",), OLD, "older than 30 days"), (("topic",), NEW, ""),
    (("merged",), NEW, "its branch is gone"), (("merged",), None, "its branch is gone"),
    (("main",), OLD, ""), (("v1.2.3",), OLD, ""), (("v1.3.0-rc.1",), OLD, ""), (("v1",), OLD, ""),
    (("latest",), OLD, ""), (("edge",), OLD, ""), (("cache",), OLD, ""), (("cache-linux-arm64",), OLD, ""),
    (("merged", "sha-a1b2c3d"), OLD, "its branch is gone; older than 30 days"),
    (("merged", "sha-a1b2c3d"), NEW, ""), (("sha-a1b2c3d", "v1.2.3"), OLD, ""),
])
def test_which_images_may_go(tags: tuple[str, ...], created: int | None, reason: str) -> None:
    found = gone(Stored(digest="sha256:1", tags=tags, created=created))
    assert found == ({"sha256:1": reason} if reason else {})


def hexadecimal(letter: str) -> str:
    """A digest of one letter."""
    return f"sha256:{letter * 64}"


def test_what_belongs_to_an_image_goes_with_it_and_after_it() -> None:
    a, b, c, d = (hexadecimal(letter) for letter in "abcd")
    found = gone(Stored(digest=a, tags=("pr-1",), created=OLD, below=(b,)), Stored(digest=b),
                 Stored(digest=c, tags=(f"sha256-{'b' * 64}.sig",)), Stored(digest=d, subject=a))
    assert list(found) == [a, b, d, c]
    assert found[b] == f"belongs to {a[:19]}"


def test_nothing_of_what_stays_goes() -> None:
    a, b, c, d = (hexadecimal(letter) for letter in "abcd")
    found = gone(Stored(digest=a, tags=("pr-1",), created=OLD, below=(b,)), Stored(digest=b),
                 Stored(digest=c, tags=("v1.2.3",), created=OLD, below=(b,)),
                 Stored(digest=d, tags=(f"sha256-{'b' * 64}",)))
    assert list(found) == [a]


LETTERS = st.sampled_from("abcdef")
IMAGES = st.builds(
    lambda letter, tags, below, subject, created: Stored(
        digest=hexadecimal(letter), tags=tuple(tags), below=tuple(hexadecimal(one) for one in below),
        subject=hexadecimal(subject) if subject else "", created=created),
    LETTERS, st.lists(st.sampled_from(["v1.0.0", "pr-1", "gone", "sha-0000000", f"sha256-{'a' * 64}.sig"]), max_size=2),
    st.lists(LETTERS, max_size=2), st.sampled_from(["", "a", "b"]), st.sampled_from([OLD, NEW, None]))


@settings(max_examples=60, deadline=None)
@given(st.lists(IMAGES, max_size=6, unique_by=lambda one: one.digest))
def test_a_release_keeps_everything_that_belongs_to_it(stored: list[Stored]) -> None:
    doomed = {one.digest for one, _ in plan_prune(stored, RULES)}
    known = {one.digest: one for one in stored}
    kept = [one for one in stored if "v1.0.0" in one.tags and not any("sha256-" in tag for tag in one.tags)]
    while kept:
        one = kept.pop()
        assert one.digest not in doomed
        kept += [known.pop(digest) for digest in one.below if digest in known]
        kept += [known.pop(other.digest) for other in list(known.values())
                 if other.subject == one.digest or f"sha256-{one.digest[7:]}.sig" in other.tags]


def created(when: int) -> dict[str, object]:
    """Annotations of an index."""
    days = {OLD: "2026-12-15T08:00:00Z", NEW: "2027-01-14T08:00:00Z"}
    return {"annotations": {f"{PREFIX}created": days[when]}}


@pytest.mark.process
@pytest.mark.parametrize("listed", [True, False])
def test_a_registry_is_read_and_images_are_deleted(registry: Registry, tmp_path: Path, listed: bool,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    child, shared = registry.put({"layers": [1]}), registry.put({"layers": [2]})
    doomed = registry.put({"manifests": [{"digest": child}, {"digest": shared}], **created(OLD)})
    kept = registry.put({"manifests": [{"digest": shared}], **created(OLD)})
    signature = registry.put({"layers": [3], "subject": {"digest": doomed}})
    registry.names = {"pr-7": doomed, "v1.0.0": kept, "latest": kept, "strange": registry.put({"annotations": {
        f"{PREFIX}created": "yesterday"}})}
    if listed:
        registry.about = {doomed: [signature]}
    else:
        registry.names[f"sha256-{doomed[7:]}"] = signature
    scene = Scene(tmp_path, f'[tool.shipway]\nimage = "{registry.name}"\n')
    monkeypatch.setattr(pruning, "set_up", lambda _: scene.bench())
    monkeypatch.setattr("time.time", lambda: NOW)
    said: list[str] = []
    shown = pruning.prune(said.append, delete=False)
    gone_first = [image["digest"] for image in shown["images"]]
    assert gone_first[0] == doomed and set(gone_first) == {doomed, child, signature, registry.names["strange"]}
    assert doomed in registry.blobs and not said
    assert pruning.prune(said.append, delete=True)["deleted"] and len(said) == 4
    assert set(registry.names) == {"v1.0.0", "latest"} and {kept, shared} <= set(registry.blobs)
    assert not set(gone_first) & set(registry.blobs)
    assert not pruning.prune(said.append, delete=True)["images"]


@pytest.mark.process
def test_a_remote_without_branches_is_not_taken_for_all_of_them_gone(tmp_path: Path) -> None:
    bench = Scene(tmp_path).bench()
    silent = replace(bench, hands=replace(bench.hands, runner=lambda _: Answer(code=0)))
    with pytest.raises(StepFailed, match="every image would look abandoned"):
        pruning.read_rules(silent)
    assert pruning.read_rules(bench).always == {"main"}


@pytest.mark.process
def test_githubs_registry_deletes_by_number(registry: Registry, tmp_path: Path,
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    doomed = registry.put({"manifests": [], **created(OLD)})
    registry.names = {"pr-7": doomed}
    scene = Scene(tmp_path)
    asked: list[str] = []

    def api(request: Request) -> Answer:
        asked.append(f"{request.method} {request.path}")
        if request.method == "DELETE" or "/orgs/" in request.path:
            return Answer(code=204 if request.method == "DELETE" else 404)
        page = [{"name": "sha256:other", "id": 1}] * 100 if "&page=1" in request.path else [{"name": doomed, "id": 42}]
        return Answer(code=200, out=json.dumps(page))

    def runner(command: Command) -> Answer:
        return Answer(code=0, out=f"{'a' * 40}\trefs/heads/main\n" if "ls-remote" in command.argv else "")

    bench = scene.bench()
    double = replace(bench, hands=replace(bench.hands, runner=runner, api=api))
    monkeypatch.setattr(pruning, "set_up", lambda _: double)
    monkeypatch.setattr(pruning, "connect", lambda _: connect(registry.name))
    monkeypatch.setattr("time.time", lambda: NOW)
    assert pruning.prune(lambda _: None, delete=True)["image"] == "ghcr.io/acme/toy"
    assert asked[-1] == "DELETE /users/acme/packages/container/toy/versions/42" and doomed in registry.blobs
    remove = pruning._github(double, "ghcr.io/acme/toy")  # pylint: disable=protected-access
    with pytest.raises(StepFailed, match="does not list sha256:unknown"):
        remove("sha256:unknown")
