"""build: the image for every platform, with SBOM and provenance, pushed under its staging tag and no other."""

from __future__ import annotations

from dataclasses import replace

from shipway.image import SUBJECT, Entry, Index
from shipway.labels import REVISION
from shipway.model import Action, Asking, Command, Effect, Finding, State, Target, World
from shipway.registry import inspect, read_index

NAME = "build"
_HINTS = (
    (r"exec format error|\.buildkit_qemu_emulator",
     "a RUN of the Dockerfile runs on a foreign platform: do it in a stage `FROM --platform=$BUILDPLATFORM`, or set "
     "emulation up (`docker run --privileged --rm tonistiigi/binfmt --install all`)"),
    (r"Multi-platform build is not supported|no match for platform|does not provide the specified platform|"
     r"not supported for the docker driver",
     "the builder or the base image cannot do one of the platforms: see `docker buildx ls`; make another builder "
     "(`docker buildx create --use`), or set `platforms` in [tool.shipway.build]"),
    (r"failed to read dockerfile|Dockerfile: no such file",
     "write one, or say where it is: `dockerfile` in [tool.shipway.build]"),
    (r"(?i)unauthorized|denied|authentication required",
     "the registry refuses: log in with `docker login`; in Actions the job needs `packages: write`"),
)
_PICK = "{{{{range .Manifest.Manifests}}}}{{{{if {test}}}}}{{{{.Digest}}}}{{{{end}}}}{{{{end}}}}"


def due(_target: Target) -> str:
    """Every target has an image."""
    return ""


def observe(target: Target, world: World) -> Asking:
    """Ask what stands behind the staging tag: the digest is seen there, never carried from step to step."""
    reference = f"{target.image}:{target.staging}"
    (answer,) = yield (inspect(reference),)
    return replace(world, index=read_index(answer, reference))


def judge(target: Target, world: World) -> Finding:
    """An image with all platforms is reused, whoever built it: a second build would have another digest."""
    if world.index is None:
        return Finding(State.ABSENT, f"no image under {target.staging}")
    revision = world.index.annotations.get(REVISION, target.commit)
    if revision != target.commit:
        return Finding(State.CONFLICT, f"{target.staging} is an image of commit {revision}, not of {target.commit}")
    lacking = sorted(set(target.platforms) - set(world.index.platforms))
    if lacking:
        return Finding(State.ABSENT, f"{target.staging} lacks {', '.join(lacking)}")
    return Finding(State.SAME, f"{target.staging} is {world.index.digest}")


def plan(target: Target, _world: World) -> tuple[Action, ...]:
    """One ``docker buildx build`` for all platforms."""
    return (build_command(target),)


def settle(target: Target, world: World) -> World:
    """An index with an image and its attestations for each platform, under names that stand for their digests."""
    entries: list[Entry] = []
    for platform in target.platforms:
        name = stand_in(platform)
        entries += [Entry(digest=name, platform=platform), Entry(digest=f"{name}_ATTESTATION", subject=name)]
    return replace(world, index=Index(digest=stand_in("index"), entries=tuple(entries)))


def stand_in(name: str) -> str:
    """What a dry run writes in place of a digest that no registry has given yet."""
    return "sha256:" + name.upper().replace("/", "_")


def name_digests(target: Target) -> tuple[tuple[str, Command], ...]:
    """For the plan of a dry run: each stand-in's variable, with the command that prints its digest after the build."""
    reference = f"{target.image}:{target.staging}"
    rows = [("INDEX", inspect(reference, shape="{{.Manifest.Digest}}"))]
    for platform in target.platforms:
        system, machine = platform.split("/")[:2]
        variable = stand_in(platform).removeprefix("sha256:")
        rows.append((variable, inspect(reference, shape=_PICK.format(
            test=f'and (eq .Platform.OS "{system}") (eq .Platform.Architecture "{machine}")'))))
        rows.append((f"{variable}_ATTESTATION", inspect(reference, shape=_PICK.format(
            test=f'eq (index .Annotations "{SUBJECT}") "${{{variable}}}"'))))
    return tuple(rows)


def build_command(target: Target, *, push: bool = True) -> Command:
    """The build: pushed for every platform, or loaded into the local engine for its own platform alone."""
    reference = f"{target.image}:{target.staging}"
    argv = ["docker", "buildx", "build", "--progress=plain", "--file", target.dockerfile]
    argv += [f"--label={name}={value}" for name, value in sorted(target.labels.items())]
    if push:
        argv += [f"--platform={','.join(target.platforms)}", "--sbom=true", _provenance(target)]
        # GitHub's registry shows what the index is annotated with, not the labels of the images below it.
        argv += [f"--annotation=index:{name}={value}" for name, value in sorted(target.labels.items())]
        argv += [f"--output={','.join(_output(reference))}"]
    else:
        argv += [f"--tag={reference}", "--provenance=false", "--load"]
    return Command(
        name=NAME,
        why=f"build {', '.join(target.platforms)} and push them under {target.staging}" if push
        else "build for this machine's engine",
        argv=(*argv, *target.build, target.context),
        # buildx hands the variable to BuildKit, which dates every file of the image with it.
        env={"SOURCE_DATE_EPOCH": str(target.epoch)},
        secrets=target.build_secrets,
        effect=Effect.PUBLISH if push else Effect.LOCAL,
        folder=target.folder,
        live=True,
        hints=_HINTS,
    )


def _output(reference: str) -> tuple[str, ...]:
    # `push=`, empty, means true to BuildKit, which pushes by itself. Written out, buildx pushes a second time through
    # an engine with the `docker` driver, which has nothing to push: `rewrite-timestamp` forbids unpacking the image
    # there, hence `store=false`.
    return ("type=image", f"name={reference}", "push=", "store=false", "oci-mediatypes=true", "compression=zstd",
            "force-compression=true", "rewrite-timestamp=true")


def _provenance(target: Target) -> str:
    words = ["mode=max", "version=v1"]
    if target.builder:
        words.append(f"builder-id={target.builder}")
    return f"--provenance={','.join(words)}"
