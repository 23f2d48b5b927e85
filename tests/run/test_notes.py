"""What a release tells, in a real repository and with the real release tool."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shipway.errors import ContextError
from shipway.model.target import require_release
from shipway.run import notes as printed
from shipway.target.release_page import LONGEST_BODY
from tests.support.faces import run_task
from tests.support.repositories import commit, git
from tests.support.scene import Scene

pytestmark = pytest.mark.process
TAG_ONLY = "\n[tool.shipway.release]\ntag-only = true\n"


def begin(folder: Path, settings: str = "") -> Scene:
    """A project with the release v1.0.0 in its origin."""
    scene = Scene(folder, settings, real=True)
    git(scene.clone, "tag", "v1.0.0")
    push(scene, "v1.0.0")
    return scene


def push(scene: Scene, *refs: str) -> None:
    address = f"url.{scene.folder / 'origin.git'}.insteadOf=https://github.com/acme/toy.git"
    git(scene.clone, "-c", address, "push", "--quiet", "origin", *refs)


def add(scene: Scene, *messages: str) -> None:
    """Commits, pushed."""
    for message in messages:
        commit(scene.clone, message)
    push(scene, "main")


def document(scene: Scene, monkeypatch: pytest.MonkeyPatch, version: str = "") -> dict[str, object]:
    """What the task prints."""
    monkeypatch.setattr(printed, "open_session", lambda _: scene.session())
    return {**printed.notes_document(scene.progress.append, version)}


def test_what_is_due_and_what_was_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = begin(tmp_path)
    reverted = git(scene.clone, "rev-parse", "HEAD")
    add(scene, "chore: nothing to release")
    assert document(scene, monkeypatch) == {"version": None, "tag": None, "notes": None}
    assert scene.progress[-1] == "no release is due since 1.0.0"
    add(
        scene,
        "feat: take List<String> and `List<String>`, thanks @octocat",
        f'Revert "feat: begin"\n\nThis reverts commit {reverted}.',
    )
    due = document(scene, monkeypatch)
    assert (due["version"], due["tag"]) == ("1.1.0", "v1.1.0")
    notes = str(due["notes"])
    assert "- Take List&lt;String> and `List<String>`, thanks @&#8203;octocat" in notes
    assert '### Reverts\n\n- Revert "feat: begin" (`' in notes and notes.endswith("a")
    assert not git(tmp_path / "origin.git", "tag", "--list", "v1.1.0")
    scene.release()
    assert document(scene, monkeypatch) == due
    assert document(scene, monkeypatch, "1.1.0") == due
    with pytest.raises(ContextError, match="there is no tag v9.9.9 in the remote"):
        document(scene, monkeypatch, "v9.9.9")
    with pytest.raises(ContextError, match="no section for v1.0.0"):
        document(scene, monkeypatch, "v1.0.0")


def test_a_section_that_was_written_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = begin(tmp_path)
    changelog = scene.clone / "CHANGELOG.md"
    words = "<details>\n\n- **All** of [it](https://x.example)\n\n</details>"
    changelog.write_text(f"{changelog.read_text()}\n## v1.1.0 (soon)\n\n{words}\n")
    add(scene, "feat: more of <it>")
    notes = str(document(scene, monkeypatch)["notes"])
    assert notes.startswith(f"{words}\n\n### Other Changes\n\n- more of &lt;it> (`")


def test_notes_of_any_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = begin(tmp_path, TAG_ONLY)
    body = "".join(f"* fix: change number {number} of a long list\n\n" for number in range(900))
    add(scene, f"Merge everything (#1)\n\n{body}")
    result = scene.release()
    assert result.target is not None and result.released
    release = require_release(result.target)
    assert len(release.notes) > LONGEST_BODY
    page = str(scene.remotes.releases[-1]["body"])
    assert len(page) < LONGEST_BODY and "shipway verify" in page
    assert "more: [all changes](https://github.com/acme/toy/compare/v1.0.0...v1.0.1)" in page
    assert document(scene, monkeypatch, "v1.0.1")["notes"] == release.notes


def test_a_release_that_tells_nothing_stops_before_it_is_built(tmp_path: Path) -> None:
    templates = '[tool.semantic_release]\nversion_toml = ["pyproject.toml:project.version"]\n'
    templates += '[tool.semantic_release.changelog]\ntemplate_dir = "templates"\nmode = "update"\n'
    scene = begin(tmp_path, templates)
    (scene.clone / "templates").mkdir()
    (scene.clone / "templates" / "CHANGELOG.md.j2").write_text(
        "# Log\n\n## v{{ (context.history.released.values() | list)[0].version }} (now)\n\n"
    )
    add(scene, "feat: more")
    with pytest.raises(ContextError, match="section of v1.1.0 in CHANGELOG.md names no change"):
        scene.release()
    assert not scene.remotes.tags


def test_the_task(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    answers: dict[str, dict[str, object]] = {
        "v1.2.3": {"version": "1.2.3", "tag": "v1.2.3", "notes": "- A"},
        "": {"version": None, "tag": None, "notes": None},
    }
    monkeypatch.setattr(printed, "notes_document", lambda _, version: answers[version])
    assert run_task("notes", "--version", "v1.2.3") == 0 and capsys.readouterr().out == "- A\n"
    assert run_task("notes", "--dry-run") == 0 and capsys.readouterr().out == ""
    assert run_task("notes", "--json") == 0
    assert json.loads(capsys.readouterr().out) == answers[""]


@pytest.mark.parametrize("settings", ["", TAG_ONLY])
@pytest.mark.parametrize("text", ["# Log\n\n## 1.0.0\n\n- Begin\n", "1.0.0\n=====\n\n- Begin\n"])
def test_a_changelog_of_somebody_s_own_gets_a_place_for_new_sections(
    tmp_path: Path, settings: str, text: str
) -> None:
    scene = begin(tmp_path, settings)
    (scene.clone / "CHANGELOG.md").write_text(text)
    add(scene, "feat: shine")
    target = scene.release(until="commit").target
    assert target is not None
    release = require_release(target)
    assert "- Shine" in release.notes and "Begin" not in release.notes
    written = git(scene.folder / "origin.git", "show", "v1.1.0:CHANGELOG.md") + "\n"
    if settings:
        assert written == text
    else:
        assert written.endswith("\n\n- Begin\n") and written.count("- Shine") == 1
