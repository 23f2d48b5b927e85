"""The executor carries out commands, requests and questions, one by one or side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar, cast

from shipway.errors import StepFailed
from shipway.model.actions import Action, Answer, Command, PlannedAction, Question, Request

Reply = TypeVar("Reply")
Carried = TypeVar("Carried")
Result = TypeVar("Result")


class Answers(Protocol):
    """Answers shipway's own questions; raises ``StepFailed`` where one cannot be answered."""

    def __call__(self, question: Question[Reply], /) -> Reply:
        """Answer one question."""


def refuse_request(request: Request) -> Answer:
    """Stand in for GitHub's API where a task asks it nothing; raises ``StepFailed``."""
    raise StepFailed(
        f"there is no API to ask here: {request.why}",
        hint="this is a fault of shipway: report it",
    )


@dataclass(frozen=True, slots=True)
class Executor:
    """Carries actions out; stages ask through it (``shipway.model.actions.Ask``)."""

    runner: Callable[[Command], Answer]
    answers: Answers
    api: Callable[[Request], Answer] = refuse_request
    patience: float = 60.0
    """Says how many seconds a stage keeps trying while troubles pass.

    Services that sign and store are down now and then.
    """
    wait: Callable[[float], None] = time.sleep
    echo: Callable[[str], None] = lambda _line: None
    """Receives a line for each pause."""
    workers: int = 4
    """Says how many actions run side by side."""

    def __call__(self, question: Action[Reply], /) -> Reply:
        """Carry one action out and give its answer."""
        answer: object
        if isinstance(question, Command):
            answer = self.runner(question)
        elif isinstance(question, Request):
            answer = self.api(question)
        elif isinstance(question, Question):
            answer = self.answers(question)
        else:
            kind = type(question).__name__
            raise TypeError(f"nobody carries out {kind}")
        # Each kind of action is carried out by what gives its kind of answer.
        return cast(Reply, answer)

    def each(self, questions: Iterable[Action[Reply]], /) -> tuple[Reply, ...]:
        """Carry actions out side by side, each to its end; the answers come in their order."""
        actions = tuple(questions)
        return self._map(self, actions)

    def _map(
        self, carry: Callable[[Carried], Result], actions: tuple[Carried, ...]
    ) -> tuple[Result, ...]:
        is_alone = len(actions) < 2 or self.workers < 2
        if is_alone:
            return tuple(map(carry, actions))
        with ThreadPoolExecutor(max_workers=self.workers) as pool:
            return tuple(pool.map(carry, actions))

    def carry_out(
        self,
        actions: tuple[PlannedAction, ...],
        finish: Callable[[PlannedAction], None] = lambda _action: None,
    ) -> list[str]:
        """Carry a plan out in order, or side by side where every action may; give the remarks.

        ``finish`` is given each action that went well, also where another one failed.
        """

        def carry(action: PlannedAction) -> object:
            answer: object = self(action)
            finish(action)
            return answer

        answers: Iterable[object]
        if all(map(_is_independent, actions)):
            answers = self._map(carry, actions)
        else:
            answers = map(carry, actions)
        remarks: list[str] = []
        for action, answer in zip(actions, answers, strict=True):
            if isinstance(action, Command) and action.remark:
                remark = action.remark(cast(Answer, answer))
                if action.label:
                    remark = f"{action.label}: {remark}"
                remarks.append(remark)
        return remarks


def _is_independent(action: PlannedAction) -> bool:
    """Tell whether an action may run at the same time as the others of its plan."""
    return isinstance(action, Command) and action.side_by_side
