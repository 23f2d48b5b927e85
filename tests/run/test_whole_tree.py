"""What is built holds all that its commit means: submodules, and files of Git LFS."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from shipway.effects.processes import Processes
from shipway.errors import ContextError
from shipway.model.actions import Command
from shipway.run.documents import local_build_document
from shipway.run.fresh_clone import open_clone
from shipway.run.stage import open_target
from shipway.run.whole_tree import complete, require_whole
from tests.support.repositories import commit, git, make_repository
from tests.support.scene import Scene
from tests.support.stand_ins import install

pytestmark = pytest.mark.process
ALLOWED = ("-c", "protocol.file.allow=always")
WEIGHTS = "the real weights\n"
DIGEST = hashlib.sha256(WEIGHTS.encode()).hexdigest()
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{DIGEST}\nsize {len(WEIGHTS)}\n"
FILTER = f"""
import sys
sys.stdin.read()
sys.stdout.write({WEIGHTS!r} if sys.argv[1] == "smudge" else {POINTER!r})
"""
GIT_LFS = """
import pathlib, re, subprocess, sys
if sys.argv[1] == "version":
    sys.exit()
asked = subprocess.run(["git", "rev-parse", "--git-common-dir"], capture_output=True, text=True)
pointer = sys.stdin.buffer.read()
digest = re.search(rb"sha256:(.*)", pointer)[1].decode()
place = pathlib.Path(asked.stdout.strip(), "lfs/objects", digest[:2], digest[2:4], digest)
sys.stdout.buffer.write(place.read_bytes() if place.exists() else pointer)
"""
"""Plays what git-lfs does with `smudge`: an object that is not there is left as its pointer."""


def add_submodule(folder: Path, source: Path, path: str, *words: str) -> None:
    """Let a repository have another one at ``path``, with what that one has inside."""
    git(folder, *ALLOWED, "submodule", "--quiet", "add", *words, str(source), path)
    git(folder, *ALLOWED, "submodule", "--quiet", "update", "--init", "--recursive")
    commit(folder, f"feat: {path}")


def make_library(folder: Path) -> Path:
    """A repository with another one inside."""
    data = make_repository(folder / "data")
    (data / "data.txt").write_text("data")
    commit(data, "feat: data")
    library = make_repository(folder / "library")
    add_submodule(library, data, "inner")
    return library


def built_files(scene: Scene) -> dict[str, str]:
    """What lies in the folder that a release builds, by name."""
    files: dict[str, str] = {}

    def remember(command: Command) -> None:
        if command.argv[:3] != ("docker", "buildx", "build"):
            return
        folder = Path(command.folder)
        for file in folder.rglob("*.*"):
            if file.is_file() and ".git" not in file.relative_to(folder).parts:
                files[str(file.relative_to(folder))] = file.read_text("utf-8")
        assert git(folder, "status", "--porcelain") == ""

    scene.meanwhile = remember
    assert scene.release().released
    return files


def test_a_release_builds_submodules_one_inside_another(scene: Scene) -> None:
    add_submodule(scene.clone, make_library(scene.folder / "others"), "vendor/lib")
    assert built_files(scene)["vendor/lib/inner/data.txt"] == "data"


def test_the_folders_are_those_of_a_checkout(scene: Scene) -> None:
    add_submodule(scene.clone, make_library(scene.folder / "others"), "vendor/lib")
    with open_clone(scene.session()) as clone:
        complete(clone.executor, scene.clone, clone.folder)
        for name in ("vendor/lib/.git", "vendor/lib/inner/.git"):
            assert (clone.folder / name).read_bytes() == (scene.clone / name).read_bytes()
        assert git(clone.folder, "status", "--porcelain", "--ignored") == ""


def test_the_submodules_come_from_the_checkout_alone(scene: Scene) -> None:
    library = make_library(scene.folder / "others")
    add_submodule(scene.clone, library, "vendor/lib")
    library.rename(scene.folder / "gone")
    assert "vendor/lib/inner/data.txt" in built_files(scene)


def test_a_project_in_a_folder_has_the_submodules_below_it(tmp_path: Path) -> None:
    source = make_repository(tmp_path / "source")
    (source / "app").mkdir()
    (source / "app/pyproject.toml").write_text('[project]\nname = "app"\nversion = "0"\n')
    library = make_library(tmp_path / "others")
    add_submodule(source, library, "app/vendor/lib")
    add_submodule(source, library, "elsewhere")
    git(source, "submodule", "--quiet", "deinit", "--force", "elsewhere")
    git(tmp_path, "clone", "--quiet", str(source), "clone")
    run = Processes({"PATH": os.environ["PATH"]})
    summary = complete(run, source / "app", tmp_path / "clone/app")
    assert summary == "2 submodules, 0 files of Git LFS"
    assert (tmp_path / "clone/app/vendor/lib/inner/data.txt").read_text() == "data"


def refused(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> ContextError:
    """Every way to build is refused in the same words; gives the refusal."""
    with pytest.raises(ContextError) as of_release:
        scene.release()
    with pytest.raises(ContextError) as of_build, open_target(scene.session(), "build"):
        pass
    for name, text in scene.environment.items():
        monkeypatch.setenv(name, text)
    monkeypatch.chdir(scene.clone)
    with pytest.raises(ContextError) as of_local_build:
        local_build_document(scene.progress.append, dry_run=True)
    assert of_release.value.message == of_build.value.message == of_local_build.value.message
    assert scene.remotes.changes == 0
    return of_release.value


def test_an_empty_submodule_is_named_before_the_build(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = make_library(scene.folder / "others")
    for number in range(3):
        add_submodule(scene.clone, library, f"vendor/lib{number}")
    git(scene.clone / "vendor/lib0", "submodule", "--quiet", "deinit", "--force", "--all")
    for number in range(1, 3):
        git(scene.clone, "submodule", "--quiet", "deinit", "--force", f"vendor/lib{number}")
    error = refused(scene, monkeypatch)
    assert "the submodule vendor/lib0/inner" in error.message
    assert "the submodule vendor/lib1, the submodule vendor/lib2" in error.message
    assert "--init --recursive" in error.hint and "lfs" not in error.hint
    monkeypatch.setattr("shipway.run.whole_tree._SHOWN", 1)
    assert refused(scene, monkeypatch).message.endswith("the submodule vendor/lib1 and 2 more")


def test_a_commit_that_the_checkout_of_a_submodule_lacks_is_none(scene: Scene) -> None:
    library = make_library(scene.folder / "others")
    add_submodule(scene.clone, library, "vendor/lib")
    git(scene.clone, "update-index", "--cacheinfo", f"160000,{'a' * 40},vendor/lib")
    git(scene.clone, "commit", "--quiet", "--message", "feat: a commit of nobody")
    with open_clone(scene.session()) as clone:
        with pytest.raises(ContextError, match="lacks .*the submodule vendor/lib"):
            complete(clone.executor, scene.clone, clone.folder)


def test_a_submodule_that_git_leaves_out_is_left_out(scene: Scene) -> None:
    library = make_library(scene.folder / "others")
    add_submodule(scene.clone, library, "optional/tests")
    git(
        scene.clone,
        "config",
        "--file",
        ".gitmodules",
        "submodule.optional/tests.update",
        "none",
    )
    commit(scene.clone, "feat: the tests are optional")
    git(scene.clone, "submodule", "--quiet", "deinit", "--force", "optional/tests")
    assert "optional/tests/pyproject.toml" not in built_files(scene)


def add_weights(scene: Scene, *, in_config: bool) -> None:
    """A file of Git LFS, as a checkout has it: with the filter in its own configuration or not."""
    (scene.clone / ".gitattributes").write_text("*.bin filter=lfs -text\n")
    (scene.clone / "model.bin").write_text(POINTER)
    commit(scene.clone, "feat: a model")
    (scene.clone / "model.bin").write_text(WEIGHTS)
    if in_config:
        program = install(scene.folder / "tools", "filter", FILTER)
        for verb in ("smudge", "clean"):
            git(scene.clone, "config", f"filter.lfs.{verb}", f"{program} {verb}")
        git(scene.clone, "add", "model.bin")


def test_a_release_builds_files_of_git_lfs_by_the_filter_of_the_checkout(scene: Scene) -> None:
    add_weights(scene, in_config=True)
    assert built_files(scene)["model.bin"] == WEIGHTS


def test_the_release_commit_keeps_the_pointer(scene: Scene) -> None:
    add_weights(scene, in_config=True)
    scene.release()
    assert git(scene.folder / "origin.git", "show", "main:model.bin") == POINTER.strip()


def test_git_lfs_finds_the_objects_of_the_checkout(scene: Scene) -> None:
    add_weights(scene, in_config=False)
    tools = scene.folder / "tools"
    install(tools, "git-lfs", GIT_LFS)
    run = Processes({**scene.environment, "PATH": f"{tools}:{os.environ['PATH']}"})
    store = scene.clone / ".git/lfs/objects" / DIGEST[:2] / DIGEST[2:4]
    with open_clone(scene.session()) as clone:
        with pytest.raises(ContextError, match=r"lacks .*the Git LFS file model\.bin") as caught:
            complete(run, scene.clone, clone.folder)
        assert "git lfs pull" in caught.value.hint and "submodule" not in caught.value.hint
    store.mkdir(parents=True)
    (store / DIGEST).write_text(WEIGHTS)
    with open_clone(scene.session()) as clone:
        assert complete(run, scene.clone, clone.folder) == "0 submodules, 1 files of Git LFS"
        assert (clone.folder / "model.bin").read_text() == WEIGHTS


def test_a_pointer_is_named_before_the_build(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    add_weights(scene, in_config=False)
    (scene.clone / "model.bin").write_text(POINTER)
    assert "the Git LFS file model.bin" in refused(scene, monkeypatch).message


def test_what_looks_like_a_pointer_and_is_none_is_a_file(scene: Scene) -> None:
    (scene.clone / "example.bin").write_text(POINTER)
    (scene.clone / ".gitattributes").write_text("*.lfs filter=lfs\n")
    (scene.clone / "link.lfs").symlink_to("example.bin")
    (scene.clone / "plain.lfs").write_text("version of nothing\n")
    commit(scene.clone, "feat: examples")
    assert built_files(scene)["example.bin"] == POINTER
    session = scene.session()
    assert require_whole(session.executor, session.folder) == "0 submodules, 2 files of Git LFS"
