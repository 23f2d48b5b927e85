"""Rehearse: run the code of a real release twice, against local stand-ins of every remote."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from shipway.effects.environment import equip
from shipway.effects.facts import gather, load_project
from shipway.effects.processes import Processes
from shipway.errors import CheckFailed, ContextError
from shipway.rehearsal import leash, origin
from shipway.rehearsal.builders import choose_builder
from shipway.rehearsal.differences import adapt, list_differences
from shipway.rehearsal.remotes import Remotes, stand_up
from shipway.run.documents import result_document
from shipway.run.preview import PlannedStage
from shipway.run.release import preview_release, run_release
from shipway.run.result import Record, Result
from shipway.run.session import Progress, Session, open_session
from shipway.settings import Settings
from shipway.target.context import Context, detect
from shipway.target.preconditions import require_clean, require_git

OWN_COMMIT = "feat: rehearse a release"
_ADVICE = (
    "commit or stash them (`git status` lists them), or rehearse with them: "
    "`shipway rehearse --working-tree`"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """Hold both runs, the remotes that they ran against, and whether a commit was made up."""

    first: Result
    second: Result
    remotes: Remotes
    made_up: bool
    differences: Mapping[str, str] = field(default_factory=dict)
    """Say by name what was not as in a release."""


def run_rehearsal(
    progress: Progress,
    report_outcome: Record,
    present: Callable[[Rehearsal], None],
    *,
    keep: bool,
    working_tree: bool = False,
) -> Rehearsal:
    """Rehearse the project of the current folder, and ``present`` the rehearsal, quiet or not.

    With ``keep`` its remotes stay up, with ``working_tree`` what is not committed is taken along.
    Raises ``CheckFailed``, with the rehearsal's document, when
    the second run was not a quiet one.
    """
    with _stand_ins(progress, keep=keep, working_tree=working_tree) as (remotes, differences):
        session = session_for(remotes, progress)
        rehearsal = play(session, remotes, progress, report_outcome)
        rehearsal = replace(rehearsal, differences=differences)
        present(rehearsal)
        _require_quiet(rehearsal, keep=keep)
        return rehearsal


def preview_rehearsal(
    progress: Progress, *, keep: bool, working_tree: bool = False
) -> list[PlannedStage]:
    """Plan the release that a rehearsal of the project of the current folder would run.

    With ``keep`` the remotes that it was planned against stay up.
    """
    with _stand_ins(progress, keep=keep, working_tree=working_tree) as (remotes, _):
        return preview_release(session_for(remotes, progress))


@contextmanager
def _stand_ins(
    progress: Progress, *, keep: bool, working_tree: bool
) -> Iterator[tuple[Remotes, Mapping[str, str]]]:
    """Stand the remotes up in a temporary folder, for as long as the block lasts.

    Gives them, and what is not as in a release.
    """
    if sys.platform != "linux":
        raise ContextError(
            "a rehearsal needs Linux: it finds the processes that it has to end in /proc",
            hint="rehearse on a Linux machine, in CI, or, on Windows, in WSL 2",
        )
    environment = equip(os.environ)
    project = Path.cwd()
    settings = load_project(project).settings
    context = _look_at(project, settings, environment)
    if not working_tree:
        require_clean(context, advice=_ADVICE)
    builder = choose_builder(settings.builder, environment, Processes(environment))
    folder = Path(tempfile.mkdtemp(prefix="shipway-rehearsal-"))
    try:
        with leash.hold(folder, keep=keep) as mark:
            remotes = stand_up(
                project,
                folder,
                {**environment, **mark},
                context=context,
                builder=builder,
                progress=progress,
            )
            differences = list_differences(context, settings, remotes)
            for name, difference in differences.items():
                progress(f"not as in a release: {name}: {difference}")
            yield remotes, differences
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _look_at(project: Path, settings: Settings, environment: Mapping[str, str]) -> Context:
    """Give the context of what is checked out, whatever a run of CI was started for."""
    runner = Processes(environment)
    facts = gather({}, project, remote=settings.remote, runner=runner)
    context = detect(facts)
    require_git(context)
    return context


def session_for(remotes: Remotes, progress: Progress) -> Session:
    """Open the session of a release whose every remote is a local one."""
    environment = {**remotes.environment, **remotes.secrets, "GITHUB_API_URL": remotes.api}
    return open_session(
        progress,
        folder=remotes.project,
        environment=environment,
        adapt=lambda project: adapt(project, remotes),
    )


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
        "differences": dict(rehearsal.differences),
        "remotes": rehearsal.remotes.describe() if keep else None,
    }
