"""A project for whole runs: real git, and a registry, cosign and docs in memory."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from shipway.model.actions import Answer, Command
from shipway.model.release import Override
from shipway.rehearsal import origin
from shipway.run import release as pipeline
from shipway.run.reconcile import Executor
from shipway.run.session import Session, open_session
from tests.support.model_remotes import ModelRemotes
from tests.support.repositories import commit, git, make_clone

MODELLED = {"docker", "cosign", "mike", "python3"}


class Scene:
    """A project with an origin, and remotes in memory for everything that needs an engine."""

    def __init__(self, folder: Path, settings: str = "", *, real: bool = False) -> None:
        self.folder = folder
        self.real = real
        self.upcoming, self.last = "0.1.0", ""
        base = {"PATH": os.environ["PATH"], "HOME": str(folder)}
        self.environment = {**base, **origin.isolate("acme/toy", folder / "origin.git")}
        self.clone = make_clone(folder, settings)
        self.remotes = ModelRemotes()
        self.progress: list[str] = []
        self.meanwhile: Callable[[Command], object] = lambda command: None

    def session(self, **environment: str) -> Session:
        """A workbench over the clone, its hands in memory."""
        session = open_session(
            self.progress.append, folder=self.clone, environment={**self.environment, **environment}
        )
        run = session.executor.runner

        def runner(command: Command) -> Answer:
            self.meanwhile(command)
            if {"semantic_release", "shipway.effects.history"}.intersection(
                command.argv
            ) and not self.real:
                return self._release_tool(command)
            if command.argv[0] not in MODELLED:
                return run(command)
            if command.argv[-1] == "--help":
                return Answer(code=0, out="--tlog-upload")
            return self.remotes.run(command)

        return replace(
            session,
            executor=Executor(runner=runner, api=self.remotes.request, wait=lambda _seconds: None),
        )

    def _release_tool(self, command: Command) -> Answer:
        if "shipway.effects.history" in command.argv:
            return Answer(code=0, out=json.dumps({"current": self.last, "next": self.upcoming}))
        changelog = Path(command.folder) / "CHANGELOG.md"
        changelog.write_text(
            changelog.read_text() + f"\n## v{self.upcoming} (2026-01-01)\n\n- Begin\n"
        )
        return Answer(code=0)

    def release(
        self, until: str = "", override: Override = Override(), **environment: str
    ) -> pipeline.Result:
        """One run."""
        result = pipeline.Result()
        session = self.session(**environment).overridden(override)
        pipeline.release(
            session, result, lambda outcome: self.progress.append(outcome.name), until=until
        )
        return result

    def somebody_pushes(self, message: str = "feat: of somebody else") -> str:
        """A commit on top of the origin's branch, from another clone."""
        with tempfile.TemporaryDirectory() as folder:
            git(self.folder, "clone", "--quiet", str(self.folder / "origin.git"), folder)
            head = commit(Path(folder), message)
            git(Path(folder), "push", "--quiet", "origin", "HEAD:main")
        return head

    def once(self, program: str, do: Callable[[], object]) -> None:
        """While the first command of ``program`` runs, this happens."""

        def meanwhile(command: Command) -> None:
            if command.argv[: len(program.split())] == tuple(program.split()):
                self.meanwhile = lambda _: None
                do()

        self.meanwhile = meanwhile
