"""Whatever a history looks like: all that speak of its release say the same, and what git says."""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from shipway.errors import ShipwayError
from shipway.run import documents, notes
from shipway.run.release import preview_release
from shipway.run.status import read_status
from tests.support.grown_histories import Answer, Grown, Oracle, read_number
from tests.support.repositories import git
from tests.support.scene import Scene

pytestmark = pytest.mark.process

SEEDS = range(int(os.environ.get("SHIPWAY_HISTORIES", "40")))
"""Says which histories are grown: as many as the variable says."""
ADDRESS = "https://github.com/acme/toy.git"
_DUE = re.compile(r"(?P<current>\S+) → (?P<next>\S+) \(\w+\)")
_MADE = re.compile(r"(?P<tag>\S+) was made of this commit")
_NONE = re.compile(r"no release is due(?: since (?P<current>\S+))?")
_HASH = re.compile(r"`([0-9a-f]{7})`")
_REFERENCES = re.compile(r" \((\[[^]]+\]\([^)]+\)(, )?)+\)$")


def settle(grown: Grown, folder: Path) -> tuple[Scene, Oracle]:
    """Write a history as the origin of a scene, whose checkout has it, too."""
    source = grown.write(folder / "written")
    scene = Scene(folder, real=True, inside=True)
    for name in ("origin.git", "project"):
        shutil.rmtree(folder / name)
    git(folder, "clone", "--quiet", "--bare", "--template=", "written", "origin.git")
    git(folder, "clone", "--quiet", "--template=", "written", "project")
    git(scene.clone, "remote", "set-url", "origin", ADDRESS)
    scene.clone /= grown.inside
    return scene, Oracle(grown, source)


def read_evidence(evidence: str, version_of: dict[str, str]) -> Answer:
    """Read the sentence about a decision; ``version_of`` says what the tags mean."""
    due = _DUE.match(evidence)
    if due:
        current = due["current"]
        return Answer(None if current == "nothing" else current, due["next"])
    made = _MADE.match(evidence)
    if made:
        return Answer(version_of[made["tag"]], None, made["tag"])
    none = _NONE.fullmatch(evidence)
    assert none, evidence
    return Answer(none["current"])


def ask_version(made: str | None) -> Answer:
    """Ask `shipway version`, which says nothing of the tag that was ``made``."""
    document = documents.version_document(lambda _: None)
    return Answer(document["current"], document["next"], made)


def ask_status(scene: Scene, versions: dict[str, str]) -> Answer:
    """Ask `shipway status`, whose first row is the decision."""
    first, *_ = read_status(scene.session())
    return read_evidence(first.finding.evidence, versions)


def ask_release(scene: Scene, versions: dict[str, str]) -> Answer:
    """Ask `shipway release --dry-run`."""
    first, *_ = preview_release(scene.session(), until="build")
    return read_evidence(first.evidence, versions)


def ask_all(scene: Scene, right: Answer, versions: dict[str, str]) -> dict[str, Answer]:
    """Ask everybody who speaks of a commit's release."""
    calls: dict[str, Callable[[], Answer]] = {
        "version": lambda: ask_version(right.made),
        "status": lambda: ask_status(scene, versions),
        "release": lambda: ask_release(scene, versions),
    }
    answers: dict[str, Answer] = {}
    for name, ask in calls.items():
        try:
            answers[name] = ask()
        except ShipwayError as error:
            answers[name] = Answer(refusal=type(error).__name__)
    return answers


def read_entries(text: str) -> tuple[list[tuple[str, str]], set[str]]:
    """Read the notes: (hash, words) of each change, and the hashes of what was reverted."""
    changes: list[tuple[str, str]] = []
    reverts: set[str] = set()
    for section in text.split("### ")[1:]:
        heading, _, body = section.partition("\n")
        for entry in re.split(r"(?m)^- ", body)[1:]:
            words = " ".join(entry.split())
            hashes = _HASH.findall(words)
            if heading == "Reverts":
                reverts.update(hashes)
            elif hashes:
                changes.append((hashes[-1], _REFERENCES.sub("", words)))
    return sorted(changes), reverts


def check(scene: Scene, oracle: Oracle, head: str, branch: str) -> Answer:
    """All say what is right of what is checked out."""
    right = oracle.answer(head, branch)
    versions = {oracle.grown.name(number): str(number) for number in oracle.numbers()}
    answers = ask_all(scene, right, versions)
    assert answers == dict.fromkeys(answers, right)
    if branch:
        # A branch is built as a branch, whatever was released of its head.
        tags = documents.tags_document(lambda _: None)
        assert (tags["channel"], tags["version"]) == ("branch", None)
    return right


def check_notes(oracle: Oracle, head: str, right: Answer, branch: str) -> None:
    """The notes of what is due name exactly the commits of the version."""
    document = notes.notes_document(lambda _: None)
    version = right.current if right.made else right.upcoming
    assert document["version"] == version
    number = read_number(version or "")
    assert document["tag"] == (oracle.grown.name(number) if number else None)
    if right.upcoming and right.current:
        changes, reverts = read_entries(str(document["notes"]))
        due, reverted = oracle.entries(head, branch)
        assert (Counter(changes), reverts) == (Counter(due), reverted)


def check_made(scene: Scene, oracle: Oracle, branch: str, made: Answer) -> None:
    """The commit below a release commit, and its tag that is checked out, are that release."""
    head = git(scene.clone, "rev-parse", "HEAD")
    git(scene.clone, "checkout", "--quiet", "--detach")
    if oracle.answer(head, "") == made:
        check(scene, oracle, head, "")
        document = documents.tags_document(lambda _: None)
        assert (document["version"], document["tags"][0]) == (made.current, f"v{made.current}")
    git(scene.clone, "checkout", "--quiet", "-B", branch, "HEAD~1")
    base = git(scene.clone, "rev-parse", "HEAD")
    assert check(scene, oracle, base, branch).made


def check_released(scene: Scene, oracle: Oracle, due: Answer) -> None:
    """What is due is released, and afterwards all say so."""
    number = read_number(due.upcoming or "")
    assert number
    tag = oracle.grown.name(number)
    result = scene.release()
    assert result.released and result.target and result.target.release
    assert (result.target.release.tag, result.target.tags[0]) == (tag, f"v{number}")
    right = Answer(due.upcoming, None, tag)
    answers = ask_all(scene, right, {tag: str(number)})
    assert answers == dict.fromkeys(answers, right)
    assert notes.notes_document(lambda _: None)["notes"] == result.target.release.notes


@pytest.mark.parametrize("seed", SEEDS)
def test_all_say_what_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    grown = Grown(seed)
    grown.grow(grown.chance.randint(8, 45))
    scene, oracle = settle(grown, tmp_path)
    for module in (documents, notes):
        monkeypatch.setattr(module, "open_session", lambda _progress: scene.session())
    branch = "1.x" if "1.x" in grown.history.heads and grown.chance.random() < 0.3 else "main"
    git(scene.clone, "checkout", "--quiet", "-B", branch, f"origin/{branch}")
    head = git(scene.clone, "rev-parse", "HEAD")
    right = check(scene, oracle, head, branch)
    if not right.refusal:
        check_notes(oracle, head, right, branch)
    if right.made and not grown.tag_only:
        check_made(scene, oracle, branch, right)
    if right.upcoming and seed % 8 == 0:
        check_released(scene, oracle, right)
