"""build: the image for every platform, with SBOM and provenance, pushed under its staging tag and no other."""

from __future__ import annotations

import re
from dataclasses import replace

from shipway.errors import ContextError, ToolMissing
from shipway.image.index import SUBJECT, Entry, Index
from shipway.image.labels import REVISION, WORKFLOW_COMMIT
from shipway.model.actions import Action, Answer, Command, Effect
from shipway.model.stage import Asking, Finding, State
from shipway.model.target import Cache, Target
from shipway.model.world import World
from shipway.stages import sign
from shipway.tools.buildx import read_platforms
from shipway.tools.imagetools import PASSING, inspect, read_index

NAME = "build"
_HINTS = (
    (
        r"exec format error|\.buildkit_qemu_emulator",
        "a RUN of the Dockerfile runs on a foreign platform: do it in a stage `FROM --platform=$BUILDPLATFORM`, or set "
        "emulation up (`docker run --privileged --rm tonistiigi/binfmt --install all`)",
    ),
    (
        r"Multi-platform build is not supported|no match for platform|does not provide the specified platform|"
        r"not supported for the docker driver",
        "the builder or the base image cannot do one of the platforms: see `docker buildx ls`; make another builder "
        "(`docker buildx create --use`), or set `platforms` in [tool.shipway.build]",
    ),
    (
        r"failed to read dockerfile|Dockerfile: no such file",
        "write one, or say where it is: `dockerfile` in [tool.shipway.build]",
    ),
    (
        r"(?i)unauthorized|denied|authentication required",
        "the registry refuses: log in with `docker login`; in Actions the job needs `packages: write`",
    ),
)
_CACHE_FAILED = (
    r"failed to solve: (?:failed to compute cache key: )?(?:failed to copy: |short read: expected |"
    r"failed commit on ref \"layer-|failed to reserve cache|Post \S*CacheService|"
    r".*blob sha256:[0-9a-f]{64}:? not found)"
)
"""What BuildKit 0.13 to 0.25 say when a cache breaks in the midst of a build; a blob can be gone a minute after it was
listed (docker/buildx#3374)."""
_DIGEST = '{{printf "%s" .Manifest.Digest}}'
"""buildx takes a template that starts with `.Manifest` for a wish to see the whole table (docker/buildx#1175)."""
_PICK = "{{{{range .Manifest.Manifests}}}}{{{{if {test}}}}}{{{{.Digest}}}}{{{{end}}}}{{{{end}}}}"


def skip_reason(_target: Target) -> str:
    """Every target has an image."""
    return ""


def observe(target: Target, world: World) -> Asking:
    """Ask what stands behind the staging tag: the digest is seen there, never carried from step to step.

    What the version's tag has is the image, whatever is staged: a second run may have staged another one meanwhile. It
    has to be signed then, as every image was before it took the tag.
    """
    references = tuple(
        f"{target.image}:{tag}"
        for tag in (target.staging, *target.tags[: 1 if target.version else 0])
    )
    answers = yield tuple(inspect(reference) for reference in references)
    staged, *released = (
        read_index(answer, name) for answer, name in zip(answers, references, strict=True)
    )
    ours = next(
        (one for one in released if one and one.annotations.get(REVISION) == target.commit), None
    )
    world = replace(
        world,
        index=ours or staged,
        staging_moved=bool(ours and ours.digest != (staged and staged.digest)),
    )
    if world.staging_moved:
        return (yield from sign.observe(target, world))
    if judge(target, world).state is not State.ABSENT or target.parts:
        return world
    if target.build.node or target.build.strategy == "emulated":
        (answer,) = yield (_ask_builder(target.build.node),)
        found = {target.build.node: read_platforms(answer)} if answer.code == 0 else {}
        world = replace(world, nodes=found)
    return world


def judge(target: Target, world: World) -> Finding:
    """An image with all platforms is reused, whoever built it: a second build would have another digest."""
    if world.index is None:
        return Finding(State.ABSENT, f"no image under {target.staging}")
    revision = world.index.annotations.get(REVISION, target.commit)
    if revision != target.commit:
        return Finding(
            State.CONFLICT,
            f"{target.staging} is an image of commit {revision}, not of {target.commit}",
        )
    lacking = sorted(set(target.platforms) - set(world.index.platforms))
    if lacking:
        return Finding(State.ABSENT, f"{target.staging} lacks {', '.join(lacking)}")
    if world.staging_moved and not world.signed.issuperset(world.index.leaves_first):
        return Finding(
            State.CONFLICT, f"{target.tags[0]} is already {world.index.digest}, which nobody signed"
        )
    if world.staging_moved:
        return Finding(State.ABSENT, f"{target.staging} is not at the image of {target.tags[0]}")
    return Finding(State.SAME, f"{target.staging} is {world.index.digest}")


def plan(target: Target, world: World) -> tuple[Action, ...]:
    """One ``docker buildx build`` for all platforms, on a builder that is made when it is missing.

    Raises ``ShipwayError`` where it is clear before that the build would fail, or be slow without a word.
    """
    if world.staging_moved and world.index:
        return (_stage_command(target, world.index.digest),)
    if target.parts:
        return (merge_command(target),)
    if target.build.cache.lacks:
        raise ContextError(
            f"the cache of GitHub Actions needs {' and '.join(target.build.cache.lacks)}, and buildx would do without "
            "it and say nothing",
            hint="GitHub gives them to actions only: export them with an inline "
            "`actions/github-script` step (docs/docker.md shows it), or set another `type` in [tool.shipway.cache]",
        )
    made = () if target.build.node in world.nodes else target.build.node_commands
    if target.build.strategy == "emulated" and not made:
        known = world.nodes.get(target.build.node, ())
        lacking = [one for one in target.platforms if one not in known]
        if lacking:
            raise ToolMissing(
                f"no emulation of {', '.join(lacking)} is registered for the builder",
                hint="run `docker run --privileged --rm tonistiigi/binfmt --install all` (in Actions: "
                "`docker/setup-qemu-action`), or cross-build: `strategy` in [tool.shipway.build]",
            )
    return (*(_node_command(target, argv) for argv in made), build_command(target))


def simulate(target: Target, world: World) -> World:
    """An index with an image and its attestations for each platform, under names that stand for their digests."""
    if world.staging_moved:
        return replace(world, staging_moved=False)
    entries: list[Entry] = []
    nodes = {**world.nodes, target.build.node: target.platforms}
    for platform in target.platforms:
        name = stand_in(platform)
        entries += [
            Entry(digest=name, platform=platform),
            Entry(digest=f"{name}_ATTESTATION", subject=name),
        ]
    return replace(
        world, nodes=nodes, index=Index(digest=stand_in("index"), entries=tuple(entries))
    )


def stand_in(name: str) -> str:
    """What a dry run writes in place of a digest that no registry has given yet."""
    return "sha256:" + name.upper().replace("/", "_")


def name_digests(target: Target) -> tuple[tuple[str, Command], ...]:
    """For the plan of a dry run: each stand-in's variable, with the command that prints its digest after the build."""
    reference = f"{target.image}:{target.staging}"
    rows = [("INDEX", inspect(reference, shape=_DIGEST))]
    for platform in target.platforms:
        system, machine = platform.split("/")[:2]
        variable = stand_in(platform).removeprefix("sha256:")
        rows.append(
            (
                variable,
                inspect(
                    reference,
                    shape=_PICK.format(
                        test=f'and (eq .Platform.OS "{system}") (eq .Platform.Architecture "{machine}")'
                    ),
                ),
            )
        )
        rows.append(
            (
                f"{variable}_ATTESTATION",
                inspect(
                    reference,
                    shape=_PICK.format(
                        test=f'eq (index .Annotations "{SUBJECT}") "${{{variable}}}"'
                    ),
                ),
            )
        )
    return tuple(rows)


def build_command(target: Target, *, push: bool = True) -> Command:
    """The build: pushed for every platform, or loaded into the local engine for its own platform alone."""
    reference = f"{target.image}:{target.staging}"
    argv = ["docker", "buildx", "build", "--progress=plain", "--file", target.build.dockerfile]
    argv += [f"--builder={target.build.node}"] if target.build.node else []
    argv += [f"--label={name}={value}" for name, value in sorted(target.labels.items())]
    if push:
        argv += [f"--platform={','.join(target.platforms)}", _sbom(target), _provenance(target)]
        argv += _annotations(target)
        argv += [f"--output={','.join(_output(reference))}"]
    else:
        argv += [f"--tag={reference}", "--provenance=false", "--load"]
    caches = [f"--cache-from={cache}" for cache in target.build.cache.reads]
    caches += [f"--cache-to={cache}" for cache in target.build.cache.writes if push]
    rest = (*target.build.args, target.build.context)
    return Command(
        name=NAME,
        why=f"build {', '.join(target.platforms)} and push them under {target.staging}"
        if push
        else "build for this machine's engine",
        argv=(*argv, *caches, *rest),
        otherwise=(_CACHE_FAILED, (*argv, *rest)) if caches else None,
        remark=read_cached,
        # buildx hands the variable to BuildKit, which dates every file of the image with it.
        env={"SOURCE_DATE_EPOCH": str(target.build.epoch)},
        secrets=target.build.secrets,
        effect=Effect.PUBLISH if push else Effect.LOCAL,
        folder=target.folder,
        live=True,
        hints=_HINTS,
    )


def layout_command(target: Target, folder: str) -> Command:
    """A build without cache into an OCI image layout, of the images alone."""
    command = build_command(replace(target, build=replace(target.build, cache=Cache())))
    words = [
        word
        for word in command.argv[:-1]
        if not word.startswith(
            ("--output=", "--sbom=", "--attest=", "--provenance=", "--annotation=")
        )
    ]
    output = f"--output=type=oci,dest={folder},tar=false,rewrite-timestamp=true"
    return replace(
        command,
        why="build without cache",
        effect=Effect.LOCAL,
        argv=(*words, "--no-cache", "--provenance=false", output, command.argv[-1]),
    )


def merge_command(target: Target) -> Command:
    """One index over images that were built for one platform each; their attestations come along."""
    argv = ("docker", "buildx", "imagetools", "create", "--tag", f"{target.image}:{target.staging}")
    return Command(
        name=NAME,
        why=f"merge {len(target.parts)} images under {target.staging}",
        effect=Effect.PUBLISH,
        argv=(
            *argv,
            *_annotations(target),
            *(f"{target.image}@{digest}" for digest in target.parts),
        ),
        hints=_HINTS,
        again=PASSING,
    )


def _stage_command(target: Target, digest: str) -> Command:
    return Command(
        name=NAME,
        why=f"stage the image of {target.tags[0]} again",
        effect=Effect.PUBLISH,
        hints=_HINTS,
        again=PASSING,
        argv=(
            "docker",
            "buildx",
            "imagetools",
            "create",
            "--tag",
            f"{target.image}:{target.staging}",
            f"{target.image}@{digest}",
        ),
    )


def read_cached(answer: Answer) -> str:
    """How many of the Dockerfile's steps came from a cache, from the progress that buildx prints (`--progress=plain`).

    It can be one more: a step whose download begins in the same moment is not said to be cached. A step is announced as
    ``#7 [linux/arm64 deps 2/4] RUN …``; one that was not run says ``#7 CACHED``.
    """
    steps = set(
        re.findall(r"^(#\d+) \[(?!internal\])[^\]]*\d+/\d+\] (?!FROM )", answer.err, re.MULTILINE)
    )
    cached = steps.intersection(re.findall(r"^(#\d+) CACHED$", answer.err, re.MULTILINE))
    return (
        f"{len(cached)} of {len(steps)} steps came from the cache" if steps else "no steps were run"
    )


def _ask_builder(name: str) -> Command:
    argv = ("docker", "buildx", "inspect", *((name,) if name else ()))
    return Command(
        name=NAME, why="ask what the builder can do", argv=argv, effect=Effect.READ, expected=(0, 1)
    )


def _node_command(target: Target, argv: tuple[str, ...]) -> Command:
    return Command(
        name=NAME,
        why=f"make the builder {target.build.node}",
        argv=argv,
        effect=Effect.LOCAL,
        hints=_HINTS,
    )


def _annotations(target: Target) -> list[str]:
    # GitHub's registry shows what the index is annotated with, not the labels of the images below it.
    notes = {**target.labels} | (
        {WORKFLOW_COMMIT: target.build.started} if target.build.started else {}
    )
    return [f"--annotation=index:{name}={value}" for name, value in sorted(notes.items())]


def _sbom(target: Target) -> str:
    return (
        f"--attest=type=sbom,generator={target.build.sbom}" if target.build.sbom else "--sbom=true"
    )


def _output(reference: str) -> tuple[str, ...]:
    # `push=`, empty, means true to BuildKit, which pushes by itself. Written out, buildx pushes a second time through
    # an engine with the `docker` driver, which has nothing to push: `rewrite-timestamp` forbids unpacking the image
    # there, hence `store=false`.
    return (
        "type=image",
        f"name={reference}",
        "push=",
        "store=false",
        "oci-mediatypes=true",
        "compression=zstd",
        "force-compression=true",
        "rewrite-timestamp=true",
    )


def _provenance(target: Target) -> str:
    words = ["mode=max", "version=v1"]
    if target.builder:
        words.append(f"builder-id={target.builder}")
    return f"--provenance={','.join(words)}"
