"""Whole runs: real git, and a registry, cosign and docs in memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shipway.errors import Conflict, ContextError, StepFailed
from shipway.model.actions import Command
from shipway.model.release import Decision
from shipway.model.stage import State
from shipway.model.version import Version
from shipway.rehearsal import origin
from shipway.run import documents
from shipway.run.release import ORDER, preview_release, run_release
from shipway.run.result import Outcome, Result
from shipway.run.stage import preview_stage, run_stage
from shipway.run.status import read_status
from tests.support.model_remotes import digest_of, manifest
from tests.support.repositories import commit, git
from tests.support.scene import Scene

pytestmark = pytest.mark.process
NOTHING_DUE = Decision(Version(0, 0, 0), None)


def outcomes(result: Result) -> dict[str, str]:
    """Give the outcome by stage."""
    return {outcome.name: outcome.outcome for outcome in result.stages}


def test_a_second_run_skips_everything_and_a_third_finds_nothing_due(scene: Scene) -> None:
    first = scene.release()
    second = scene.release()
    assert set(outcomes(second).values()) == {"skipped"}
    assert second.target is not None and first.target is not None
    assert (second.digest, second.target.commit) == (first.digest, first.target.commit)
    git(
        scene.clone,
        "-c",
        f"url.{scene.folder / 'origin.git'}.insteadOf=https://github.com/acme/toy.git",
        "pull",
        "--quiet",
        "--ff-only",
    )
    assert scene.release().released  # the release commit itself belongs to the release
    commit(scene.clone, "chore: nothing to see")
    scene.upcoming, scene.last = "", "0.1.0"
    assert outcomes(scene.release()) == {"version": "skipped"}


def test_no_release_due_is_a_normal_end(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene, "decide", lambda: NOTHING_DUE)
    result = scene.release()
    assert outcomes(result) == {"version": "skipped"} and not result.released
    assert result.stages[0].reason == "no release is due since 0.0.0"
    assert documents.result_document(result)["version"] is None


def test_two_runs_before_the_commit_point_make_the_same_commit(scene: Scene) -> None:
    first, second = scene.release(until="verify"), scene.release(until="verify")
    assert first.target is not None and second.target is not None
    assert first.target.commit == second.target.commit
    assert outcomes(second)["build"] == "skipped" and not first.released


def test_a_version_that_another_branch_took_is_a_conflict_before_anything_is_built(
    scene: Scene,
) -> None:
    git(
        scene.clone,
        "tag",
        "v0.1.0",
        git(scene.clone, "commit-tree", "-m", "elsewhere", "HEAD^{tree}"),
    )
    git(
        scene.clone,
        "-c",
        f"url.{scene.folder / 'origin.git'}.insteadOf=https://github.com/acme/toy.git",
        "push",
        "--quiet",
        "origin",
        "v0.1.0",
    )
    with pytest.raises(Conflict, match="v0.1.0 was released already") as caught:
        scene.release()
    assert "merge it" in caught.value.hint and not scene.remotes.manifests


class TestABranchThatMoves:
    """The release starts again from its new head, and nothing of the first start shows."""

    @pytest.mark.parametrize("moment", ["docker buildx build", "git push"])
    def test_while_the_release_is_made(self, scene: Scene, moment: str) -> None:
        heads: list[str] = []
        scene.once(moment, lambda: heads.append(scene.somebody_pushes()))
        result = scene.release()
        assert result.released and result.target is not None
        assert (
            git(scene.folder / "origin.git", "rev-parse", "main", "main~1")
            == f"{result.target.commit}\n{heads[0]}"
        )
        assert [outcome.name for outcome in result.stages] == list(ORDER)
        assert any(
            f"starting again from the new head of main, {heads[0][:12]}" in line
            for line in scene.progress
        )
        assert scene.remotes.tags["v0.1.0"] == scene.remotes.tags[f"sha-{result.target.commit[:7]}"]
        assert not scene.clone.joinpath(
            ".git/FETCH_HEAD"
        ).exists()  # the user's checkout is not touched

    def test_because_somebody_else_released(self, scene: Scene) -> None:
        other = Scene(scene.folder / "other")
        other.folder, other.clone, other.remotes = (
            scene.folder,
            scene.folder / "other/clone",
            scene.remotes,
        )
        other.environment = scene.environment

        def release() -> None:
            scene.somebody_pushes()
            git(
                scene.folder, "clone", "--quiet", str(scene.folder / "origin.git"), str(other.clone)
            )
            origin.point_at_github(other.clone, "acme/toy", "origin", scene.environment)
            assert other.release().released

        scene.once("docker buildx build", release)
        result = scene.release()
        assert result.released and set(outcomes(result).values()) == {"skipped"}
        assert (
            git(scene.folder / "origin.git", "tag") == "v0.1.0" and len(scene.remotes.releases) == 1
        )

    def test_again_and_again_is_left_to_somebody_else(self, scene: Scene) -> None:
        def meanwhile(command: Command) -> None:
            if command.argv[:3] == ("docker", "buildx", "build"):
                scene.somebody_pushes()

        scene.meanwhile = meanwhile
        with pytest.raises(Conflict, match="main moved to"):
            scene.release()
        assert scene.remotes.builds == 4 and not git(scene.folder / "origin.git", "tag")

    def test_before_the_release_began(self, scene: Scene) -> None:
        commit(scene.clone, "fix: only here")
        head = scene.somebody_pushes()
        with pytest.raises(ContextError, match=f"main is at {head[:12]} in the origin"):
            scene.release()
        here = git(scene.clone, "rev-parse", "HEAD")
        result = scene.release(
            GITHUB_ACTIONS="true",
            GITHUB_REF="refs/heads/main",
            GITHUB_SHA=here,
            GITHUB_REPOSITORY="acme/toy",
        )
        assert result.released and git(scene.folder / "origin.git", "rev-parse", "main~1") == head


@pytest.mark.parametrize("until", ["", "publish"])
def test_docs_that_cannot_be_built_are_found_before_anything_is_public(
    scene: Scene, until: str
) -> None:
    (scene.clone / "mkdocs.yml").write_text("site_name: toy\n")
    commit(scene.clone, "docs: a site")
    scene.remotes.broken_docs = "Aborted with 2 warnings in strict mode!"
    with pytest.raises(StepFailed, match="mkdocs build --strict") as caught:
        scene.release(until=until)
    assert "2 warnings" in caught.value.message and "mkdocs build --strict" in caught.value.hint
    assert not git(scene.folder / "origin.git", "tag") and not scene.remotes.releases
    assert not {"v0.1.0", "latest"}.intersection(scene.remotes.tags)
    scene.remotes.broken_docs = ""
    assert scene.release(until="publish").released
    assert git(scene.folder / "origin.git", "tag") == "v0.1.0"


def test_stages_that_there_are_not(scene: Scene) -> None:
    with pytest.raises(ContextError, match="no stage 'bild'"):
        scene.release(until="bild")


def test_a_failed_decision_is_reported_as_the_version_stage(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> Decision:
        raise StepFailed("it gave no version: NotAReleaseBranch: main", hint="check its settings")

    monkeypatch.setattr(scene, "decide", refuse)
    reported: list[Outcome] = []
    with pytest.raises(StepFailed, match="gave no version: NotAReleaseBranch: main"):
        run_release(scene.session(), Result(), reported.append)
    assert [(outcome.name, outcome.outcome) for outcome in reported] == [("version", "failed")]


def test_a_dry_run_of_a_release_changes_nothing_and_shows_every_stage(scene: Scene) -> None:
    rows = preview_release(scene.session())
    assert [row.name for row in rows] == list(ORDER)
    assert scene.remotes.changes == 0 and git(scene.folder / "origin.git", "tag") == ""
    text = "\n".join(line for row in rows for line in row.commands)
    assert "git push --atomic origin" in text and '"${INDEX}"' in text


def test_a_dry_run_with_nothing_due(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene, "decide", lambda: NOTHING_DUE)
    assert [row.name for row in preview_release(scene.session())] == ["version"]


def test_single_stages_on_a_branch(scene: Scene) -> None:
    git(scene.clone, "switch", "--quiet", "--create", "feature/one")
    session = scene.session()
    for name in ("build", "sign", "verify", "promote"):
        result = Result()
        run_stage(session, name, result, lambda _: None)
        together = ("build", "inspect") if name == "build" else (name,)
        assert outcomes(result) == dict.fromkeys(together, "done")
    assert {tag.rpartition("-")[0] for tag in scene.remotes.tags} == {"feature-one", "sha"}
    assert preview_stage(session, "promote")[0].state == "same"
    assert [row.finding.state for row in read_status(session)] == [State.SAME] * len(ORDER)


def test_what_is_not_committed_is_not_pushed(scene: Scene) -> None:
    (scene.clone / "new").write_text("")
    with pytest.raises(ContextError, match="not committed"):
        run_stage(scene.session(), "build", Result(), lambda _: None)
    assert scene.remotes.changes == 0


def test_stages_of_a_release_need_one(scene: Scene) -> None:
    with pytest.raises(ContextError, match="nothing to publish"):
        run_stage(scene.session(), "publish", Result(), lambda _: None)
    scene.release(until="promote")
    result = Result()
    run_stage(scene.session(), "publish", result, lambda _: None)
    assert outcomes(result) == {"publish": "done"}


def test_the_docs_of_a_checked_out_tag_need_no_image(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "[tool.shipway.docs]\nenabled = true\n")
    scene.release(until="commit")
    git(
        scene.clone,
        "-c",
        f"url.{scene.folder / 'origin.git'}.insteadOf=https://github.com/acme/toy.git",
        "fetch",
        "--quiet",
        "--tags",
    )
    git(scene.clone, "checkout", "--quiet", "--detach", "v0.1.0")
    rows = preview_stage(scene.session(), "document")
    _, deploy = rows[0].commands
    assert deploy.startswith('(cd "${CLONE}" && mike deploy')


def publish_docs(bare: Path, command: Command) -> None:
    """Write mike's list to the docs branch where mike would."""
    if command.argv[:2] != ("mike", "deploy"):
        return
    words = command.argv[command.argv.index("--title") + 1 :]
    rows = [{"title": words[0], "version": words[1], "aliases": list(words[2:])}]
    blob = git(bare, "hash-object", "-w", "--stdin", content=json.dumps(rows))
    tree = git(bare, "mktree", content=f"100644 blob {blob}\tversions.json\n")
    docs = git(bare, "commit-tree", tree, "-m", "docs")
    git(bare, "update-ref", "refs/heads/gh-pages", docs)


def test_an_older_run_that_ends_last_leaves_the_newer_docs(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "[tool.shipway.docs]\nenabled = true\n")
    scene.meanwhile = lambda command: publish_docs(scene.folder / "origin.git", command)
    older = git(scene.clone, "rev-parse", "HEAD")
    scene.release(until="publish")
    scene.somebody_pushes("fix: of somebody else")
    address = f"url.{scene.folder / 'origin.git'}.insteadOf=https://github.com/acme/toy.git"
    git(scene.clone, "-c", address, "pull", "--quiet", "--ff-only")
    scene.upcoming, scene.last = "0.1.1", "0.1.0"
    newer = git(scene.clone, "rev-parse", "HEAD")
    assert outcomes(scene.release())["document"] == "done"
    docs = list(scene.remotes.docs)
    assert docs == [{"version": "0.1", "title": "0.1.1", "aliases": ["latest"]}]
    changes = scene.remotes.changes
    # As a job does that is run again.
    for head in (older, newer, older):
        git(scene.clone, "reset", "--quiet", "--hard", head)
        result = scene.release()
        assert set(outcomes(result).values()) == {"skipped"}
    assert result.stages[-1].reason == "0.1 shows 0.1.1, which is newer"
    assert scene.remotes.docs == docs and scene.remotes.changes == changes


def test_the_status_of_a_release_before_and_after(scene: Scene) -> None:
    before = list(read_status(scene.session()))
    assert [row.name for row in before] == list(ORDER)
    assert {(row.finding.state, row.advice) for row in before} == {
        (State.ABSENT, "shipway release"),
        (State.SAME, ""),
    }
    assert scene.remotes.changes == 0
    scene.release()
    assert {row.finding.state for row in read_status(scene.session())} == {State.SAME}
    scene.remotes.tags["v0.1.0"] = digest_of("of a stranger")
    scene.remotes.manifests[digest_of("of a stranger")] = manifest(
        "of a stranger", ("linux/amd64",)
    )
    conflicts = [row for row in read_status(scene.session()) if row.finding.state is State.CONFLICT]
    assert [row.name for row in conflicts] == ["build", "publish"]
    assert "nothing was overwritten" in conflicts[0].advice
    assert f"not {digest_of('of a stranger')}" in conflicts[1].finding.evidence


@pytest.mark.parametrize(
    ("program", "unknown"),
    [
        (("docker", "buildx", "imagetools"), ["build", "inspect", "sign", "verify", "promote"]),
        (
            ("docker", "buildx", "imagetools", "inspect", "ghcr.io/acme/toy:sha"),
            ["build", "inspect", "sign", "verify", "promote"],
        ),
        (("cosign",), ["sign", "verify", "promote"]),
        (("git", "ls-remote"), ["commit"]),
        (("git", "clone"), list(ORDER)),
    ],
)
def test_a_remote_that_cannot_be_asked_hides_no_other(
    scene: Scene, program: tuple[str, ...], unknown: list[str]
) -> None:
    scene.release()

    def meanwhile(command: Command) -> None:
        if " ".join(command.argv).startswith(" ".join(program)) and "--help" not in command.argv:
            raise StepFailed("401 Unauthorized", hint="log in")

    scene.meanwhile = meanwhile
    rows = list(read_status(scene.session()))
    assert [row.name for row in rows if row.finding.state is State.UNKNOWN] == unknown
    refused, *_ = (row for row in rows if row.finding.state is State.UNKNOWN)
    assert (refused.finding.evidence, refused.advice) == ("401 Unauthorized", "log in")
    assert [row.name for row in rows] == list(ORDER)
