"""Context and settings → target: what should exist when the pipeline has run. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from shipway.model.release import Release
from shipway.model.target import Building, Signing, Target
from shipway.settings import GITHUB_ISSUER, Project, Settings
from shipway.target.builders import builder_commands, builder_name
from shipway.target.caches import GHA_NEEDS, plan_cache
from shipway.target.context import Context
from shipway.target.labels import plan_labels
from shipway.target.tags import LATEST, image_name, plan_tags

CERTIFICATES = "ca-certificates"
"""Id of the build secret that carries the machine's certificate authorities, where it has its own."""


def plan_target(
    project: Project,
    context: Context,
    environment: Mapping[str, str],
    folder: str,
    release: Release | None = None,
) -> Target:
    """The target of the context's branch or pull request, or of ``release`` when one is given."""
    settings = project.settings
    if release is not None:
        # A release belongs to its branch, also where it is looked at from a checkout of its tag.
        branch = context.branch or settings.release.branches[0]
        context = replace(context, commit=release.commit, branch=branch, ref=f"refs/heads/{branch}")
    version = release.version if release else ""
    tags = plan_tags(
        context,
        version=version,
        moving=release.moving if release else (),
        edge=edge_branch(settings),
    )
    image = image_name(settings.image, context)
    return Target(
        image=image,
        commit=context.commit,
        branch=context.branch,
        channel=tags.channel,
        staging=tags.staging,
        tags=tuple(name for name in tags.names if name != tags.staging),
        platforms=tuple(settings.build.platforms),
        folder=folder,
        remote=settings.remote,
        version=version,
        tag=release.tag if release else "",
        notes=release.notes if release else "",
        previous=release.previous if release else "",
        latest=bool(release and LATEST in release.moving),
        withdrawn=release.withdrawn if release else (),
        repository=context.repository,
        signing=plan_signing(settings, context, {} if release else environment),
        build=plan_build(settings, context, environment, image),
        labels=plan_labels(project, context, version=version),
        builder=context.run_url,
        licenses=tuple(settings.policy.licenses),
        docs=docs_version(version),
        docs_branch=settings.docs.branch,
        docs_config=settings.docs.config,
    )


def edge_branch(settings: Settings) -> str:
    """The branch whose head is tagged ``edge``, empty when none is."""
    return settings.release.branches[0] if settings.tags.edge else ""


def docs_version(version: str) -> str:
    """``1.2`` for 1.2.3: patches share one docs version. Pre-releases publish none."""
    return "" if "-" in version else ".".join(version.split(".")[:2])


def plan_signing(settings: Settings, context: Context, environment: Mapping[str, str]) -> Signing:
    """The key, or the exact identity that a keyless signature of this run carries.

    A release is signed by the release workflow on its branch: derived from the repository, so that anybody can verify
    it. Other images in Actions carry the workflow that runs (``GITHUB_WORKFLOW_REF``).
    """
    sign = settings.sign
    running = environment.get("GITHUB_WORKFLOW_REF", "")
    path = f"{context.repository}/.github/workflows/{sign.workflow}@{context.ref}"
    # Only a workflow's certificate names a repository and a branch; people's do not.
    workflow = sign.issuer == GITHUB_ISSUER
    return Signing(
        key=sign.key,
        public_key=sign.public_key,
        identity=sign.identity or f"{context.server}/{running or path}",
        issuer=sign.issuer,
        repository=context.repository if workflow else "",
        ref=context.ref if workflow else "",
        attest=sign.attest,
        browser=sign.browser,
        transparency_log=sign.transparency_log,
        config=sign.signing_config,
        trusted_root=sign.trusted_root,
    )


def plan_build(
    settings: Settings, context: Context, environment: Mapping[str, str], image: str
) -> Building:
    """How the image is built: by the settings, with the machine's own certificates."""
    build = settings.build
    argv = [f"--build-arg={name}={value}" for name, value in sorted(build.args.items())]
    argv += [f"--secret={secret}" for secret in build.secrets]
    authorities = environment.get("SSL_CERT_FILE", "")
    if authorities and PurePosixPath(authorities).is_absolute():
        argv.append(f"--secret=id={CERTIFICATES},src={authorities}")
    argv += [f"--ssh={agent}" for agent in build.ssh]
    argv += [f"--target={build.target}"] if build.target else []
    return Building(
        args=(*argv, *build.extra_args),
        secrets=tuple(secret_names(settings)),
        dockerfile=build.dockerfile,
        context=build.context,
        strategy=build.strategy,
        sbom=build.sbom_generator,
        epoch=context.epoch,
        cache=plan_cache(settings, context, environment, image, tuple(build.platforms)),
        node=builder_name(settings.builder),
        node_commands=builder_commands(settings.builder),
        allow_foreign=tuple(build.allow_foreign),
        started=environment.get("GITHUB_SHA", "") if context.ci else "",
    )


def secret_names(settings: Settings) -> list[str]:
    """Variables that the build secrets are read from (``id=pip,env=PIP_TOKEN`` gives ``PIP_TOKEN``)."""
    words = (word for secret in settings.build.secrets for word in secret.split(","))
    names = [word.removeprefix("env=") for word in words if word.startswith("env=")]
    return (
        [*names, *GHA_NEEDS, "ACTIONS_CACHE_SERVICE_V2"] if settings.cache.type == "gha" else names
    )
