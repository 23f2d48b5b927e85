"""The user's repository is read, never written: not even where git's own variables name it, as they do in a hook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shipway.effects.environment import equip
from shipway.rehearsal import origin
from shipway.tools.git_environment import LOCAL_VARIABLES
from tests.support.repositories import commit, git, make_clone, read_files

pytestmark = pytest.mark.process


@pytest.fixture(name="clone")
def fixture_clone(tmp_path: Path) -> Path:
    """A clone of a project that released v0.1.0: a fix is due, and one more commit is here alone."""
    clone = make_clone(tmp_path)
    bare = str(tmp_path / "origin.git")
    git(clone, "tag", "v0.1.0")
    commit(clone, "fix: what is due")
    git(clone, "push", "--quiet", bare, "v0.1.0", "main")
    commit(clone, "fix: here alone")
    return clone


def ask(clone: Path, folder: Path, hook: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Ask in ``folder``, with a hook's variables, for the next version; nothing below the clone's ``.git`` changes."""
    home = clone.parent
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        **hook,
        **origin.isolate("acme/toy", home / "origin.git"),
    }
    # What git knows of the file is out of date, so that it would like to write its index.
    os.utime(folder / "pyproject.toml", (1, 1))
    before = read_files(clone / ".git")
    done = subprocess.run(
        (sys.executable, "-m", "shipway", "version", "--json"),
        cwd=folder,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )
    assert read_files(clone / ".git") == before
    return done


def ask_version(clone: Path, folder: Path, hook: dict[str, str]) -> str:
    """Give the next version."""
    done = ask(clone, folder, hook)
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["next"])


def link_main(clone: Path) -> Path:
    """A linked worktree of `main`, beside the clone."""
    git(clone, "checkout", "--quiet", "-b", "topic")
    git(clone, "worktree", "add", "--quiet", "../linked", "main")
    return clone.parent / "linked"


def test_a_hook_of_a_linked_worktree(clone: Path) -> None:
    linked, own = link_main(clone), clone / ".git/worktrees/linked"
    assert (
        ask_version(
            clone,
            linked,
            {
                "GIT_DIR": str(own),
                "GIT_INDEX_FILE": str(own / "index"),
                "GIT_WORK_TREE": str(linked),
            },
        )
        == "0.1.1"
    )


def test_a_head_that_is_detached_below_its_branch(clone: Path) -> None:
    git(clone, "checkout", "--quiet", "--detach", "HEAD~1")
    done = ask(clone, clone, {"GIT_DIR": str(clone / ".git")})
    assert done.returncode == 3 and "the head is detached" in done.stderr


def test_a_hook_that_git_itself_starts(clone: Path, tmp_path: Path) -> None:
    linked, hook = link_main(clone), clone / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nenv -0 >told\n")
    hook.chmod(0o755)
    git(linked, "push", "--quiet", str(tmp_path / "origin.git"), "main")
    pairs = [pair.partition("=") for pair in (linked / "told").read_text().split("\0")]
    told = {name: value for name, _, value in pairs if name.startswith("GIT_")}
    (linked / "told").unlink()
    assert told["GIT_DIR"] == str(clone / ".git/worktrees/linked")
    assert ask_version(clone, linked, told) == "0.1.1"


def test_no_command_is_told_a_variable_that_git_calls_local() -> None:
    named = git(Path(), "rev-parse", "--local-env-vars").split()
    assert len(named) > 10 and not set(named) - LOCAL_VARIABLES
    environment = {"HOME": "/nowhere", **dict.fromkeys(LOCAL_VARIABLES, "1")}
    del environment["GIT_CONFIG_COUNT"], environment["GIT_CONFIG_PARAMETERS"]
    assert equip(environment) == equip({"HOME": "/nowhere"})
