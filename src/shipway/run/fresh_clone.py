"""Each task that needs a clone makes a fresh one: the user's checkout is read, never written."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shipway.errors import ContextError
from shipway.model.actions import ReadSettings
from shipway.model.release import Release
from shipway.model.target import Target
from shipway.run.clone import Clone, branch_of, check_out_whole
from shipway.run.session import Session
from shipway.run.whole_tree import complete
from shipway.run.stamping import read_project_file
from shipway.target.plan import plan_target
from shipway.target.version_pattern import inner_table
from shipway.tools import git, git_checkout, git_clone, git_remote, semantic_release


@contextmanager
def open_clone(session: Session) -> Iterator[Clone]:
    """Make a fresh clone of the checkout with the tags of the remote; it is deleted at the end."""
    # Where the environment says: a rehearsal's has to lie within its own folder.
    parent = session.environment.get("TMPDIR")
    with tempfile.TemporaryDirectory(prefix="shipway-", dir=parent) as folder:
        answer = session.executor(git_checkout.find_top(session.folder))
        top, inside = git_checkout.read_top(answer)
        clone = _make_clone(session, top, Path(folder))
        config = Path(folder) / "release.json"
        content = _render_config(session, clone / inside, inside=bool(inside))
        config.write_text(content, encoding="utf-8")
        yield Clone(
            folder=clone / inside,
            inside=inside,
            scratch=Path(folder),
            top=clone,
            config=str(config),
            executor=session.executor,
            project=session.project,
            context=session.context,
            override=session.override,
            warn=session.progress,
        )


def _render_config(session: Session, folder: Path, *, inside: bool) -> str:
    """Write the settings of python-semantic-release: the project's own, else conventional ones."""
    document = read_project_file(folder)
    own_table = inner_table(document, "tool", "semantic_release")
    if own_table:
        return semantic_release.render_own_config(own_table, session.context.repository)
    return semantic_release.render_config(
        session.project.settings.release,
        session.context.repository,
        inside=inside,
    )


def _make_clone(session: Session, top: str, folder: Path) -> Path:
    """Make a clone below ``folder`` that reaches what the checkout reaches."""
    name = session.project.settings.remote
    executor = session.executor
    checkout_settings = _read_settings(session, session.folder)
    tokens = [session.environment.get(token) for token in git.TOKENS]
    remote = git_remote.Remote(
        name=name,
        address=_require_address(checkout_settings, name),
        top=top,
        has_token=any(tokens),
    )
    clone = folder / "clone"
    settings_file = folder / "remote.conf"
    executor(git_clone.clone_checkout(top, clone, name, settings_file))
    executor(git_clone.forget_checkout(clone, name))
    clone_settings = _read_settings(session, clone)
    carried = git_remote.carry_settings(checkout_settings, clone_settings, remote)
    content = git_remote.render_remote_settings(carried)
    _write_secretly(settings_file, content)
    executor(git_clone.fetch_all(clone, name))
    branch = branch_of(session.project, session.context)
    check_out = git_clone.check_out_branch(
        "go to the commit",
        clone,
        branch,
        session.context.commit,
    )
    check_out_whole(executor, check_out)
    return clone


def _read_settings(session: Session, folder: Path) -> tuple[tuple[str, str], ...]:
    question = ReadSettings(
        name="version",
        why="ask for git's settings",
        folder=str(folder),
    )
    return session.executor(question)


def _require_address(settings: tuple[tuple[str, str], ...], remote: str) -> str:
    address = git_remote.find_address(settings, remote)
    if not address:
        raise ContextError(
            f"there is no git remote {remote!r} to ask for what was released",
            hint=f"run `git remote add {remote} https://github.com/<owner>/<name>.git`",
        )
    return address


def _write_secretly(file: Path, text: str) -> None:
    """Write a file that nobody but this user can read."""
    file.touch(mode=0o600, exist_ok=False)
    file.write_text(text, encoding="utf-8", errors="surrogateescape")


def complete_clone(session: Session, clone: Clone) -> str:
    """Put all that its commit means into the clone, and say how much that is.

    Raises ``ContextError`` where the checkout lacks some of it.
    """
    return complete(session.executor, session.folder, clone.folder)


def release_target(session: Session, clone: Clone, release: Release) -> Target:
    """Plan what should exist once ``release`` is out."""
    target = plan_target(
        session.project,
        session.context,
        session.environment,
        str(clone.folder),
        release,
    )
    return session.fit(target)


def go_to_head(session: Session) -> Session:
    """Give the session for the commit that the branch has in the remote now.

    The checkout stays as it is.
    """
    with open_clone(session) as clone:
        commit, epoch = clone.go_to_head()
        return session.at_commit(clone.folder, commit, epoch)
