"""The documents that tasks print are the contract with programs; this module builds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from shipway.model.actions import Json
from shipway.model.version import Version
from shipway.run.fresh_clone import open_clone
from shipway.run.local_builds import prepare_builder
from shipway.run.preview import render_action
from shipway.run.result import Outcome, Result
from shipway.run.session import Progress, Session, open_session
from shipway.run.status import StageStatus, read_status
from shipway.run.whole_tree import require_whole
from shipway.stages.build.commands import build_here
from shipway.target.plan import edge_branch
from shipway.target.preconditions import require_git, require_history, require_release_branch
from shipway.target.releases import version_of
from shipway.target.tags import image_name, plan_release_tags, plan_tags

Document = dict[str, Any]
"""Holds a JSON document; Any, since it is only printed."""
_OUTPUTS = ("released", "version", "tag", "digest", "image")


def context_document(progress: Progress) -> Document:
    """Give everything that is known about what is being built."""
    session = open_session(progress)
    document = asdict(session.context)
    document["image"] = None
    settings = session.project.settings
    if settings.image or session.context.repository:
        document["image"] = _image(session)
    return document


def _image(session: Session) -> str:
    settings = session.project.settings
    return image_name(settings.image, session.context)


def tags_document(progress: Progress) -> Document:
    """Give ``{"image", "tags", "version", "channel"}``.

    The version is that of the release tag that is built, null where no such tag is.
    """
    session = open_session(progress)
    context = session.context
    settings = session.project.settings
    require_git(context)
    version = version_of(context.tag, settings.release.tag_format)
    if version:
        tags = plan_release_tags(context.commit, version, plus=settings.tags.plus)
    else:
        tags = plan_tags(context, edge=edge_branch(settings))
    return {
        "image": _image(session),
        "tags": list(tags.names),
        "version": _render_version(version),
        "channel": tags.channel,
    }


def version_document(progress: Progress) -> Document:
    """Give ``{"current", "next", "bump"}``; next and bump are null when no release is due."""
    session = open_session(progress)
    require_history(session.context)
    settings = session.project.settings
    require_release_branch(session.context, settings.release)
    with open_clone(session) as clone:
        decision = clone.read_decision()
    return {
        "current": _render_version(decision.current),
        "next": _render_version(decision.upcoming),
        "bump": decision.bump,
    }


def _render_version(version: Version | None) -> str | None:
    if version is None:
        return None
    return str(version)


def local_build_document(progress: Progress, *, dry_run: bool) -> Document:
    """Build for this machine; the document has no digest, since nothing was pushed."""
    session = open_session(progress)
    target = session.target()
    require_whole(session.executor, session.folder)
    commands = [build_here(target)]
    # The builder in use needs no question: nothing is made of it.
    if target.build.builder:
        creation, _ = prepare_builder(target, session.executor)
        commands = [*creation, *commands]
    if dry_run:
        lines = [render_action(command) for command in commands]
        return {"commands": lines}
    for command in commands:
        session.executor(command)
    return {
        "image": target.image,
        "digest": None,
        "tags": [target.staging],
        "platforms": [],
    }


def status_rows(progress: Progress) -> list[Document]:
    """Give a row for each stage: its name, state, evidence and what to do next."""
    session = open_session(progress)
    return [_describe_status(status) for status in read_status(session)]


def _describe_status(status: StageStatus) -> Document:
    return {
        "name": status.name,
        "state": status.finding.state.value,
        "evidence": status.finding.evidence,
        "next": status.advice,
    }


def result_document(result: Result) -> Document:
    """Give what `build`, `sign`, … and `release` print with ``--json``."""
    target = result.target
    world = result.world
    release = target.release if target else None
    stages = [_describe_outcome(outcome) for outcome in result.stages]
    return {
        "released": result.released,
        "version": str(release.version) if release else None,
        "tag": release.tag if release else None,
        "image": target.image if target else None,
        "digest": result.digest or None,
        "tags": [*target.tags, target.staging] if target else [],
        "platforms": list(world.index.platforms) if world.index else [],
        "packages": _count_packages(result),
        "revision": target.commit if target else None,
        "docs": target.docs_version if target else None,
        "release": world.release.page if world.release else None,
        "stages": stages,
    }


def _count_packages(result: Result) -> dict[str, int]:
    """Count the packages in the SBOM of each platform."""
    contents = result.world.contents
    counts: dict[str, int] = {}
    if contents is not None:
        for platform in contents.platforms:
            packages = contents.packages(platform)
            counts[platform] = len(packages)
    return counts


def _describe_outcome(outcome: Outcome) -> Document:
    return {
        "name": outcome.name,
        "outcome": outcome.outcome,
        "reason": outcome.reason,
        "seconds": round(outcome.seconds, 2),
    }


def write_outputs(environment: Mapping[str, str], result: Result) -> None:
    """Append what came of a release to ``GITHUB_OUTPUT``, whatever that is."""
    path = environment.get("GITHUB_OUTPUT")
    if not path:
        return
    document = result_document(result)
    with open(path, "a", encoding="utf-8") as file:
        for name in _OUTPUTS:
            value = _render_output(document[name])
            file.write(f"{name}={value}\n")


def _render_output(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value or "")
    return text.replace("\n", " ")
