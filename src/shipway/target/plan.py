"""This module plans the target: what should exist when the pipeline has run. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from shipway.model.release import Release
from shipway.model.target import Building, Cache, Signer, Target
from shipway.model.version import Version
from shipway.settings import GITHUB_ISSUER, BuildSettings, Project, Settings
from shipway.settings.extra_args import list_public_values
from shipway.settings.secret_marks import is_secret_value
from shipway.target.builders import builder_name
from shipway.target.caches import plan_cache
from shipway.target.context import Context
from shipway.target.labels import plan_labels
from shipway.target.tags import image_name, plan_release_tags, plan_tags


def plan_target(
    project: Project,
    context: Context,
    environment: Mapping[str, str],
    folder: str,
    release: Release | None = None,
) -> Target:
    """Plan the target of the context's branch or pull request, or of ``release`` when it is set."""
    settings = project.settings
    if release is None:
        tags = plan_tags(context, edge=edge_branch(settings))
        signer = plan_signer(settings, context, environment)
        version = None
    else:
        context = _release_context(settings, context, release)
        tags = plan_release_tags(
            release.commit,
            release.version,
            release.moving,
            plus=settings.tags.plus,
        )
        signer = plan_signer(settings, context, {})
        version = release.version
    image = image_name(settings.image, context)
    labels = plan_labels(project, context, version=version)
    build = plan_build(settings, context, environment, image)
    exposed = find_exposed(settings.build, labels, environment)
    return Target(
        settings=settings,
        image=image,
        commit=context.commit,
        branch=context.branch,
        channel=tags.channel,
        staging=tags.staging,
        tags=tags.public,
        platforms=tuple(settings.build.platforms),
        folder=folder,
        repository=context.repository,
        distribution=project.name,
        labels=labels,
        signer=signer,
        build=replace(build, exposed=exposed),
        release=release,
        docs_version=plan_docs_version(version) if version else None,
    )


def _release_context(settings: Settings, context: Context, release: Release) -> Context:
    """Give the context of a release: it belongs to its branch, also in a checkout of its tag."""
    branch = context.branch or settings.release.branches[0]
    return replace(
        context,
        commit=release.commit,
        branch=branch,
        ref=f"refs/heads/{branch}",
    )


def edge_branch(settings: Settings) -> str | None:
    """Give the branch whose head is tagged ``edge``, ``None`` when no branch is."""
    if not settings.tags.edge:
        return None
    return settings.release.branches[0]


def plan_docs_version(version: Version) -> str | None:
    """Give ``1.2`` for 1.2.3, since patches share a docs version; pre-releases publish none."""
    if not version.is_stable:
        return None
    return f"{version.major}.{version.minor}"


def plan_signer(settings: Settings, context: Context, environment: Mapping[str, str]) -> Signer:
    """Give the key, or the exact identity that a keyless signature of this run carries.

    A release is signed by the release workflow on its branch: derived from the repository, so that
    anybody can verify it. Other images in Actions carry the workflow that runs
    (``GITHUB_WORKFLOW_REF``).
    """
    sign = settings.sign
    file = f".github/workflows/{sign.workflow}"
    workflow = environment.get("GITHUB_WORKFLOW_REF")
    if not workflow:
        workflow = f"{context.repository}/{file}@{context.ref}"
    identity = f"{context.server}/{workflow}"
    # Only a workflow's certificate names a repository and a branch; people's do not.
    is_workflow = sign.issuer == GITHUB_ISSUER
    return Signer(
        key=sign.key,
        public_key=sign.public_key,
        identity=sign.identity or identity,
        issuer=sign.issuer,
        repository=context.repository if is_workflow else "",
        ref=context.ref if is_workflow else "",
        transparency_log=sign.transparency_log,
        trusted_root=sign.trusted_root,
    )


def find_exposed(
    build: BuildSettings, labels: Mapping[str, str], environment: Mapping[str, str]
) -> tuple[str, ...]:
    """Name the build arguments and labels that hold a secret, as it is known before the build."""
    names: list[str] = []
    for argument in list_public_values(build):
        if argument.is_secret(environment):
            names.append(argument.name)
    for name, text in labels.items():
        if is_secret_value(name, text):
            names.append(name)
    return tuple(names)


def plan_build(
    settings: Settings, context: Context, environment: Mapping[str, str], image: str
) -> Building:
    """Plan a build: its builder, its caches, the machine's certificates, and what dates it."""
    certificates = environment.get("SSL_CERT_FILE", "")
    if not PurePosixPath(certificates).is_absolute():
        certificates = ""
    platforms = tuple(settings.build.platforms)
    cache = plan_cache(
        settings,
        context,
        environment,
        image,
        platforms,
    )
    caches: dict[str, Cache] = {}
    for platform in platforms:
        caches[platform] = plan_cache(
            settings,
            context,
            environment,
            image,
            (platform,),
        )
    workflow_commit = ""
    if context.ci:
        workflow_commit = environment.get("GITHUB_SHA", "")
    return Building(
        builder=builder_name(settings.builder),
        cache=cache,
        caches=caches,
        certificates=certificates,
        run_url=context.run_url,
        workflow_commit=workflow_commit,
        epoch=context.epoch,
    )
