"""A project for whole runs: real git, and a registry, cosign and docs in memory."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

from shipway.effects.executor import Executor
from shipway.effects.isolation import isolated
from shipway.model.actions import Answer, Command, NextVersion, Question, ReadSettings, Reply
from shipway.model.release import Decision, Override
from shipway.model.version import parse_version
from shipway.rehearsal import origin
from shipway.run.release import run_release
from shipway.run.result import Outcome, Result
from shipway.run.session import Session, open_session
from tests.support.model_remotes import ModelRemotes
from tests.support.repositories import commit, git, make_clone

MODELLED = {"docker", "cosign", "mike", "mkdocs"}


class Scene:
    """A project with an origin, and remotes in memory for everything that needs an engine."""

    def __init__(
        self, folder: Path, settings: str = "", *, real: bool = False, inside: bool = False
    ) -> None:
        self.folder = folder
        self.real = real
        self.inside = inside
        """Says that the real release tool works in this process, which saves its start."""
        self.upcoming, self.last = "0.1.0", ""
        base = {"PATH": os.environ["PATH"], "HOME": str(folder)}
        self.environment = {**base, **origin.isolate("acme/toy", folder / "origin.git")}
        self.clone = make_clone(folder, settings)
        self.remotes = ModelRemotes()
        self.progress: list[str] = []
        self.meanwhile: Callable[[Command], object] = lambda command: None

    def session(self, **environment: str) -> Session:
        """Open a session over the clone, whose executor reaches remotes in memory."""
        session = open_session(
            self.progress.append, folder=self.clone, environment={**self.environment, **environment}
        )
        run, answer = session.executor.runner, session.executor.answers

        def runner(command: Command) -> Answer:
            self.meanwhile(command)
            if "semantic_release" in command.argv and not self.real:
                return self._stamp(command)
            if "semantic_release" in command.argv and self.inside:
                return stamp_inside(command, self.environment)
            if command.argv[0] not in MODELLED:
                return run(command)
            if command.argv[-1] == "--help":
                return Answer(code=0, out="--tlog-upload")
            return self.remotes.run(command)

        def answers(question: Question[Reply]) -> Reply:
            asked: object = question
            if isinstance(asked, ReadSettings):
                return answer(question)
            if not isinstance(asked, NextVersion):
                return self.remotes.answer(question)
            if self.real:
                return answer(question)
            return cast(Reply, self.decide())

        executor = Executor(
            runner=runner, answers=answers, api=self.remotes.request, wait=lambda _seconds: None
        )
        return replace(session, executor=executor)

    def decide(self) -> Decision:
        """Decide which version is due, as the release tool would."""
        return Decision(parse_version(self.last), parse_version(self.upcoming))

    def _stamp(self, command: Command) -> Answer:
        changelog = Path(command.folder) / "CHANGELOG.md"
        section = f"\n## v{self.upcoming} (2026-01-01)\n\n- Begin\n"
        changelog.write_text(changelog.read_text() + section)
        return Answer(code=0)

    def release(
        self, until: str = "", override: Override | None = None, **environment: str
    ) -> Result:
        """One run."""
        result = Result()
        session = replace(self.session(**environment), override=override)

        def report(outcome: Outcome) -> None:
            self.progress.append(outcome.name)

        run_release(session, result, report, until=until)
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


def stamp_inside(command: Command, environment: Mapping[str, str]) -> Answer:
    """Run the command line of python-semantic-release in this process."""
    from semantic_release.cli.commands.main import main

    words = command.argv[command.argv.index("semantic_release") + 1 :]
    with isolated(Path(command.folder), {**environment, **command.env}):
        with contextlib.redirect_stderr(io.StringIO()):
            main(words, standalone_mode=False)
    return Answer(code=0)
