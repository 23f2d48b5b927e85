"""The temporary clone that a release is made in: the user's checkout is read, never written."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from shipway.effects.processes import Runner
from shipway.errors import ContextError
from shipway.model.actions import Answer, Command, Effect
from shipway.model.release import CHANGELOG, Decision, GitTag, Override, Release
from shipway.model.target import Target
from shipway.run.session import Session
from shipway.settings import Project
from shipway.target.context import Context
from shipway.target.notes import ReleaseFacts, edit_changelog, read_authors, read_notes
from shipway.target.plan import plan_target
from shipway.target.releases import find_good, find_release, find_withdrawn, version_of
from shipway.target.tags import find_previous, plan_moving
from shipway.tools.git import (
    NAME_AND_MAIL,
    RELEASED,
    TOKENS,
    authors_command,
    commit_commands,
    notes_command,
    read_tags,
    tag_commands,
    tags_command,
)
from shipway.tools.semantic_release import question, read_decision, render_config, stamp_command

_HELPER = '!f() { test "$1" = get && echo username=x-access-token && echo "password=${GITHUB_TOKEN:-$GH_TOKEN}"; }; f'
"""A credential helper for git that reads the token from its environment: it stands in no file and no argument."""


@dataclass(frozen=True, slots=True)
class Clone:
    """A clone with the remote's tags, checked out at the commit that is released."""

    folder: Path
    """Where the project lies in the clone."""
    config: str
    """Settings of python-semantic-release to use."""
    runner: Runner
    project: Project
    context: Context
    override: Override

    @property
    def _tag_only(self) -> bool:
        return self.project.settings.release.tag_only

    def _git(self, why: str, *words: str) -> None:
        self.runner(
            Command(
                name="version",
                why=why,
                argv=("git", *words),
                effect=Effect.LOCAL,
                folder=str(self.folder),
                secrets=TOKENS,
            )
        )

    def _ask(self, why: str, *words: str) -> Answer:
        """A question that git answers with 0 or 1."""
        return self.runner(
            Command(
                name="version",
                why=why,
                argv=("git", *words),
                effect=Effect.READ,
                folder=str(self.folder),
                expected=(0, 1),
            )
        )

    def existing(self) -> Release | None:
        """The release that was already made of this commit; the clone is then checked out there."""
        tags = self.tags()
        found = find_release(tags, self.context.commit, self.project.settings.release.tag_format)
        if found is None:
            return None
        return self._go_to(found, tags)

    def find(self, name: str) -> Release:
        """The release with that git tag, which has to be there; the clone is then checked out there."""
        tags = self.tags()
        return self._go_to(next(tag for tag in tags if tag.name == name), tags)

    def _go_to(self, found: GitTag, tags: tuple[GitTag, ...]) -> Release:
        branch = branch_of(self.project, self.context)
        self._git(f"go to {found.name}", "checkout", "--quiet", "-B", branch, found.commit)
        self._git(
            f"have {found.name}",
            "update-ref",
            f"refs/tags/{found.name}",
            f"{RELEASED}/{found.name}",
        )
        return self._release(found.name, found.commit, tags)

    def head(self) -> str:
        """Where the branch is in the remote, empty where it is not."""
        ref = f"refs/remotes/{self.project.settings.remote}/{branch_of(self.project, self.context)}"
        return self._ask(
            "find the branch's head", "rev-parse", "--verify", "--quiet", ref
        ).out.strip()

    def is_behind(self) -> bool:
        """Whether the remote's branch has commits that the one that is released does not have."""
        head = self.head()
        return bool(head) and bool(
            self._ask(
                "compare the branch's head",
                "merge-base",
                "--is-ancestor",
                head,
                self.context.commit,
            ).code
        )

    def go_to_head(self) -> tuple[Path, str, int]:
        """Check the remote's branch out; gives the folder, the commit, and its time in seconds since 1970."""
        head = self.head()
        self._git("go to the branch's head", "checkout", "--quiet", "--detach", head)
        return (
            self.folder,
            head,
            int(self._ask("ask for its time", "show", "--no-patch", "--format=%ct", head).out),
        )

    def decide(self) -> Decision:
        """Ask python-semantic-release for the last and the next version."""
        return read_decision(
            self.runner(
                question(str(self.folder), self.config, sys.executable, self.override.level)
            )
        )

    def is_taken(self, decision: Decision) -> bool:
        """Whether the remote has a tag of the next version: another branch was quicker, or this one began too early."""
        return self._tag(decision.upcoming) in {tag.name for tag in self.tags()}

    def _tag(self, number: str) -> str:
        return self.project.settings.release.tag_format.replace("{version}", number)

    def make(self, decision: Decision) -> Release:
        """Stamp, write the changelog, commit and tag: in this clone only."""
        tag = self._tag(decision.upcoming)
        self.runner(
            stamp_command(str(self.folder), self.config, sys.executable, self.override.level)
        )
        changelog, text = self.folder / CHANGELOG, ""
        if changelog.is_file():
            facts = ReleaseFacts(
                version=decision.upcoming,
                epoch=self.context.epoch,
                authors=self._authors(decision),
                level=self.override.level,
                reason=self.override.reason,
            )
            text = edit_changelog(changelog.read_text(encoding="utf-8"), facts)
            changelog.write_text(text, encoding="utf-8")
        where = str(self.folder), tag, self.context.epoch
        for command in (
            tag_commands(*where, read_notes(text, decision.upcoming))
            if self._tag_only
            else commit_commands(*where)
        ):
            self.runner(command)
        tags = self.tags()
        commit = next(one.commit for one in tags if one.name == tag)
        return self._release(tag, commit, tags)

    def _authors(self, decision: Decision) -> tuple[str, ...]:
        last = self._tag(decision.current)
        since = last if last in {tag.name for tag in self.tags()} else ""
        answer = self.runner(authors_command(str(self.folder), since, self.context.commit))
        return read_authors(answer.out.splitlines())

    def _notes(self, tag: str, number: str) -> str:
        if self._tag_only:
            return self.runner(notes_command(str(self.folder), tag)).out.strip()
        changelog = self.folder / CHANGELOG
        return read_notes(
            changelog.read_text(encoding="utf-8") if changelog.is_file() else "", number
        )

    def tags(self) -> tuple[GitTag, ...]:
        """The tags of the remote."""
        return read_tags(self.runner(tags_command(str(self.folder))))

    def _release(self, tag: str, commit: str, tags: tuple[GitTag, ...]) -> Release:
        form = self.project.settings.release.tag_format
        number = version_of(tag, form)
        good = find_good(tags, form)
        moving = (
            plan_moving(number, good, rolling=self.project.settings.tags.rolling)
            if number in good
            else ()
        )
        return Release(
            version=number,
            tag=tag,
            commit=commit,
            notes=self._notes(tag, number),
            moving=moving,
            previous=find_previous(number, good),
            withdrawn=find_withdrawn(tags, form),
        )


def branch_of(project: Project, context: Context) -> str:
    """The branch that is released; a checkout of a tag is one of the first release branch."""
    return context.branch or project.settings.release.branches[0]


@contextmanager
def open_clone(session: Session) -> Iterator[Clone]:
    """A fresh clone of the checkout with the tags of the remote, deleted at the end."""
    context, settings = session.context, session.project.settings
    runner = session.executor.runner
    # Where the environment says: a rehearsal's has to lie within its own folder.
    with tempfile.TemporaryDirectory(
        prefix="shipway-", dir=session.environment.get("TMPDIR")
    ) as parent:
        folder = Path(parent) / "clone"
        top, inside = runner(
            Command(
                name="version",
                why="find the repository",
                effect=Effect.READ,
                folder=str(session.folder),
                argv=("git", "rev-parse", "--show-toplevel", "--show-prefix"),
            )
        ).out.split("\n")[:2]
        config = folder / inside / "pyproject.toml"
        if not session.project.releases_itself:
            config = Path(parent) / "release.toml"
            config.write_text(
                render_config(settings.release, context.repository, inside=bool(inside)),
                encoding="utf-8",
            )
        remote = runner(
            Command(
                name="version",
                why="find the remote",
                effect=Effect.READ,
                folder=str(session.folder),
                argv=("git", "config", "--get", f"remote.{settings.remote}.url"),
                expected=(0, 1),
            )
        ).out.strip()
        if not remote:
            raise ContextError(
                f"there is no git remote {settings.remote!r} to ask for what was released",
                hint=f"run `git remote add {settings.remote} https://github.com/<owner>/<name>.git`",
            )
        for command in _clone_commands(session, top, folder, remote):
            runner(command)
        yield Clone(
            folder / inside, str(config), runner, session.project, context, session.override
        )


def _clone_commands(session: Session, top: str, folder: Path, remote: str) -> Iterator[Command]:
    """Objects come from the checkout, tags from the remote alone: what it shows is what was released."""
    context, name = session.context, session.project.settings.remote
    author, mail = NAME_AND_MAIL
    inside = ("git", "-C", str(folder))
    # Global settings of the machine must not change what is committed, nor ask for a passphrase. Nothing tidies up in
    # the background: it would be at work in a folder that is being deleted.
    settings = [
        f"user.name={author}",
        f"user.email={mail}",
        "commit.gpgsign=false",
        "tag.gpgsign=false",
        "core.hooksPath=/dev/null",
        "maintenance.auto=false",
    ]
    if remote.startswith("https://") and any(session.environment.get(token) for token in TOKENS):
        settings.append(f"credential.helper={_HELPER}")
    steps = [
        (
            "clone the checkout",
            (
                "git",
                "clone",
                "--quiet",
                "--template=",
                "--no-checkout",
                "--no-tags",
                *(f"--config={setting}" for setting in settings),
                "--origin",
                name,
                top,
                str(folder),
            ),
        ),
        ("point the clone at the remote", (*inside, "remote", "set-url", name, remote)),
        (
            "fetch what the remote has",
            (
                *inside,
                "fetch",
                "--quiet",
                "--no-tags",
                "--prune",
                name,
                f"+refs/heads/*:refs/remotes/{name}/*",
                f"+refs/tags/*:{RELEASED}/*",
            ),
        ),
        (
            "go to the commit",
            (
                *inside,
                "checkout",
                "--quiet",
                "-B",
                branch_of(session.project, context),
                context.commit,
            ),
        ),
    ]
    for why, argv in steps:
        yield Command(name="version", why=why, argv=argv, effect=Effect.LOCAL, secrets=TOKENS)


def release_target(session: Session, clone: Clone, release: Release) -> Target:
    """What should exist once ``release`` is out."""
    target = plan_target(
        session.project, session.context, session.environment, str(clone.folder), release
    )
    return session.fitted(replace(target, base=clone.head()))


def go_to_head(session: Session) -> Session:
    """The workbench for the commit that the branch has in the remote now; the checkout stays as it is."""
    with open_clone(session) as clone:
        return session.at(*clone.go_to_head())
