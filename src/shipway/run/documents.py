"""The documents that tasks print: the machine contract, in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from shipway.model.actions import Json
from shipway.model.target import Target
from shipway.run import release as pipeline
from shipway.run.clone import open_clone
from shipway.run.preview import render_action
from shipway.run.session import Session, open_session
from shipway.stages import build as build_stage
from shipway.target.context import require_git, require_history
from shipway.target.plan import edge_branch
from shipway.target.releases import version_of
from shipway.target.tags import image_name, plan_tags

Progress = Callable[[str], None]
Document = dict[str, Any]
"""A JSON document; Any, since it is only printed."""


def context(progress: Progress) -> Document:
    """Everything that was found out about what is being built."""
    session = open_session(progress)
    named = session.project.settings.image or session.context.repository
    return asdict(session.context) | {"image": _image(session) if named else None}


def _image(session: Session) -> str:
    return image_name(session.project.settings.image, session.context)


def tags(progress: Progress) -> Document:
    """``{"image", "tags", "version", "channel"}``; the version is the one of a release tag that is built."""
    session = open_session(progress)
    require_git(session.context)
    form = session.project.settings.release.tag_format
    version = version_of(session.context.tag, form)
    planned = plan_tags(
        session.context, version=version, edge=edge_branch(session.project.settings)
    )
    return {
        "image": _image(session),
        "tags": list(planned.names),
        "version": version or None,
        "channel": planned.channel,
    }


def version(progress: Progress) -> Document:
    """``{"current", "next", "bump"}``; next and bump are null when no release is due."""
    session = open_session(progress)
    require_history(session.context)
    with open_clone(session) as clone:
        decision = clone.decide()
    return {
        "current": decision.current or None,
        "next": decision.upcoming or None,
        "bump": decision.bump or None,
    }


def build(progress: Progress, *, dry_run: bool) -> Document:
    """Build for this machine; the document of a build without digest, since nothing was pushed."""
    session = open_session(progress)
    target = session.target()
    if dry_run:
        return {"commands": [render_action(build_stage.build_command(target, push=False))]}
    pipeline.build_here(session, target)
    return {"image": target.image, "digest": None, "tags": [target.staging], "platforms": []}


def status(progress: Progress) -> list[Document]:
    """Stage, state, evidence and what to do next, as the remotes show them."""
    return [
        {
            "name": name,
            "state": finding.state.value,
            "evidence": finding.evidence,
            "next": following,
        }
        for name, finding, following in pipeline.release_status(open_session(progress))
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
