"""`doctor` asks whether all is there that the tasks need, and whether a release would get through.

It changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

from shipway.errors import CheckFailed, ShipwayError
from shipway.image.policies import Point
from shipway.model.actions import Command
from shipway.model.world import Builder
from shipway.run.clone import Clone, branch_of
from shipway.run.fresh_clone import complete_clone, open_clone, release_target
from shipway.run.last_release import check_last_release
from shipway.run.preview import render_action
from shipway.run.release import decide_release
from shipway.run.session import Progress, Session, has_docs, open_session
from shipway.stages import PIPELINE
from shipway.target.preconditions import require_git, require_releasable
from shipway.target.tags import image_name
from shipway.tools import buildx, cosign, docker, git, mike

Document = dict[str, Any]  # Any: the values of a JSON document
NAME = "doctor"
Check: TypeAlias = tuple[str, Callable[[], str]]
"""Pairs the name of a check with a function that gives what it saw, or raises ``ShipwayError``."""


def examine(progress: Progress, *, release: bool) -> Document:
    """Give ``{"checks": [{"name", "holds", "seen"}]}``.

    Raises ``CheckFailed`` with that document when a check fails.
    """
    session = open_session(progress)
    tool_checks = _tool_checks(session)
    points = list(_attempt(session, tool_checks))
    if release:
        release_checks = _release_checks(session)
        points += _attempt(session, release_checks)
    checks = [point.document() for point in points]
    failed = [point.name for point in points if not point.holds]
    if failed:
        names = ", ".join(failed)
        count = len(failed)
        raise CheckFailed(
            f"{count} checks fail: {names}",
            hint="fix what is named; `shipway doctor` changes nothing",
            document={"checks": checks},
        )
    return {"checks": checks}


def _attempt(session: Session, checks: Iterator[Check]) -> Iterator[Point]:
    """Make each check and report it; a check that raises does not hold, and the next go on."""
    for name, check in checks:
        point = _make_check(name, check)
        mark = "ok  " if point.holds else "FAIL"
        session.progress(f"{mark} {name}: {point.observation}")
        yield point


def _make_check(name: str, check: Callable[[], str]) -> Point:
    try:
        observation = check()
    except ShipwayError as error:
        problem = error.message.splitlines()[0]
        observation = f"{problem} (next: {error.hint})"
        return Point(name, False, observation)
    return Point(name, True, observation)


# The tools


def _tool_checks(session: Session) -> Iterator[Check]:
    for name, check in _TOOL_CHECKS:
        yield name, partial(check, session)


def _ask(session: Session, question: Command) -> str:
    """Give the standard output of a question."""
    answer = session.executor(question)
    return answer.out.strip()


def _git(session: Session) -> str:
    question = git.ask_git_version(NAME)
    return _ask(session, question)


def _image(session: Session) -> str:
    settings = session.project.settings
    return image_name(settings.image, session.context)


def _dockerfile(session: Session) -> str:
    name = session.project.settings.build.dockerfile
    path = session.folder / name
    if not path.is_file():
        raise CheckFailed(
            f"there is no {name} here",
            hint="write one, or say where it is: `dockerfile` in [tool.shipway.build]",
        )
    return name


def _docs(session: Session) -> str:
    if not has_docs(session.project, session.folder):
        return "none to publish"
    question = mike.ask_mike_version(NAME)
    return _ask(session, question)


def _engine(session: Session) -> str:
    question = docker.ask_engine_version(NAME)
    return _ask(session, question)


def _buildx(session: Session) -> str:
    question = buildx.ask_version(NAME)
    return _ask(session, question)


def _builder(session: Session) -> str:
    target = session.target()
    builder = target.build.builder
    expected: tuple[int, ...] = (0,)
    if builder:
        expected = (0, 1)
    question = buildx.inspect_builder(NAME, builder, expected=expected)
    answer = session.executor(question)
    reading = buildx.read_builder(answer, target.settings.builder)
    if reading is None:
        creation = buildx.create_builder(NAME, builder, target.settings.builder)
        commands = [render_action(command) for command in creation]
        line = " && ".join(commands)
        return f"{builder} will be made: {line}"
    return _describe_builder(reading)


def _describe_builder(builder: Builder) -> str:
    name = builder.driver or "unknown"
    driver = f"{name} driver"
    nodes = len(builder.endpoints)
    if nodes > 1:
        driver += f", {nodes} nodes"
    platforms = ", ".join(builder.platforms)
    return f"{driver}; {platforms}"


def _cosign(session: Session) -> str:
    question = cosign.ask_for_help(NAME)
    answer = session.executor(question)
    if cosign.knows_signing_configs(answer):
        return "3, with signing configs"
    return "2"


def _signing(session: Session) -> str:
    target = session.target()
    if target.signer.key:
        return f"with {target.signer.key}"
    if target.settings.sign.browser:
        return "keyless, by a login in the browser"
    tokens = [session.environment.get(name) for name in cosign.ID_TOKENS]
    if any(tokens):
        return f"keyless, as {target.signer.identity}"
    names = ", ".join(cosign.ID_TOKENS)
    message = f"keyless, and none of {names} is set"
    if session.context.ci:
        raise CheckFailed(message, hint=cosign.KEYLESS_ADVICE)
    return f"{message}: not from here"


def _cache(session: Session) -> str:
    target = session.target()
    lacks = target.build.cache.lacks
    if lacks:
        names = ", ".join(lacks)
        raise CheckFailed(
            f"{names} are missing, and buildx would drop the cache without a word",
            hint="see docs/docker.md, Caches",
        )
    return session.project.settings.cache.type


_TOOL_CHECKS: tuple[tuple[str, Callable[[Session], str]], ...] = (
    ("git", _git),
    ("image", _image),
    ("dockerfile", _dockerfile),
    ("docs", _docs),
    ("engine", _engine),
    ("buildx", _buildx),
    ("builder", _builder),
    ("cosign", _cosign),
    ("signing", _signing),
    ("cache", _cache),
)

# A release


def _release_checks(session: Session) -> Iterator[Check]:
    """Find what would stop a release half-way, before it is made."""
    release = session.project.settings.release
    ask = partial(_ask, session)
    yield "checkout", lambda: _checkout(session)
    try:
        require_git(session.context)
        with open_clone(session) as clone:
            yield "files", lambda: complete_clone(session, clone)
            yield "remote branch", lambda: _remote_branch(session, clone)
            yield "last release", lambda: check_last_release(clone, release, ask)
            yield "next version", lambda: _next_version(clone)
            yield "push", lambda: _push(session, clone)
            yield "trials", lambda: _try_stages(session, clone)
    except ShipwayError as error:
        yield "remote", _raises(error)


def _raises(error: ShipwayError) -> Callable[[], str]:
    def check() -> str:
        raise error

    return check


def _checkout(session: Session) -> str:
    context = session.context
    release = session.project.settings.release
    require_releasable(context, release)
    place = context.branch or context.tag
    commit = context.commit[:12]
    return f"{place} at {commit}"


def _remote_branch(session: Session, clone: Clone) -> str:
    branch = branch_of(session.project, session.context)
    remote = session.project.settings.remote
    revision = f"refs/remotes/{remote}/{branch}"
    question = git.count_differences(NAME, clone.folder, revision)
    answer = session.executor(question)
    behind, ahead = git.read_differences(answer)
    if behind and not session.context.tag:
        raise CheckFailed(
            f"{branch} has {behind} commits in the remote that are not here",
            hint="run `git pull`",
        )
    if ahead:
        return f"{branch}: {ahead} commits here that the remote does not have"
    return f"{branch} is the same"


def _next_version(clone: Clone) -> str:
    decision = clone.read_decision()
    if decision.upcoming is None:
        if decision.current:
            return f"no release is due since {decision.current}"
        return "no release is due"
    current = decision.current or "nothing"
    return f"{current} → {decision.upcoming}"


def _push(session: Session, clone: Clone) -> str:
    """Try the push in a dry run; whether a branch is protected only the push itself can tell."""
    branch = branch_of(session.project, session.context)
    remote = session.project.settings.remote
    question = git.try_push(NAME, clone.folder, remote, branch)
    answer = _ask(session, question)
    return answer or "allowed"


def _try_stages(session: Session, clone: Clone) -> str:
    """Make the release that is due in the clone, and try what stages behind the commit point need."""
    decided = decide_release(clone, session.context)
    if decided.release is None or not decided.is_new:
        return decided.reason
    target = release_target(session, clone, decided.release)
    tried = [decided.release.tag]
    for stage in PIPELINE:
        if stage.skip_reason(target) is not None:
            continue
        actions = stage.trials(target)
        for action in actions:
            session.executor(action)
        if actions:
            tried.append(stage.name)
    names = ", ".join(tried)
    return f"{names} can be made"
