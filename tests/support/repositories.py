"""Small git repositories."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from shipway.rehearsal import origin

DATE = "1700000000 +0000"
PROJECT = '[project]\nname = "toy"\nversion = "0.0.0"\n'
CHANGELOG = "# Changelog\n\n<!-- version list -->\n"


def git(folder: Path, *words: str, content: str | None = None) -> str:
    """Run git on ``content``, with an identity and nothing of the user's configuration."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_DATE": DATE,
        "GIT_COMMITTER_DATE": DATE,
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "maintenance.auto",
        "GIT_CONFIG_VALUE_0": "false",
    }
    done = subprocess.run(
        ["git", *words],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        input=content,
    )
    return done.stdout.strip()


def commit(folder: Path, message: str) -> str:
    """Commit everything; gives the hash."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def read_files(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder``, byte for byte: of a `.git`, all that a repository is."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def make_repository(folder: Path, settings: str = "") -> Path:
    """A conventional project with one ``feat:`` commit on ``main``."""
    shutil.copytree(_template(settings) / "project", folder, dirs_exist_ok=True)
    return folder


@functools.cache
def _template(settings: str) -> Path:
    """Made once and copied: a copy takes a tenth of the time of git's processes."""
    home = Path(tempfile.mkdtemp(prefix="shipway-tests-"))
    atexit.register(shutil.rmtree, home)
    folder = home / "project"
    folder.mkdir()
    git(folder, "init", "--quiet", "--template=", "--initial-branch=main")
    (folder / "pyproject.toml").write_text(PROJECT + settings, encoding="utf-8")
    (folder / "CHANGELOG.md").write_text(CHANGELOG, encoding="utf-8")
    (folder / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    commit(folder, "feat: begin")
    return home


def make_clone(folder: Path, settings: str = "") -> Path:
    """The project in ``folder/source``, a bare origin of it in ``folder/origin.git``; gives a clone of that one."""
    shutil.copytree(_clone_template(settings), folder, dirs_exist_ok=True)
    return folder / "project"


@functools.cache
def _clone_template(settings: str) -> Path:
    home = _template(settings) / "clone"
    home.mkdir()
    source = make_repository(home / "source", settings)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    origin.point_at_github(
        origin.make_origin(source, home, "main", "origin", environment),
        "acme/toy",
        "origin",
        environment,
    )
    return home
