"""`doctor`: is everything there that the tasks need, and would a release get through? It changes nothing."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from shipway.errors import CheckFailed, ShipwayError
from shipway.image.policies.evidence import Point
from shipway.model.actions import Command, Effect
from shipway.model.release import numbers
from shipway.run.clone import Clone, branch_of, open_clone
from shipway.run.session import Session, open_session
from shipway.stages import sign
from shipway.target.context import require_git, require_release
from shipway.target.releases import version_of
from shipway.target.tags import image_name
from shipway.tools.buildx import read_platforms
from shipway.tools.git import TOKENS

Document = dict[str, Any]  # Any: the values of a JSON document


@dataclass(frozen=True, slots=True)
class _Asking:
    """Runs the questions of the checks."""

    session: Session

    def __call__(self, why: str, *argv: str, folder: str = "") -> str:
        """Standard output of a question."""
        return self.session.executor.runner(
            Command(
                name="doctor",
                why=why,
                argv=argv,
                effect=Effect.READ,
                secrets=TOKENS,
                folder=folder or str(self.session.folder),
            )
        ).out.strip()


def examine(progress: Callable[[str], None], *, release: bool) -> Document:
    """``{"checks": [{"name", "holds", "seen"}]}``; raises ``CheckFailed`` with the same document when one fails."""
    session = open_session(progress)
    ask = _Asking(session)
    checks = [
        *_attempt(session, _tools(session, ask)),
        *(_attempt(session, _release(session, ask)) if release else ()),
    ]
    found = {
        "checks": [
            {"name": one.name, "holds": one.holds, "seen": one.observation} for one in checks
        ]
    }
    failed = [one for one in checks if not one.holds]
    if failed:
        error = CheckFailed(
            f"{len(failed)} checks fail: {', '.join(one.name for one in failed)}",
            hint="mend what is named; `shipway doctor` changes nothing",
        )
        error.document = found
        raise error
    return found


Check = tuple[str, Callable[[], str]]


def _attempt(session: Session, checks: Iterator[Check]) -> Iterator[Point]:
    """Each check says what it saw; one that raises does not hold, and the others go on."""
    for name, check in checks:
        try:
            point = Point(name, True, check())
        except ShipwayError as error:
            point = Point(name, False, f"{error.message.splitlines()[0]} (next: {error.hint})")
        session.progress(f"{'ok  ' if point.holds else 'FAIL'} {point.name}: {point.observation}")
        yield point


def _tools(session: Session, ask: _Asking) -> Iterator[Check]:
    settings = session.project.settings
    yield "git", lambda: ask("ask git", "git", "--version")
    yield "image", lambda: image_name(settings.image, session.context)
    yield (
        "engine",
        lambda: ask("ask the engine", "docker", "version", "--format", "{{.Server.Version}}"),
    )
    yield "buildx", lambda: ask("ask buildx", "docker", "buildx", "version")
    yield "builder", lambda: _builder(session, ask)
    yield "cosign", lambda: _cosign(ask)
    yield "signing", lambda: _signing(session)
    yield "cache", lambda: _cache(session)


def _builder(session: Session, ask: _Asking) -> str:
    target = session.target()
    node = target.build.node
    listed = ask("ask for the builders", "docker", "buildx", "ls")
    if node and node not in listed:
        return f"{node} will be made: {' '.join(target.build.node_commands[0][5:])}"
    argv = ("docker", "buildx", "inspect", *((node,) if node else ()))
    described = session.executor.runner(
        Command(name="doctor", why="ask the builder", argv=argv, effect=Effect.READ)
    )
    driver = re.search(r"^Driver:\s*(\S+)", described.out, re.MULTILINE)
    return f"{driver[1] if driver else 'unknown'} driver; {', '.join(read_platforms(described))}"


def _cosign(ask: _Asking) -> str:
    return (
        "3, with signing configs"
        if "--signing-config" in ask("ask cosign", "cosign", "sign", "--help")
        else "2"
    )


def _signing(session: Session) -> str:
    how = session.target().signing
    if how.key or how.browser:
        return f"with {how.key}" if how.key else "keyless, by a login in the browser"
    if not any(session.environment.get(name) for name in sign.ID_TOKENS):
        message = f"keyless, and none of {', '.join(sign.ID_TOKENS)} is set"
        if session.context.ci:
            raise CheckFailed(message, hint=sign.KEYLESS)
        return f"{message}: not from here"
    return f"keyless, as {how.identity}"


def _cache(session: Session) -> str:
    lacks = session.target().build.cache.lacks
    if lacks:
        raise CheckFailed(
            f"{', '.join(lacks)} are missing, and buildx would drop the cache without a word",
            hint="see docs/docker.md, Caches",
        )
    return session.project.settings.cache.type


def _release(session: Session, ask: _Asking) -> Iterator[Check]:
    """Wedges, before they are made."""
    settings = session.project.settings

    def checkout() -> str:
        require_release(session.context, settings.release.branches)
        return f"{session.context.branch or session.context.tag} at {session.context.commit[:12]}"

    yield "checkout", checkout
    try:
        require_git(session.context)
        with open_clone(session) as clone:
            folder = str(clone.folder)
            yield "remote branch", lambda: _remote_branch(session, ask, folder)
            yield "last release", lambda: _last_release(session, clone, ask, folder)
            yield "next version", lambda: _next_version(clone)
            # Tried, not guessed; whether a branch is protected is told by the push itself only.
            yield (
                "push",
                lambda: (
                    ask(
                        "try to push",
                        "git",
                        "push",
                        "--dry-run",
                        "--atomic",
                        settings.remote,
                        f"HEAD:refs/heads/{branch_of(session.project, session.context)}",
                        folder=folder,
                    )
                    or "allowed"
                ),
            )
    except ShipwayError as error:
        failed = error

        def unreachable() -> str:
            raise failed

        yield "remote", unreachable


def _remote_branch(session: Session, ask: _Asking, folder: str) -> str:
    branch = branch_of(session.project, session.context)
    remote = f"refs/remotes/{session.project.settings.remote}/{branch}"
    behind, ahead = ask(
        "compare with the remote branch",
        "git",
        "rev-list",
        "--left-right",
        "--count",
        f"{remote}...HEAD",
        folder=folder,
    ).split()
    if behind != "0" and not session.context.tag:
        raise CheckFailed(
            f"{branch} has {behind} commits in the remote that are not here", hint="run `git pull`"
        )
    return (
        f"{branch}: {ahead} commits here that the remote does not have"
        if ahead != "0"
        else f"{branch} is the same"
    )


def _last_release(session: Session, clone: Clone, ask: _Asking, folder: str) -> str:
    """The highest release tag is an ancestor of the branch, or of a maintenance branch, and the project says so too."""
    form = session.project.settings.release.tag_format
    tags = [tag for tag in clone.tags() if version_of(tag.name, form)]
    if not tags:
        return "none yet"
    last = max(tags, key=lambda tag: numbers(version_of(tag.name, form)))
    if not ask(
        f"look for a branch with {last.name}",
        "git",
        "branch",
        "--remotes",
        "--contains",
        last.commit,
        folder=folder,
    ):
        raise CheckFailed(
            f"{last.name} is on no branch of the remote: an orphan, left by a push that was half done",
            hint=f"merge {last.commit[:12]} into the branch, or delete the tag if nothing was published",
        )
    text = ask(
        f"read the project at {last.name}",
        "git",
        "show",
        f"{last.commit}:./pyproject.toml",
        folder=folder,
    )
    stated = tomllib.loads(text).get("project", {}).get("version", "")
    if not session.project.settings.release.tag_only and stated != version_of(last.name, form):
        raise CheckFailed(
            f"{last.name} is of a project that says {stated}",
            hint="a tag that was set by hand; the next version follows the tag",
        )
    return f"{last.name} at {last.commit[:12]}"


def _next_version(clone: Clone) -> str:
    decision = clone.decide()
    return (
        f"{decision.current or 'nothing'} → {decision.upcoming}"
        if decision.upcoming
        else "no release is due"
    )
