"""Platforms can be built apart, each on a machine of its own kind, and merged afterwards.

Each build pushes under a staging tag of its own (`sha-a1b2c3d-linux-arm64`), where a rerun finds
it, and writes a digest file; the merge puts the digests of all files under one index.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec

from shipway.errors import ContextError, SettingsError
from shipway.model.target import Target
from shipway.run.session import Session
from shipway.settings.platforms import normalize_platform, parse_platforms
from shipway.target.caches import plan_cache
from shipway.target.parts import plan_part


class DigestFile(msgspec.Struct, frozen=True, kw_only=True):
    """Tells the machine that merges what one machine built."""

    image: str
    commit: str
    platforms: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    digest: str


def select_platforms(session: Session, target: Target, platforms: str) -> Target:
    """Give the target of a build of some platforms only, such as ``linux/arm64``.

    An empty text means all of them. Raises ``SettingsError`` where one has no such name, and
    ``ContextError`` where the image has none.
    """
    selected = _read_platforms(platforms)
    if not selected:
        if target.settings.build.strategy == "native":
            raise ContextError(
                'the platforms are built apart (`strategy = "native"`), so one has to be named',
                hint="run `build --push --platform … --digest-file …` on each runner, then `merge`",
            )
        return target
    foreign = [name for name in selected if name not in target.platforms]
    if foreign:
        unknown = ", ".join(foreign)
        names = ", ".join(target.platforms)
        raise ContextError(
            f"{unknown} is no platform of this image ({names})",
            hint="name one of these, or set `platforms` in [tool.shipway.build]",
        )
    cache = plan_cache(
        target.settings,
        session.context,
        session.environment,
        target.image,
        selected,
    )
    return plan_part(target, selected, cache)


def _read_platforms(platforms: str) -> tuple[str, ...]:
    words = [word.strip() for word in platforms.split(",")]
    try:
        return parse_platforms(filter(None, words))
    except ValueError as error:
        raise SettingsError(
            f"--platform: {error}",
            hint="name platforms of [tool.shipway.build], with a comma between them",
        ) from error


def write_digest_file(path: Path, target: Target, digest: str) -> None:
    """Write what was pushed."""
    part = DigestFile(
        image=target.image,
        commit=target.commit,
        platforms=target.platforms,
        digest=digest,
    )
    encoded = msgspec.json.encode(part)
    content = msgspec.json.format(encoded)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content + b"\n")


def merge_digest_files(target: Target, paths: Iterable[str]) -> Target:
    """Give the target of a merge of the digest files, which may be in folders.

    Raises ``ContextError`` where they do not fit the target, or each other.
    """
    parts: list[DigestFile] = []
    for file in _list_files(paths):
        part = _read_digest_file(file)
        _require_same(file, "image", part.image, target.image)
        _require_same(file, "commit", part.commit, target.commit)
        parts.append(part)
    built: list[str] = []
    for part in parts:
        built += map(normalize_platform, part.platforms)
    built.sort()
    if built != sorted(target.platforms):
        built_names = ", ".join(built) or "no platform"
        names = ", ".join(target.platforms)
        raise ContextError(
            f"the digest files have {built_names}, and the image has {names}",
            hint="give the file of each platform, once: `merge --digest-file FILE_OR_FOLDER …`",
        )
    ordered = _order_digests(parts, target.platforms)
    return replace(target, parts=ordered)


def _order_digests(parts: Iterable[DigestFile], platforms: Iterable[str]) -> tuple[str, ...]:
    """Give the digests of the parts in the order of the image's platforms."""
    digests: dict[str, str] = {}
    for part in parts:
        # A part may hold several platforms; it stands where its first one does.
        first = normalize_platform(part.platforms[0])
        digests[first] = part.digest
    return tuple(digests[platform] for platform in platforms if platform in digests)


def _list_files(paths: Iterable[str]) -> Iterable[Path]:
    for path in map(Path, paths):
        if path.is_dir():
            yield from sorted(path.rglob("*.json"))
        else:
            yield path


def _require_same(file: Path, name: str, actual: str, expected: str) -> None:
    if actual != expected:
        raise ContextError(
            f"{file} is of {name} {actual}, not of {expected}",
            hint="build every platform of this commit, and merge the files of that run",
        )


def _read_digest_file(file: Path) -> DigestFile:
    try:
        content = file.read_bytes()
        return msgspec.json.decode(content, type=DigestFile)
    except OSError as error:
        raise ContextError(
            f"{file} cannot be read: {error.strerror}",
            hint="name the file that the build wrote",
        ) from error
    except msgspec.MsgspecError as error:
        raise ContextError(
            f"{file} is no digest file: {error}",
            hint="name the file that the build wrote",
        ) from error
