"""The parts of the fault matrix that need neither cosign nor a registry."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from shipway.rehearsal import releases
from tests.faults import docker, invariants, proxy
from tests.faults.cells import Cell
from tests.faults.director import Director
from tests.faults.people import View
from tests.faults.points import FAULTS, POINTS, Moment, exempt, moments
from tests.faults.table import render
from tests.faults.world import WORDS, World
from tests.support import repositories

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform != "linux", reason="the matrix needs Linux"),
]


class TestMoments:
    """Which fault hits which point."""

    def test_every_cell_has_a_moment_or_a_reason(self) -> None:
        for point in POINTS:
            for fault in FAULTS:
                assert bool(moments(point, fault)) or exempt(point, fault), (point, fault)

    def test_what_somebody_else_does_is_a_fault_of_its_own(self) -> None:
        acts = [moment.act for moment in moments("release", "other")]
        assert acts == ["draft", "newer"]
        assert [moment.act for moment in moments("docs", "other")] == ["pages", "newer"]
        assert not [moment.act for moment in moments("docs", "second") if moment.act]
        assert exempt("version", "other") and not exempt("docs", "other")

    def test_only_github_tells_a_limit_with_403(self) -> None:
        assert [point for point in POINTS if not exempt(point, "403")] == ["release"]

    def test_a_draft_is_made_when_the_list_is_asked_for(self) -> None:
        (draft, _) = moments("release", "other")
        path = "/api/v3/repos/acme/app/releases"
        assert draft.fits(f"GET {path}?per_page=100&page=1 PyGithub")
        assert not draft.fits(f"GET {path}/tags/v0.2.0 PyGithub")

    def test_the_table_has_a_column_for_each(self) -> None:
        rows = render([Cell("docs", "other", "converged", "the docs branch: survived")])
        assert FAULTS["other"] in rows and FAULTS["403"] in rows
        (row,) = (line for line in rows.splitlines() if line.startswith("| docs |"))
        assert row.count("|") == len(FAULTS) + 2 and row.endswith("| ✓ by itself |")


def test_somebody_else_acts_and_the_request_goes_on() -> None:
    done: list[str] = []
    director = Director(acts={"pages": lambda: done.append("pages")})
    director.arm("other", Moment("x", "POST /point/docs", act="pages"))
    assert [director.before("POST /point/docs ") for _ in range(2)] == ["", ""]
    assert done == ["pages"] and director.struck == 1


def test_a_limit_is_told_as_github_tells_it() -> None:
    director = Director()
    with proxy.stand_up(director, {"/": "127.0.0.1:1"}) as address:
        director.arm("403", Moment("x", "GET /api"))
        status, headers, content = docker.ask("GET", address, "/api")
    assert (status, headers["retry-after"]) == (403, "1")
    assert b"secondary rate limit" in content


@pytest.fixture(name="world")
def fixture_world(tmp_path: Path) -> World:
    """Remotes without a registry or services; Any, since nobody asks for them."""
    nothing = cast(Any, None)
    world = World(
        home=tmp_path,
        director=Director(),
        sigstore=nothing,
        registry="",
        address="",
        releases="",
        environment={},
        secrets=(),
    )
    (tmp_path / "releases").mkdir()
    (tmp_path / "releases/releases.json").write_text("[]")
    return world


@pytest.fixture(name="docs")
def fixture_docs(tmp_path: Path) -> Path:
    """An origin with a docs branch."""
    folder = tmp_path / "origin.git"
    folder.mkdir()
    repositories.git(folder, "init", "--quiet", "--initial-branch", "gh-pages")
    (folder / "versions.json").write_text("[]")
    repositories.commit(folder, "docs")
    return folder


class TestWhatSomebodyElseMakes:
    """It has to be there in the end."""

    def test_a_page_of_the_docs(self, world: World, docs: Path) -> None:
        before = repositories.git(docs, "rev-parse", "gh-pages")
        assert not world.miss()
        world.push_pages()
        assert repositories.git(docs, "rev-parse", "gh-pages^") == before
        names = repositories.git(docs, "ls-tree", "--name-only", "gh-pages").split()
        assert names == ["theirs.txt", "versions.json"] and not world.miss()
        repositories.git(docs, "update-ref", "refs/heads/gh-pages", before)
        assert world.miss() == ["somebody's page of the docs is gone"]

    def test_a_draft(self, world: World, docs: Path) -> None:
        assert docs.is_dir()
        with proxy.serve(releases.make_server(world.home / "releases")) as port:
            world.releases = f"127.0.0.1:{port}"
            world.make_draft()
        file = world.home / "releases/releases.json"
        (draft,) = json.loads(file.read_text(encoding="utf-8"))
        assert (draft["tag_name"], draft["draft"], draft["body"]) == ("v0.2.0", True, WORDS)
        assert not world.miss()
        file.write_text("[]")
        assert world.miss() == ["what somebody wrote in the draft is gone"]

    def test_a_newer_release(self) -> None:
        finished = View(
            tags={"v0.2.0": "a", "latest": "a"},
            versions={"v0.2.0": "0.2.0", "latest": "0.2.0"},
            refs={"main": "1", "v0.2.0": "1"},
            releases=(("v0.2.0", False, "a"),),
            docs={"0.2": ("0.2.0", ("latest",))},
        )
        now = View(refs={"main": "2", "v0.2.1": "2"}, tags={"v0.2.1": "b"})
        expected = invariants.expect_newer(finished, now)
        assert expected.docs == {"0.2": ("0.2.1", ("latest",))}
        assert expected.tags["latest"] == expected.tags["v0.2.1"] == "b"
        assert expected.versions["v0.2.0"] == "0.2.0" and expected.refs["main"] == "2"
        assert [tag for tag, _, _ in expected.releases] == ["v0.2.0", "v0.2.1"]


def test_the_time_of_a_rival_is_not_that_of_the_run(world: World) -> None:
    lock = world._rival_runs  # pylint: disable=protected-access
    process = subprocess.Popen(
        (sys.executable, "-c", "import time; time.sleep(1.2); print('done')"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with lock:
        printed = world._await(process, 0.1, disturbed=True)  # pylint: disable=protected-access
    assert printed == ("done\n", "")


def test_a_run_that_does_not_end_is_not_waited_for(world: World) -> None:
    process = subprocess.Popen(
        (sys.executable, "-c", "import time; time.sleep(60)"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert world._await(process, 0.1, disturbed=False) is None  # pylint: disable=protected-access
    process.kill()
    process.communicate()
