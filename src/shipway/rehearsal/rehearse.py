"""Rehearse: run the code of a real release twice, against local stand-ins of every remote."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shipway.effects.environment import equip
from shipway.effects.facts import gather, load_project
from shipway.effects.processes import Processes
from shipway.errors import CheckFailed, ContextError
from shipway.rehearsal import leash, origin
from shipway.rehearsal.remotes import Remotes, stand_up
from shipway.run.documents import result_document
from shipway.run.preview import PlannedStage
from shipway.run.release import preview_release, run_release
from shipway.run.result import Record, Result
from shipway.run.session import Progress, Session, open_session
from shipway.settings import BuilderSettings, CacheSettings, Project
from shipway.target.context import detect, require_git

OWN_COMMIT = "feat: rehearse a release"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """Hold both runs, the remotes that they ran against, and whether a commit was made up."""

    first: Result
    second: Result
    remotes: Remotes
    made_up: bool


def run_rehearsal(
    progress: Progress,
    report_outcome: Record,
    present: Callable[[Rehearsal], None],
    *,
    keep: bool,
) -> Rehearsal:
    """Rehearse the project of the current folder, and ``present`` the rehearsal, quiet or not.

    With ``keep`` its remotes stay up. Raises ``CheckFailed``, with the rehearsal's document, when
    the second run was not a quiet one.
    """
    with _stand_ins(progress, keep=keep) as remotes:
        session = session_for(remotes, progress)
        rehearsal = play(session, remotes, progress, report_outcome)
        present(rehearsal)
        _require_quiet(rehearsal, keep=keep)
        return rehearsal


def preview_rehearsal(progress: Progress, *, keep: bool) -> list[PlannedStage]:
    """Plan the release that a rehearsal of the project of the current folder would run.

    With ``keep`` the remotes that it was planned against stay up.
    """
    with _stand_ins(progress, keep=keep) as remotes:
        return preview_release(session_for(remotes, progress))


@contextmanager
def _stand_ins(progress: Progress, *, keep: bool) -> Iterator[Remotes]:
    """Stand the remotes up in a temporary folder, for as long as the block lasts."""
    if sys.platform != "linux":
        raise ContextError(
            "a rehearsal needs Linux: it finds the processes that it has to end in /proc",
            hint="rehearse on a Linux machine, in CI, or, on Windows, in WSL 2",
        )
    environment = equip(os.environ)
    project = Path.cwd()
    remote = load_project(project).settings.remote
    facts = gather(environment, project, remote=remote, runner=Processes(environment))
    require_git(detect(facts))
    folder = Path(tempfile.mkdtemp(prefix="shipway-rehearsal-"))
    try:
        with leash.hold(folder, keep=keep) as mark:
            yield stand_up(
                project,
                folder,
                environment,
                mark=mark,
                progress=progress,
            )
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def session_for(remotes: Remotes, progress: Progress) -> Session:
    """Open the session of a release whose every remote is a local one."""
    environment = {**remotes.environment, **remotes.secrets, "GITHUB_API_URL": remotes.api}
    return open_session(
        progress,
        folder=remotes.project,
        environment=environment,
        adapt=lambda project: _adapt(project, remotes),
    )


def _adapt(project: Project, remotes: Remotes) -> Project:
    from msgspec.structs import replace

    sign = replace(
        project.settings.sign,
        key=str(remotes.key),
        public_key=str(remotes.public_key),
        transparency_log=False,
        signing_config=remotes.signing_config or "",
    )
    settings = replace(
        project.settings,
        image=f"{remotes.registry}/{remotes.repository.lower()}",
        sign=sign,
        cache=CacheSettings(),
        builder=BuilderSettings(),
    )
    return replace(project, settings=settings)


def play(
    session: Session, remotes: Remotes, progress: Progress, report_outcome: Record
) -> Rehearsal:
    """Release, then release again.

    A ``feat:`` commit is made up when the project has nothing to release.
    """
    progress("first run")
    first = _release(session, report_outcome)
    made_up = first.target is None
    if made_up:
        progress(
            "nothing to release in the commits: "
            f"rehearsing with a commit of its own, “{OWN_COMMIT}”"
        )
        remote = session.project.settings.remote
        origin.add_commit(remotes.project, OWN_COMMIT, remote, remotes.environment)
        session = session_for(remotes, progress)
        first = _release(session, report_outcome)
    progress("second run")
    second = _release(session, report_outcome)
    return Rehearsal(
        first=first,
        second=second,
        remotes=remotes,
        made_up=made_up,
    )


def _release(session: Session, report_outcome: Record) -> Result:
    result = Result()
    run_release(session, result, report_outcome)
    return result


def _require_quiet(rehearsal: Rehearsal, *, keep: bool) -> None:
    """Raise ``CheckFailed`` where the first run released nothing or the second changed a thing."""
    changed = [stage.name for stage in rehearsal.second.stages if stage.outcome != "skipped"]
    if rehearsal.first.released and not changed:
        return
    raise CheckFailed(
        f"the second run was not a quiet one: {', '.join(changed) or 'nothing was released'}",
        hint="a stage does not see that its work is done; look at its reason above",
        document=rehearsal_document(rehearsal, keep=keep),
    )


def rehearsal_document(rehearsal: Rehearsal, *, keep: bool) -> dict[str, object]:
    """Describe a rehearsal as a JSON document; the remotes are in it where they stay up."""
    return result_document(rehearsal.first) | {
        "second": result_document(rehearsal.second)["stages"],
        "made_up_commit": rehearsal.made_up,
        "remotes": rehearsal.remotes.describe() if keep else None,
    }
