"""A dry run decides like a run, on a model of the world, and gives commands to copy and paste."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shipway.effects.executor import Executor
from shipway.model.actions import Command, Json, PlannedAction, Request
from shipway.model.stage import Finding, Stage, State, Variable
from shipway.model.target import Target
from shipway.model.world import World

_MOST_ACTIONS = 100
"""Says how many actions a stage may plan in a dry run before it is clear that it does not end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStage:
    """Holds a stage of a dry run: its state now, the evidence, and the commands to come."""

    name: str
    state: str
    evidence: str
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StagePreview:
    """Says what a stage finds now, and what it would do."""

    stage: Stage
    finding: Finding
    actions: tuple[PlannedAction, ...] = ()


def preview(stages: Iterable[Stage], target: Target, executor: Executor) -> list[StagePreview]:
    """Decide as a run would, with each stage's actions simulated in a model of the world.

    The remotes are asked, nothing else is done.
    """
    world = World()
    imagined = False
    rows: list[StagePreview] = []
    for stage in stages:
        reason = stage.skip_reason(target)
        if reason is not None:
            finding = Finding(State.SAME, reason)
            rows.append(StagePreview(stage, finding))
            continue
        # What a check looks at does not exist while the actions before it are only foreseen.
        if not (imagined and stage.is_check):
            world = stage.observe(target, world, executor)
        first = stage.judge(target, world)
        finding = first
        actions: list[PlannedAction] = []
        while finding.state is State.ABSENT and len(actions) < _MOST_ACTIONS:
            steps = stage.plan(target, world)
            if not steps:
                break
            actions += steps
            world = stage.simulate(target, world)
            finding = stage.judge(target, world)
            imagined = True
        row = StagePreview(stage, first, tuple(actions))
        rows.append(row)
    return rows


def render_plan(target: Target, rows: Sequence[StagePreview]) -> list[PlannedStage]:
    """Render a plan as shell lines.

    What is known only after a step stands there as a variable, set by a line before.
    """
    names: dict[str, str] = {}
    if target.release:
        names[target.folder] = "CLONE"
    for row in rows:
        for variable in row.stage.variables(target):
            names[variable.stand_in] = variable.name
    stages: list[PlannedStage] = []
    for row in rows:
        variables = row.stage.variables(target)
        commands = _render_stage(row, variables, names)
        stage = PlannedStage(
            name=row.stage.name,
            state=row.finding.state.value,
            evidence=row.finding.evidence,
            commands=tuple(commands),
        )
        stages.append(stage)
    return stages


def _render_stage(
    row: StagePreview, variables: Sequence[Variable], names: Mapping[str, str]
) -> list[str]:
    if not row.actions:
        return []
    readers = {variable.answer_of: variable for variable in variables if variable.answer_of}
    lines: list[str] = []
    for action in row.actions:
        line = render_action(action, names)
        if action.why in readers:
            variable = readers[action.why]
            query = f"{line} | {variable.reader}"
            line = _render_assignment(variable, query)
        lines.append(line)
    return lines + _render_queries(variables)


def _render_queries(variables: Sequence[Variable]) -> list[str]:
    """Render the lines that set the variables which have a command of their own."""
    # A query names other variables as its own text does: their values are not known yet.
    names: dict[str, str] = {}
    for variable in variables:
        reference = f"${{{variable.name}}}"
        names[reference] = variable.name
    lines: list[str] = []
    for variable in variables:
        if variable.command:
            query = render_action(variable.command, names)
            line = _render_assignment(variable, query)
            lines.append(line)
    return lines


def _render_assignment(variable: Variable, line: str) -> str:
    return f"{variable.name}=$({line})"


def render_action(action: PlannedAction, names: Mapping[str, str] | None = None) -> str:
    """Render one line of shell: every argument quoted, secrets as the names of their variables."""
    names = names or {}
    if isinstance(action, Request):
        return _render_request(action, names)
    line = _render_words(action.argv, names)
    if isinstance(action, Command):
        line = _render_command(action, line, names)
    return line


def _render_command(command: Command, line: str, names: Mapping[str, str]) -> str:
    variables = command.env.items()
    for variable, text in sorted(variables, reverse=True):
        value = quote(text, names)
        line = f"{variable}={value} {line}"
    if command.stdin:
        source = _render_words(command.stdin.argv, names)
        line = f"{source} | {line}"
    folder = command.folder
    if folder and folder in names:
        place = quote(folder, names)
        line = f"(cd {place} && {line})"
    return line


def _render_words(words: Iterable[str], names: Mapping[str, str]) -> str:
    quoted = [quote(word, names) for word in words]
    return " ".join(quoted)


def _render_request(request: Request, names: Mapping[str, str]) -> str:
    words = ["curl --fail-with-body --request", request.method]
    words.append('--header "Authorization: Bearer ${GITHUB_TOKEN}"')
    if request.content:
        content = quote(request.content.decode(), names)
        words.append(f"--header 'Content-Type: application/json' --data-binary {content}")
    elif request.body:
        text = json.dumps(request.body)
        body = quote(text, names)
        words.append(f"--data {body}")
    path = request.path
    address = quote(path, names)
    if not path.startswith("http"):
        address = '"${GITHUB_API_URL:-https://api.github.com}"' + address
    words.append(address)
    return " ".join(words)


def quote(word: str, names: Mapping[str, str]) -> str:
    """Quote ``word`` for a shell, with each known value in it replaced by its variable.

    Only the values of ``names`` become variables; a dollar sign that came from anywhere else stays
    a dollar sign.
    """
    for text in sorted(names, key=len, reverse=True):
        before, separator, after = word.partition(text)
        if separator:
            left = _quote_part(before, names)
            right = _quote_part(after, names)
            variable = names[text]
            return f'{left}"${{{variable}}}"{right}'
    return shlex.quote(word)


def _quote_part(part: str, names: Mapping[str, str]) -> str:
    """Quote what stands beside a variable in a word; nothing stays nothing."""
    if not part:
        return ""
    return quote(part, names)


def plan_document(rows: Sequence[PlannedStage]) -> dict[str, Json]:
    """Give a dry run for programs."""
    stages: list[Json] = [_describe_stage(row) for row in rows]
    return {"dry_run": True, "stages": stages}


def _describe_stage(row: PlannedStage) -> dict[str, Json]:
    return {
        "name": row.name,
        "state": row.state,
        "evidence": row.evidence,
        "commands": list(row.commands),
    }


def render_lines(rows: Sequence[PlannedStage]) -> str:
    """Give a dry run for people: a comment for each stage, then its commands."""
    lines: list[str] = []
    for row in rows:
        heading = f"# {row.name}: {row.state}, {row.evidence}"
        lines.append(heading)
        lines += row.commands
    return "\n".join(lines)
