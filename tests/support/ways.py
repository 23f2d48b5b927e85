"""A project that is changed, pushed and released by the real release tool, one commit after the other."""

from __future__ import annotations

from pathlib import Path

from shipway.model.target import require_release
from shipway.target.releases import read_override
from tests.support.repositories import commit, git
from tests.support.scene import Scene


class Ways:
    """A project with an origin, in which commits are made, pushed and released."""

    def __init__(self, folder: Path, settings: str = "") -> None:
        self.scene = Scene(folder, settings, real=True)
        self.bare = folder / "origin.git"

    def push(self, *refs: str) -> None:
        """To the origin."""
        git(
            self.scene.clone,
            "-c",
            f"url.{self.bare}.insteadOf=https://github.com/acme/toy.git",
            "push",
            "--quiet",
            "origin",
            *refs,
        )

    def commit(self, message: str, branch: str = "main") -> None:
        """On the branch's head in the origin, that of `main` for a new branch; and pushed."""
        address = f"url.{self.bare}.insteadOf=https://github.com/acme/toy.git"
        git(
            self.scene.clone,
            "-c",
            address,
            "fetch",
            "--quiet",
            "--force",
            "origin",
            "+refs/*:refs/remotes/all/*",
        )
        heads = "refs/remotes/all/heads"
        there = git(self.scene.clone, "for-each-ref", f"{heads}/{branch}")
        git(
            self.scene.clone,
            "checkout",
            "--quiet",
            "-B",
            branch,
            f"{heads}/{branch if there else 'main'}",
        )
        commit(self.scene.clone, message)
        self.push(branch)

    def release(self, level: str = "", reason: str = "") -> tuple[str, tuple[str, ...]]:
        """(version, tags of the image); empty when none is due."""
        result = self.scene.release(override=read_override(level, reason))
        assert result.target is None or result.released
        if result.target is None:
            return "", ()
        return str(require_release(result.target).version), result.target.tags

    def write(self, files: dict[str, str], message: str, *tags: str) -> str:
        """Write files, commit them with tags, and push all of it; gives the commit's hash."""
        for name, content in files.items():
            file = self.scene.clone / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
        self.commit(message)
        for tag in tags:
            git(self.scene.clone, "tag", tag)
        if tags:
            self.push(*(f"refs/tags/{tag}" for tag in tags))
        return git(self.scene.clone, "rev-parse", "HEAD")

    def show(self, tag: str, path: str) -> str:
        """Give a file of the origin as it is at a tag."""
        return git(self.bare, "show", f"{tag}:{path}")
