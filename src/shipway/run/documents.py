"""The documents that tasks print: the machine contract, in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from shipway.model.actions import Json
from shipway.model.target import Target
from shipway.run import release as pipeline
from shipway.run.clone import open_workspace
from shipway.run.preview import render_action
from shipway.run.session import Workbench, set_up
from shipway.stages import build as build_stage
from shipway.target.context import require_git, require_history
from shipway.target.plan import edge_branch
from shipway.target.releases import version_of
from shipway.target.tags import image_name, plan_tags

Say = Callable[[str], None]
Document = dict[str, Any]
"""A JSON document; Any, since it is only printed."""


def context(say: Say) -> Document:
    """Everything that was found out about what is being built."""
    bench = set_up(say)
    named = bench.project.settings.image or bench.context.repository
    return asdict(bench.context) | {"image": _image(bench) if named else None}


def _image(bench: Workbench) -> str:
    return image_name(bench.project.settings.image, bench.context)


def tags(say: Say) -> Document:
    """``{"image", "tags", "version", "channel"}``; the version is the one of a release tag that is built."""
    bench = set_up(say)
    require_git(bench.context)
    form = bench.project.settings.release.tag_format
    version = version_of(bench.context.tag, form)
    planned = plan_tags(bench.context, version=version, edge=edge_branch(bench.project.settings))
    return {
        "image": _image(bench),
        "tags": list(planned.names),
        "version": version or None,
        "channel": planned.channel,
    }


def version(say: Say) -> Document:
    """``{"current", "next", "bump"}``; next and bump are null when no release is due."""
    bench = set_up(say)
    require_history(bench.context)
    with open_workspace(bench) as workspace:
        decision = workspace.decide()
    return {
        "current": decision.current or None,
        "next": decision.upcoming or None,
        "bump": decision.bump or None,
    }


def build(say: Say, *, dry_run: bool) -> Document:
    """Build for this machine; the document of a build without digest, since nothing was pushed."""
    bench = set_up(say)
    target = bench.target()
    if dry_run:
        return {"commands": [render_action(build_stage.build_command(target, push=False))]}
    pipeline.build_here(bench, target)
    return {"image": target.image, "digest": None, "tags": [target.staging], "platforms": []}


def status(say: Say) -> list[Document]:
    """Stage, state, evidence and what to do next, as the remotes show them."""
    return [
        {
            "name": name,
            "state": finding.state.value,
            "evidence": finding.evidence,
            "next": following,
        }
        for name, finding, following in pipeline.look_around(set_up(say))
    ]


def result_document(result: pipeline.Result) -> Document:
    """What `build`, `sign`, … and `release` print with ``--json``."""
    target = result.target
    return {
        "released": result.released,
        "version": target.version or None if target else None,
        "tag": target.tag or None if target else None,
        "image": target.image if target else None,
        "digest": result.digest or None,
        "tags": list(_tags(target)) if target else [],
        "platforms": list(result.world.index.platforms) if result.world.index else [],
        "packages": dict(result.world.packages),
        "revision": target.commit if target else None,
        "docs": target.docs or None if target else None,
        "release": result.world.release.page if result.world.release else None,
        "stages": [
            {
                "name": one.name,
                "outcome": one.outcome,
                "reason": one.reason,
                "seconds": round(one.seconds, 2),
            }
            for one in result.stages
        ],
    }


def _tags(target: Target) -> tuple[str, ...]:
    return (*target.tags, target.staging)


def write_outputs(environment: Mapping[str, str], result: pipeline.Result) -> None:
    """Append ``released``, ``version``, ``tag``, ``digest`` and ``image`` to ``GITHUB_OUTPUT``, whatever came of it."""
    path = environment.get("GITHUB_OUTPUT")
    if not path:
        return
    found = result_document(result)
    with open(path, "a", encoding="utf-8") as file:
        for name in ("released", "version", "tag", "digest", "image"):
            file.write(f"{name}={_render_output(found[name])}\n")


def _render_output(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value or "").replace("\n", " ")
