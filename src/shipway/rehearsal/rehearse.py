"""The rehearsal: the code of a real release, run twice against local stand-ins of every remote."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shipway.effects.environment import equip
from shipway.effects.facts import gather, load_project
from shipway.effects.processes import Processes
from shipway.errors import CheckFailed, ContextError
from shipway.rehearsal import leash, origin
from shipway.rehearsal.remotes import Remotes, stand_up
from shipway.run import release as pipeline
from shipway.run.documents import result_document
from shipway.run.preview import PlannedStage, plan_document, render_lines
from shipway.run.reconcile import Outcome
from shipway.run.session import Session, open_session
from shipway.settings import BuilderSettings, CacheSettings, Project
from shipway.target.context import detect, require_git

OWN_COMMIT = "feat: rehearse a release"

Progress = Callable[[str], None]
ReportOutcome = Callable[[Outcome], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """Both runs, the remotes that they ran against, and whether a commit had to be made up."""

    first: pipeline.Result
    second: pipeline.Result
    remotes: Remotes
    made_up: bool


def main(
    progress: Progress, report_outcome: ReportOutcome, *, keep: bool, dry_run: bool, as_json: bool
) -> None:
    """Rehearse the project of the current folder and print what came of it."""
    if sys.platform != "linux":
        raise ContextError(
            "a rehearsal needs Linux: it finds the processes that it has to end in /proc",
            hint="rehearse on a Linux machine, in CI, or, on Windows, in WSL 2",
        )
    environment = equip(os.environ)
    remote = load_project(Path.cwd()).settings.remote
    require_git(
        detect(gather(environment, Path.cwd(), remote=remote, runner=Processes(environment)))
    )
    folder = Path(tempfile.mkdtemp(prefix="shipway-rehearsal-"))
    try:
        with leash.hold(folder, keep=keep) as marker:
            remotes = stand_up(Path.cwd(), folder, environment, mark=marker, progress=progress)
            session = session_for(remotes, progress)
            if dry_run:
                _print_plan(pipeline.preview_release(session), as_json)
                return
            rehearsal = play(session, remotes, progress, report_outcome)
            _print(rehearsal, keep=keep, as_json=as_json)
            _insist(rehearsal)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def session_for(remotes: Remotes, progress: Progress) -> Session:
    """The workbench of a release whose every remote is a local one."""
    environment = {**remotes.environment, **remotes.secrets, "GITHUB_API_URL": remotes.api}
    return open_session(
        progress,
        folder=remotes.project,
        environment=environment,
        adapt=lambda project: _adapt(project, remotes),
    )


def _adapt(project: Project, remotes: Remotes) -> Project:
    from msgspec.structs import replace

    settings = project.settings
    sign = replace(
        settings.sign,
        key=str(remotes.key),
        public_key=str(remotes.public_key),
        transparency_log=False,
        signing_config=remotes.signing_config,
    )
    image = f"{remotes.registry}/{remotes.repository.lower()}"
    return replace(
        project,
        settings=replace(
            settings, image=image, sign=sign, cache=CacheSettings(), builder=BuilderSettings()
        ),
    )


def play(
    session: Session, remotes: Remotes, progress: Progress, report_outcome: ReportOutcome
) -> Rehearsal:
    """Release, then release again; a ``feat:`` commit is made up when the project has nothing to release."""
    first = pipeline.Result()
    progress("first run")
    pipeline.release(session, first, report_outcome)
    made_up = first.target is None
    if made_up:
        progress(
            f"nothing to release in the commits: rehearsing with a commit of its own, “{OWN_COMMIT}”"
        )
        origin.add_commit(
            remotes.project, OWN_COMMIT, session.project.settings.remote, remotes.environment
        )
        session, first = session_for(remotes, progress), pipeline.Result()
        pipeline.release(session, first, report_outcome)
    progress("second run")
    second = pipeline.Result()
    pipeline.release(session, second, report_outcome)
    return Rehearsal(first=first, second=second, remotes=remotes, made_up=made_up)


def _print_plan(rows: list[PlannedStage], as_json: bool) -> None:
    if as_json:
        print(json.dumps(plan_document(rows), indent=2))
        return
    # Not for pasting: the stand-ins are gone by now, and some of the lines would reach the real remotes.
    print("# what a rehearsal runs, against stand-ins that live as long as it does")
    print(
        "\n".join(
            line if line.startswith("#") else f"# $ {line}"
            for line in render_lines(rows).splitlines()
        )
    )


def _insist(rehearsal: Rehearsal) -> None:
    changed = [one.name for one in rehearsal.second.stages if one.outcome != "skipped"]
    if changed or not rehearsal.first.released:
        raise CheckFailed(
            f"the second run was not a quiet one: {', '.join(changed) or 'nothing was released'}",
            hint="a stage does not see that its work is done; look at its reason above",
        )


def _print(rehearsal: Rehearsal, *, keep: bool, as_json: bool) -> None:
    document = result_document(rehearsal.first) | {
        "second": result_document(rehearsal.second)["stages"],
        "made_up_commit": rehearsal.made_up,
        "remotes": rehearsal.remotes.describe() if keep else None,
    }
    if as_json:
        print(json.dumps(document, indent=2))
    else:
        _print_tables(rehearsal, document)


def _print_tables(rehearsal: Rehearsal, document: dict[str, object]) -> None:
    from rich.console import Console
    from rich.table import Table

    stages = Table("stage", "first run", "second run", "seconds", title="rehearsal")
    for one, again in zip(rehearsal.first.stages, rehearsal.second.stages, strict=True):
        stages.add_row(
            one.name,
            f"{one.outcome}: {one.reason}",
            f"{again.outcome}: {again.reason}",
            f"{one.seconds:.1f} + {again.seconds:.1f}",
        )
    facts = Table("", "", show_header=False)
    for name in (
        "version",
        "tags",
        "image",
        "digest",
        "platforms",
        "packages",
        "docs",
        "release",
        "remotes",
    ):
        value = document[name]
        if value:
            facts.add_row(name, _plain(value))
    console = Console(width=None if os.isatty(1) else 160)
    console.print(stages)
    console.print(facts)


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{name}: {one}" for name, one in value.items())
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)
