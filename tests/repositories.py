"""Small git repositories."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

DATE = "1700000000 +0000"
PROJECT = '[project]\nname = "toy"\nversion = "0.0.0"\n'
CHANGELOG = "# Changelog\n\n<!-- version list -->\n"


def git(folder: Path, *words: str) -> str:
    """Run git, with an identity and nothing of the user's configuration."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1",
                   "GIT_AUTHOR_DATE": DATE, "GIT_COMMITTER_DATE": DATE, "GIT_AUTHOR_NAME": "a",
                   "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    done = subprocess.run(["git", *words], cwd=folder, env=environment, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path, message: str) -> str:
    """Commit everything; gives the hash."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def make_repository(folder: Path, settings: str = "") -> Path:
    """A conventional project with one ``feat:`` commit on ``main``."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--template=", "--initial-branch=main")
    (folder / "pyproject.toml").write_text(PROJECT + settings, encoding="utf-8")
    (folder / "CHANGELOG.md").write_text(CHANGELOG, encoding="utf-8")
    (folder / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    commit(folder, "feat: begin")
    return folder
