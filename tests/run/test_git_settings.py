"""Whatever git's settings and variables say: the same decision, commit, files, push; the user's repository is read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from shipway.run.fresh_clone import open_clone
from shipway.tools.git import push
from shipway.tools.git_remote import render_remote_settings
from tests.support.hostile_git import (
    OF_A_CHECKOUT,
    SETTINGS,
    read_settings,
    variables,
    write_files,
)
from tests.support.repositories import commit, git, read_files
from tests.support.scene import Scene

pytestmark = pytest.mark.process

GROUPS = {**SETTINGS, "everything": "".join(SETTINGS.values())}
PLACES = ("user", "system", "checkout")
PROJECT_FILES = {
    ".gitattributes": "*.bat text eol=crlf\n*.txt text=auto ident\n",
    ".mailmap": "Ann Örtlich <ann@example.org> <a@b>\n",
    "gruß.txt": "$Id$\nein\nzwei\n",
    "other.mailmap": "Mallory <mallory@example.org> <a@b>\n",
    "run.bat": "echo\n",
    "run.sh": "#!/bin/sh\necho\n",
    "sub/#v.txt": "v\n",
}


def make_template(folder: Path) -> Path:
    """Make a project with files of many kinds, a signed commit, a release, and a fix that is due."""
    scene = Scene(folder)
    for name, content in PROJECT_FILES.items():
        file = scene.clone / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(content, encoding="utf-8")
    (scene.clone / "run.sh").chmod(0o755)
    (scene.clone / "link").symlink_to("run.sh")
    commit(scene.clone, "feat: files")
    git(scene.clone, "tag", "--annotate", "--message", "v0.3.0", "v0.3.0")
    commit(scene.clone, "fix: größer")
    content = git(scene.clone, "cat-file", "commit", "HEAD")
    signed = content.replace("\n\n", "\ngpgsig -----BEGIN SSH SIGNATURE-----\n x\n\n", 1) + "\n"
    head = git(scene.clone, "hash-object", "-t", "commit", "-w", "--stdin", content=signed)
    git(scene.clone, "reset", "--quiet", "--hard", head)
    bare = scene.folder / "origin.git"
    git(scene.clone, "push", "--quiet", str(bare), "main", "v0.3.0")
    # The origin is another machine's, with settings of its own.
    git(bare, "config", "core.hooksPath", "/dev/null")
    return folder


@pytest.fixture(name="template", scope="module")
def fixture_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that is copied: that takes a tenth of the time of git's processes."""
    return make_template(tmp_path_factory.mktemp("template") / "scene")


def make_scene(template: Path, folder: Path) -> Scene:
    """Copy the project, and write the files that hostile settings name beside it."""
    scene = Scene(folder / "scene")
    for name in ("project", "origin.git"):
        copy = folder / "scene" / name
        shutil.rmtree(copy)
        shutil.copytree(template / name, copy, symlinks=True)
    write_files(folder)
    # What git knows of the file is out of date, so that it would like to write its index.
    os.utime(scene.clone / "pyproject.toml", (1, 1))
    return scene


def settle(scene: Scene, place: str, text: str) -> dict[str, str]:
    """Put settings where a user, a system or a checkout has them; gives the variables that lead there."""
    if place == "checkout":
        with (scene.clone / ".git/config").open("a", encoding="utf-8") as file:
            file.write(text)
        return {}
    if place == "system":
        system = scene.folder / "system"
        system.write_text(text, encoding="utf-8")
        return {"GIT_CONFIG_NOSYSTEM": "0", "GIT_CONFIG_SYSTEM": str(system)}
    settings = scene.folder / "gitconfig"
    settings.write_text(text + settings.read_text(encoding="utf-8"), encoding="utf-8")
    return {}


def walk(scene: Scene, environment: Mapping[str, str], *, quick: bool = False) -> dict[str, object]:
    """Decide, release, build and push; gives all that is there afterwards.

    Where it is ``quick`` the release tool is played.
    """
    scene.real = not quick
    scene.upcoming, scene.last = "0.3.1", "0.3.0"
    before = read_files(scene.clone)
    session = scene.session(**environment)
    with open_clone(session) as clone:
        decision = clone.decide()
        release = clone.make_release(decision)
        files = {
            name: (
                content,
                (clone.folder / name).stat().st_mode,
                (clone.folder / name).is_symlink(),
            )
            for name, content in read_files(clone.folder).items()
            if not name.startswith(".git/")
        }
        refs = (f"{release.commit}:refs/heads/main", f"refs/tags/{release.tag}")
        clone.executor(push("commit", "x", clone.folder, "origin", *refs))
    assert read_files(scene.clone) == before, "the user's repository was written"
    origin = scene.folder / "origin.git"
    return {
        "context": session.context,
        "decision": decision,
        "release": release,
        "commit": git(origin, "cat-file", "commit", release.commit),
        "tag": git(origin, "cat-file", "tag", release.tag),
        "refs": git(origin, "for-each-ref"),
        "files": files,
    }


@pytest.fixture(name="expected", scope="module")
def fixture_expected(
    template: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[bool, dict[str, object]]:
    """What is there afterwards where nobody set anything: with the release tool played, and with the real one."""
    return {
        quick: walk(make_scene(template, tmp_path_factory.mktemp("calm")), {}, quick=quick)
        for quick in (True, False)
    }


def test_what_a_calm_walk_gives(expected: dict[bool, dict[str, object]]) -> None:
    for result in expected.values():
        assert "chore(release): v0.3.1" in str(result["commit"])
        files = result["files"]
        assert isinstance(files, dict)
        assert files["run.bat"][0] == b"echo\r\n" and files["run.sh"][0] == b"#!/bin/sh\necho\n"
        assert files["link"][2] and files["gruß.txt"][0].startswith(b"$Id: ")
    assert "Ann Örtlich" in str(expected[False]["release"])


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("group", GROUPS)
def test_no_setting_changes_anything(
    template: Path,
    tmp_path: Path,
    expected: dict[bool, dict[str, object]],
    group: str,
    place: str,
) -> None:
    quick = group != "everything"
    scene = make_scene(template, tmp_path)
    text = GROUPS[group] + (OF_A_CHECKOUT if place == "checkout" else "")
    environment = settle(scene, place, render_remote_settings(read_settings(text, tmp_path)))
    assert walk(scene, environment, quick=quick) == expected[quick]
    assert not (tmp_path / "ran").exists() and not (tmp_path / "trace").exists()


def test_no_variable_changes_anything(
    template: Path, tmp_path: Path, expected: dict[bool, dict[str, object]]
) -> None:
    scene = make_scene(template, tmp_path)
    assert walk(scene, variables(tmp_path)) == expected[False]
    assert not (tmp_path / "ran").exists() and not (tmp_path / "trace").exists()


def test_the_walk_is_long() -> None:
    keys = {key for key, _ in read_settings(GROUPS["everything"], Path())}
    assert len(keys) > 120
