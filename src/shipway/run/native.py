"""Platforms that are built apart, each on a machine of its own kind, and merged afterwards.

Each build pushes under a staging tag of its own (`sha-a1b2c3d-linux-arm64`), where a rerun finds it, and writes a
digest file; the merge puts the digests of all files under one index.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import msgspec

from shipway.errors import ContextError
from shipway.model.target import Target
from shipway.run.session import Session
from shipway.target.caches import plan_cache


class DigestFile(msgspec.Struct, frozen=True, kw_only=True):
    """What one machine tells the one that merges."""

    image: str
    commit: str
    platforms: tuple[str, ...]
    digest: str


def apart(session: Session, target: Target, platforms: str) -> Target:
    """The target of a build of some platforms only, such as ``linux/arm64``; all of them when empty."""
    wanted = tuple(one.strip() for one in platforms.split(",") if one.strip())
    if not wanted:
        if target.build.strategy == "native":
            raise ContextError(
                'the platforms are built apart (`strategy = "native"`), so one has to be named',
                hint="run `build --push --platform … --digest-file …` on each runner, then `merge`",
            )
        return target
    strange = [one for one in wanted if one not in target.platforms]
    if strange:
        raise ContextError(
            f"{', '.join(strange)} is no platform of this image ({', '.join(target.platforms)})",
            hint="name one of these, or set `platforms` in [tool.shipway.build]",
        )
    cache = plan_cache(
        session.project.settings, session.context, session.environment, target.image, wanted
    )
    return replace(
        target,
        platforms=wanted,
        staging="-".join((target.staging, *wanted)).replace("/", "-"),
        tags=(),
        build=replace(target.build, cache=cache),
    )


def write_digest_file(path: Path, target: Target, digest: str) -> None:
    """Tell what was pushed."""
    found = DigestFile(
        image=target.image, commit=target.commit, platforms=target.platforms, digest=digest
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")


def merged(target: Target, paths: Iterable[str]) -> Target:
    """The target of a merge of the digest files, which may be in folders; raises ``ContextError``."""
    given = [Path(path) for path in paths]
    files = [
        file
        for path in given
        for file in (sorted(path.rglob("*.json")) if path.is_dir() else [path])
    ]
    found = [(file, _read(file)) for file in files]
    for file, one in found:
        for name, value, expected in (
            ("image", one.image, target.image),
            ("commit", one.commit, target.commit),
        ):
            if value != expected:
                raise ContextError(
                    f"{file} is of {name} {value}, not of {expected}",
                    hint="build every platform of this commit, and merge the files of that run",
                )
    built = sorted(platform for _, one in found for platform in one.platforms)
    if built != sorted(target.platforms):
        raise ContextError(
            f"the digest files have {', '.join(built) or 'no platform'}, "
            f"and the image has {', '.join(target.platforms)}",
            hint="give the file of each platform, once: `merge --digest-file FILE_OR_FOLDER …`",
        )
    ordered = sorted(found, key=lambda pair: target.platforms.index(pair[1].platforms[0]))
    return replace(target, parts=tuple(one.digest for _, one in ordered))


def _read(file: Path) -> DigestFile:
    try:
        return msgspec.json.decode(file.read_bytes(), type=DigestFile)
    except OSError as error:
        raise ContextError(
            f"{file} cannot be read: {error.strerror}", hint="name the file that the build wrote"
        ) from error
    except msgspec.MsgspecError as error:
        raise ContextError(
            f"{file} is no digest file: {error}", hint="name the file that the build wrote"
        ) from error
