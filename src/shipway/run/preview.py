"""What people and programs see of a run: plans ready for copy and paste, tables, JSON documents."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shipway.model.actions import Action, Json, Request
from shipway.model.stage import Finding
from shipway.model.target import Target
from shipway.stages import build, publish

_READ_ID = """python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])'"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStage:
    """One stage of a dry run: its state now, the evidence, and the commands that would mend it."""

    name: str
    state: str
    evidence: str
    commands: tuple[str, ...]


def render_plan(
    target: Target, rows: Sequence[tuple[str, Finding, tuple[Action, ...]]]
) -> list[PlannedStage]:
    """A plan as shell lines. What is known only after a step stands there as a variable, set by a line before."""
    digests = build.name_digests(target)
    names = {target.folder: "CLONE"} if target.version else {}
    names |= {f"sha256:{variable}": variable for variable, _ in digests} | {
        publish.STAND_IN: publish.STAND_IN
    }
    plan: list[PlannedStage] = []
    for name, finding, actions in rows:
        lines = [render_action(action, names) for action in actions]
        if name == publish.NAME and len(lines) == 3:
            lines[0] = f"{publish.STAND_IN}=$({lines[0]} | {_READ_ID})"
        if name == build.NAME and actions:
            lines += [
                f"{variable}=$({render_action(command, {f'${{{known}}}': known for known, _ in digests})})"
                for variable, command in digests
            ]
        plan.append(
            PlannedStage(
                name=name,
                state=finding.state.value,
                evidence=finding.evidence,
                commands=tuple(lines),
            )
        )
    return plan


def render_action(action: Action, names: Mapping[str, str] | None = None) -> str:
    """One line of shell: every argument quoted, secrets as the names of their variables."""
    names = names or {}
    if isinstance(action, Request):
        return _render_request(action, names)
    words = [f"{name}={quote(value, names)}" for name, value in sorted(action.env.items())]
    words += [quote(word, names) for word in action.argv]
    line = " ".join(words)
    if action.folder and action.folder in names:
        line = f"(cd {quote(action.folder, names)} && {line})"
    return line


def _render_request(request: Request, names: Mapping[str, str]) -> str:
    address = (
        request.path
        if request.path.startswith("http")
        else "${GITHUB_API_URL:-https://api.github.com}"
    )
    place = (
        quote(address, names)
        if address == request.path
        else f'"{address}"{quote(request.path, names)}'
    )
    words = [
        "curl --fail-with-body --request",
        request.method,
        '--header "Authorization: Bearer ${GITHUB_TOKEN}"',
    ]
    if request.content:
        words += [
            "--header 'Content-Type: application/json' --data-binary",
            quote(request.content.decode(), names),
        ]
    elif request.body:
        words += ["--data", quote(json.dumps(request.body), names)]
    return " ".join((*words, place))


def quote(word: str, names: Mapping[str, str]) -> str:
    """``word`` quoted for a shell, with each known value in it replaced by its variable.

    Only the values of ``names`` become variables; a dollar sign that came from anywhere else stays a dollar sign.
    """
    for value in sorted(names, key=len, reverse=True):
        before, found, after = word.partition(value)
        if found:
            parts = (
                quote(before, names) if before else "",
                f'"${{{names[value]}}}"',
                quote(after, names) if after else "",
            )
            return "".join(parts)
    return shlex.quote(word)


def plan_document(rows: Sequence[PlannedStage]) -> dict[str, Json]:
    """A dry run for programs."""
    return {
        "dry_run": True,
        "stages": [
            {
                "name": row.name,
                "state": row.state,
                "evidence": row.evidence,
                "commands": list(row.commands),
            }
            for row in rows
        ],
    }


def render_lines(rows: Sequence[PlannedStage]) -> str:
    """A dry run for people: a comment for each stage, then its commands."""
    lines: list[str] = []
    for row in rows:
        lines += [f"# {row.name}: {row.state}, {row.evidence}", *row.commands]
    return "\n".join(lines)
