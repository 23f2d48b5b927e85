"""This module writes the command lines of ``docker buildx build``, and reads its progress. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from shipway.errors import SettingsError
from shipway.image.labels import WORKFLOW_COMMIT
from shipway.model.actions import Answer, Command, Effect, Fallback
from shipway.model.target import Target
from shipway.tools.buildx import HINTS
from shipway.tools.fetch_failures import NO_NETWORK
from shipway.tools.oci_artifacts import choose_form

CERTIFICATES = "ca-certificates"
"""Names the build secret that carries the machine's own certificate authorities."""
_CACHE_FAILED = (
    r"failed to solve: (?:failed to compute cache key: )?(?:failed to copy: |short read: expected |"
    r"failed commit on ref \"layer-|failed to reserve cache|Post \S*CacheService|"
    r".*blob sha256:[0-9a-f]{64}:? not found)"
)
"""Matches what BuildKit 0.13 to 0.25 say when a cache breaks in the midst of a build; a blob can be
gone a minute after it was listed (docker/buildx#3374).
"""
_NETWORK_PAUSE = 15.0
"""Says for how many seconds a network is waited for before the build is made once more."""
_STEP = re.compile(r"^(#\d+) \[(?!internal\])[^\]]*\d+/\d+\] (?!FROM )", re.MULTILINE)
_CACHED_STEP = re.compile(r"^(#\d+) CACHED$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Build:
    """Holds in what one ``docker buildx build`` differs from the others.

    ``flags`` say what is built and where it goes, ``caches`` are its cache flags, and ``secrets``
    name the environment variables that it may see.
    """

    name: str
    why: str
    flags: tuple[str, ...]
    secrets: tuple[str, ...]
    caches: tuple[str, ...] = ()
    effect: Effect = Effect.LOCAL


def build_and_push(name: str, target: Target, secrets: tuple[str, ...]) -> Command:
    """Build every platform, and push the index with its attestations under the staging tag."""
    platform_list = ",".join(target.platforms)
    flags = [
        f"--platform={platform_list}",
        _sbom(target),
        _provenance(target),
    ]
    for annotation in index_annotations(target):
        flags.append(f"--annotation={annotation}")
    output = _output(f"{target.image}:{target.staging}")
    flags.append(f"--output={output}")
    caches = _cache_sources(target)
    for destination in target.build.cache.writes:
        caches.append(f"--cache-to={destination}")
    platforms = ", ".join(target.platforms)
    build = _Build(
        name=name,
        why=f"build {platforms} and push them under {target.staging}",
        flags=tuple(flags),
        secrets=secrets,
        caches=tuple(caches),
        effect=Effect.PUBLISH,
    )
    command = _render(build, target)
    return choose_form(command, target.settings.build.oci_artifact)


def build_and_load(name: str, target: Target, secrets: tuple[str, ...]) -> Command:
    """Build for the local engine's own platform alone, and load the image into that engine."""
    flags = (
        f"--tag={target.image}:{target.staging}",
        "--provenance=false",
        "--load",
    )
    build = _Build(
        name=name,
        why="build for this machine's engine",
        flags=flags,
        secrets=secrets,
        caches=tuple(_cache_sources(target)),
    )
    return _render(build, target)


def build_into_folder(name: str, target: Target, secrets: tuple[str, ...], folder: str) -> Command:
    """Build the images alone, without a cache, into an OCI image layout in ``folder``."""
    platforms = ",".join(target.platforms)
    flags = (
        f"--platform={platforms}",
        "--no-cache",
        "--provenance=false",
        f"--output=type=oci,dest={folder},tar=false,rewrite-timestamp=true",
    )
    build = _Build(
        name=name,
        why="build without cache",
        flags=flags,
        secrets=secrets,
    )
    return _render(build, target)


def build_stand_in(image: str, reference: str, context: Path, platforms: Sequence[str]) -> Command:
    """Build an image that stands in for ``image`` of Docker Hub, and push it as ``reference``.

    It is built for ``platforms``, or for the engine's own where they are none.
    """
    argv = [
        "docker",
        "buildx",
        "build",
        "--progress=plain",
        "--provenance=false",
    ]
    if platforms:
        names = ",".join(platforms)
        argv.append(f"--platform={names}")
    argv.append(f"--output=type=image,name={reference},push=true")
    return Command(
        name="engine",
        why=f"make {image}",
        argv=(*argv, str(context)),
        effect=Effect.LOCAL,
    )


def _render(build: _Build, target: Target) -> Command:
    """Write the command of a build, with the flags that all builds have in common.

    Raises ``SettingsError`` where a secret would be among them.
    """
    _require_no_secret(target)
    settings = target.settings.build
    argv = ["docker", "buildx", "build", "--progress=plain", "--file", settings.dockerfile]
    if target.build.builder:
        argv.append(f"--builder={target.build.builder}")
    for name, text in sorted(target.labels.items()):
        argv.append(f"--label={name}={text}")
    argv += build.flags
    rest = (*_recipe(target), settings.context)
    plain = (*argv, *rest)
    full = (*argv, *build.caches, *rest)
    return Command(
        name=build.name,
        why=build.why,
        argv=full,
        fallbacks=_fallbacks(plain, full),
        remark=describe_cache_use,
        # buildx hands the variable to BuildKit, which dates every file of the image with it.
        env={"SOURCE_DATE_EPOCH": str(target.build.epoch)},
        secrets=build.secrets,
        effect=build.effect,
        permanent=build.effect is Effect.PUBLISH,
        folder=target.folder,
        live=True,
        hints=HINTS,
    )


def _require_no_secret(target: Target) -> None:
    """Raise ``SettingsError`` where everybody could read a secret in the image."""
    exposed = target.build.exposed
    if exposed:
        names = ", ".join(exposed)
        raise SettingsError(
            f"arguments and labels of an image are public, and these hold a secret: {names}",
            hint="give it to the step that needs it: `secrets` in [tool.shipway.build], such as "
            "`id=index,env=PIP_INDEX_URL`, and `RUN --mount=type=secret,id=index`",
        )


def _fallbacks(plain: tuple[str, ...], full: tuple[str, ...]) -> tuple[Fallback, ...]:
    """Retry a build where the network failed, and without caches (``plain``) where one broke."""
    once_more = Fallback(
        NO_NETWORK,
        "a fetch found no network",
        full,
        pause=_NETWORK_PAUSE,
    )
    if plain == full:
        return (once_more,)
    return (Fallback(_CACHE_FAILED, "a cache broke", plain), once_more)


def _cache_sources(target: Target) -> list[str]:
    return [f"--cache-from={source}" for source in target.build.cache.reads]


def _recipe(target: Target) -> Iterator[str]:
    """Give the flags that the settings ask for, and the machine's own certificates."""
    settings = target.settings.build
    for name, text in sorted(settings.args.items()):
        yield f"--build-arg={name}={text}"
    for secret in settings.secrets:
        yield f"--secret={secret}"
    certificates = target.build.certificates
    if certificates:
        yield f"--secret=id={CERTIFICATES},src={certificates}"
    for agent in settings.ssh:
        yield f"--ssh={agent}"
    if settings.target:
        yield f"--target={settings.target}"
    yield from settings.extra_args


def index_annotations(target: Target) -> list[str]:
    """Give the values of ``--annotation`` for the index."""
    texts = plan_annotations(target)
    annotations: list[str] = []
    for name in sorted(texts):
        text = texts[name]
        annotation = f"index:{name}={text}"
        annotations.append(annotation)
    return annotations


def plan_annotations(target: Target) -> dict[str, str]:
    """Plan what the index is annotated with.

    GitHub's registry shows what the index says, not the labels of the images below it.
    """
    annotations = dict(target.labels)
    workflow_commit = target.build.workflow_commit
    if workflow_commit:
        annotations[WORKFLOW_COMMIT] = workflow_commit
    return annotations


def _sbom(target: Target) -> str:
    generator = target.settings.build.sbom_generator
    if generator:
        return f"--attest=type=sbom,generator={generator}"
    return "--sbom=true"


def _output(reference: str) -> str:
    # `push=`, empty, means true to BuildKit, which pushes by itself. Written out, buildx pushes a
    # second time through an engine with the `docker` driver, which has nothing to push:
    # `rewrite-timestamp` forbids unpacking the image there, hence `store=false`.
    words = (
        "type=image",
        f"name={reference}",
        "push=",
        "store=false",
        "oci-mediatypes=true",
        "compression=zstd",
        "force-compression=true",
        "rewrite-timestamp=true",
    )
    return ",".join(words)


def _provenance(target: Target) -> str:
    flag = "--provenance=mode=max,version=v1"
    if target.build.run_url:
        flag += f",builder-id={target.build.run_url}"
    return flag


def describe_cache_use(answer: Answer) -> str:
    """Say how many of the Dockerfile's steps came from a cache, by buildx's plain progress.

    It can be one more: a step whose download begins in the same moment is not said to be cached.
    A step is announced as ``#7 [linux/arm64 deps 2/4] RUN …``; one that was not run says
    ``#7 CACHED``.
    """
    steps = set(_STEP.findall(answer.err))
    if not steps:
        return "no steps were run"
    cached_steps = _CACHED_STEP.findall(answer.err)
    cached = len(steps.intersection(cached_steps))
    total = len(steps)
    return f"{cached} of {total} steps came from the cache"
