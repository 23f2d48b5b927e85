"""Everything that a task needs, gathered once: project, context, and the means to act."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from shipway.effects.environment import equip, is_modern
from shipway.effects.facts import gather, load_project
from shipway.effects.github import DEFAULT, Api
from shipway.effects.processes import Processes, read_patience
from shipway.model.release import Override
from shipway.model.target import Target
from shipway.run.reconcile import Executor
from shipway.settings import Project
from shipway.target.context import Context, detect, require_git
from shipway.target.plan import plan_target


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a task works with. ``environment`` holds the secrets; only ``hands`` passes them on, by name."""

    folder: Path
    environment: Mapping[str, str]
    project: Project
    context: Context
    executor: Executor
    progress: Callable[[str], None]
    adapt: Callable[[Project], Project] = lambda project: project
    override: Override = Override()

    def target(self) -> Target:
        """The target of the present branch or pull request."""
        require_git(self.context)
        target = plan_target(self.project, self.context, self.environment, str(self.folder))
        return self.fitted(target)

    def at(self, folder: Path, commit: str, epoch: int) -> Session:
        """The same for another commit of the branch, checked out in ``folder``: with what the project says there."""
        return replace(
            self,
            project=self.adapt(load_project(folder)),
            context=replace(self.context, commit=commit, epoch=epoch),
        )

    def overridden(self, override: Override) -> Session:
        """The same with somebody's word on the next version."""
        return replace(self, override=override)

    def fitted(self, target: Target) -> Target:
        """The target with what only this machine tells: the generation of its cosign, and whether there are docs."""
        # Only where what it is told depends on it.
        how = target.signing
        modern = (
            bool(how.config or how.trusted_root or not how.transparency_log)
            and bool(shutil.which("cosign", path=self.environment.get("PATH")))
            and is_modern(self.executor.runner)
        )
        docs = target.docs if has_docs(self.project, Path(target.folder)) else ""
        return replace(target, docs=docs, signing=replace(target.signing, modern=modern))


def has_docs(project: Project, folder: Path) -> bool:
    """Whether the project publishes docs: as it says, else when the configuration of mkdocs is there."""
    wanted = project.settings.docs.enabled
    return (folder / project.settings.docs.config).is_file() if wanted is None else wanted


def open_session(
    progress: Callable[[str], None],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    adapt: Callable[[Project], Project] = lambda project: project,
) -> Session:
    """Gather project, facts and context of ``folder``; ``adapt`` may replace settings, as a rehearsal does."""
    folder = folder or Path.cwd()
    environment = equip(os.environ if environment is None else environment)
    project = adapt(load_project(folder))
    patience = read_patience(environment)
    runner = Processes(environment, echo=progress, patience=patience)
    facts = gather(environment, folder, remote=project.settings.remote, runner=runner)
    token = environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN") or ""
    api = Api(environment.get("GITHUB_API_URL") or DEFAULT, token, patience=patience)
    return Session(
        folder=folder,
        environment=environment,
        project=project,
        context=detect(facts),
        adapt=adapt,
        executor=Executor(runner=runner, api=api, patience=3600 if environment.get("CI") else 60),
        progress=progress,
    )
