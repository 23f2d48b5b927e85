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


@pytest.mark.process
def test_githubs_registry_deletes_by_number(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    doomed = registry.put({"manifests": [], **created(OLD)})
    registry.names = {"pr-7": doomed}
    scene = Scene(tmp_path)
    asked: list[str] = []

    def api(request: Request) -> Answer:
        asked.append(f"{request.method} {request.path}")
        if request.method == "DELETE" or "/orgs/" in request.path:
            return Answer(code=204 if request.method == "DELETE" else 404)
        page = (
            [{"name": "sha256:other", "id": 1}] * 100
            if "&page=1" in request.path
            else [{"name": doomed, "id": 42}]
        )
        return Answer(code=200, out=json.dumps(page))

    def runner(command: Command) -> Answer:
        return Answer(
            code=0, out=f"{'a' * 40}\trefs/heads/main\n" if "ls-remote" in command.argv else ""
        )

    session = scene.session()
    double = replace(session, executor=replace(session.executor, runner=runner, api=api))
    monkeypatch.setattr(pruning, "open_session", lambda _: double)
    monkeypatch.setattr(
        pruning, "connect", lambda _, environment: connect(registry.name, environment)
    )
    monkeypatch.setattr("time.time", lambda: NOW)
    assert pruning.prune_images(lambda _: None, delete=True)["image"] == "ghcr.io/acme/toy"
    assert (
        asked[-1] == "DELETE /users/acme/packages/container/toy/versions/42"
        and doomed in registry.blobs
    )
    with connect(registry.name, {}) as client:
        find_remover = pruning._find_remover  # pylint: disable=protected-access
        remove = find_remover(double, "ghcr.io/acme/toy", client)
        with pytest.raises(StepFailed, match="does not list sha256:unknown"):
            remove("sha256:unknown")
