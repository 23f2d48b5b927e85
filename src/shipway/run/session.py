"""A session gathers once what a task needs: project, context, and the means to act."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from shipway.effects.environment import equip
from shipway.effects.executor import Executor
from shipway.effects.facts import gather, load_project
from shipway.effects.github import Api
from shipway.effects.isolation import find_repository
from shipway.effects.processes import Processes, read_patience
from shipway.effects.questions import Answerer
from shipway.model.release import Override
from shipway.model.target import Target
from shipway.settings import Project
from shipway.target.context import Context, detect
from shipway.target.plan import plan_target
from shipway.target.preconditions import require_git
from shipway.tools import cosign
from shipway.tools.git_remote import anchor_variables

Progress: TypeAlias = Callable[[str], None]
"""Receives each line of progress."""
_LONG_PATIENCE = 3600.0
"""Says how many seconds a stage waits for troubles to pass in CI, where no person waits."""
_SHORT_PATIENCE = 90.0
"""Says how many seconds a stage waits for troubles to pass where a person waits.

A limit of GitHub's that says nothing else is waited for a minute.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Holds what a task works with.

    ``environment`` holds the secrets; only ``executor`` passes them on, by name. ``adapt`` replaces
    settings of the project, as a rehearsal does.
    """

    folder: Path
    environment: Mapping[str, str]
    project: Project
    context: Context
    executor: Executor
    progress: Progress
    adapt: Callable[[Project], Project] = lambda project: project
    override: Override | None = None

    def target(self) -> Target:
        """Plan the target of the present branch or pull request."""
        require_git(self.context)
        target = plan_target(
            self.project,
            self.context,
            self.environment,
            str(self.folder),
        )
        return self.fit(target)

    def at_commit(self, folder: Path, commit: str, epoch: int) -> Session:
        """Give the session for another commit of the branch, with what the project says there.

        It is checked out in ``folder``; ``epoch`` is its time in seconds since 1970.
        """
        project = load_project(folder)
        adapted = self.adapt(project)
        context = replace(
            self.context,
            commit=commit,
            epoch=epoch,
            checked_out="",
        )
        return replace(self, project=adapted, context=context)

    def fit(self, target: Target) -> Target:
        """Add what depends on this machine: its cosign's generation, and whether docs are there."""
        docs_version = target.docs_version
        if not has_docs(self.project, Path(target.folder)):
            docs_version = None
        has_signing_config = self._knows_signing_configs(target)
        signer = replace(target.signer, has_signing_config=has_signing_config)
        return replace(target, docs_version=docs_version, signer=signer)

    def _knows_signing_configs(self, target: Target) -> bool:
        """Ask cosign for its generation, only where its flags depend on it."""
        sign = target.settings.sign
        depends = sign.signing_config or sign.trusted_root or not sign.transparency_log
        if not depends:
            return False
        path = self.environment.get("PATH")
        if shutil.which("cosign", path=path) is None:
            return False
        question = cosign.ask_for_help("sign")
        answer = self.executor(question)
        return cosign.knows_signing_configs(answer)


def has_docs(project: Project, folder: Path) -> bool:
    """Tell whether the project publishes docs: as it says, else if MkDocs's settings are there."""
    docs = project.settings.docs
    if docs.enabled is not None:
        return docs.enabled
    config = folder / docs.config
    return config.is_file()


def open_session(
    progress: Progress,
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    adapt: Callable[[Project], Project] = lambda project: project,
    override: Override | None = None,
) -> Session:
    """Gather project, facts and context of ``folder``, the present folder if it is not given."""
    folder = folder or Path.cwd()
    if environment is None:
        environment = os.environ
    environment = equip(environment)
    repository = find_repository(folder.resolve())
    environment = anchor_variables(environment, str(repository))
    project = adapt(load_project(folder))
    patience = read_patience(environment)
    answers = Answerer(environment)
    runner = Processes(
        environment,
        answer=answers,
        echo=progress,
        patience=patience,
    )
    facts = gather(
        environment,
        folder,
        remote=project.settings.remote,
        runner=runner,
    )
    stage_patience = _LONG_PATIENCE if environment.get("CI") else _SHORT_PATIENCE
    executor = Executor(
        runner=runner,
        answers=answers,
        api=Api(environment, timeout=patience, patience=stage_patience, echo=progress),
        patience=stage_patience,
        echo=progress,
    )
    return Session(
        folder=folder,
        environment=environment,
        project=project,
        context=detect(facts, project.settings.release.tag_format),
        adapt=adapt,
        executor=executor,
        progress=progress,
        override=override,
    )
