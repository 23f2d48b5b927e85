"""Does the same commit give the same image? Two builds without cache, compared platform by platform, file by file.

Only images are compared: a provenance holds the time of its build and never reproduces.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import IO, Any, cast

from shipway.effects.read_image import plain
from shipway.errors import CheckFailed
from shipway.image.index import Platform, platform_name
from shipway.model.actions import Command
from shipway.model.target import Target
from shipway.run.native import apart
from shipway.run.preview import render_action
from shipway.run.session import open_session
from shipway.stages.build import layout_command
from shipway.target.context import require_clean

Node = dict[str, Any]  # Any: the values of a JSON document


def check(progress: Callable[[str], None], *, platform: str, dry_run: bool) -> Node:
    """``{"reproducible": true, "platforms": {name: digest}}``; raises ``CheckFailed`` and names what differs first."""
    session = open_session(progress)
    require_clean(session.context)
    target = replace(session.target(), parts=())
    if platform or target.build.strategy != "native":
        target = apart(session, target, platform)
    with tempfile.TemporaryDirectory(
        prefix="shipway-", dir=session.environment.get("TMPDIR")
    ) as folder:
        layouts = [Path(folder) / name for name in ("first", "second")]
        commands = [layout_command(target, str(layout)) for layout in layouts]
        if dry_run:
            return {"commands": [render_action(command) for command in commands]}
        _build(commands, session.executor.runner, progress)
        return {"reproducible": True, "platforms": compare(target, *layouts)}


def _build(
    commands: list[Command], runner: Callable[[Command], object], progress: Callable[[str], None]
) -> None:
    for number, command in enumerate(commands, 1):
        progress(f"build {number} of {len(commands)}, without cache")
        runner(command)


def compare(target: Target, first: Path, second: Path) -> dict[str, str]:
    """The digest of each platform, the same in both layouts; raises ``CheckFailed``."""
    one, other = _manifests(first), _manifests(second)
    for name in target.platforms:
        if one[name] != other[name]:
            where = next(
                _differences(first, _blob(first, one[name]), second, _blob(second, other[name]))
            )
            raise CheckFailed(
                f"{name} does not reproduce: {where}",
                hint="make the step that writes it independent of time, order and chance; a Dockerfile "
                "has SOURCE_DATE_EPOCH as a build argument",
            )
    return one


def _manifests(layout: Path) -> dict[str, str]:
    """Platform → digest, of an OCI image layout whose index may stand in another one."""
    index = json.loads((layout / "index.json").read_text(encoding="utf-8"))
    while not any("platform" in one for one in index["manifests"]):
        found = _blob(layout, index["manifests"][0]["digest"])
        if "layers" in found:
            config = _blob(layout, found["config"]["digest"])
            return {platform_name(cast(Platform, config)): index["manifests"][0]["digest"]}
        index = found
    return {platform_name(one["platform"]): one["digest"] for one in index["manifests"]}


def _path(layout: Path, digest: str) -> Path:
    return layout / "blobs" / digest.replace(":", "/")


def _blob(layout: Path, digest: str) -> Node:
    found: Node = json.loads(_path(layout, digest).read_text(encoding="utf-8"))
    return found


def _differences(first: Path, one: Node, second: Path, other: Node) -> Iterator[str]:
    """What differs, the first thing first: layers from the lowest up, then the configuration."""
    for number, (left, right) in enumerate(zip_longest(one["layers"], other["layers"]), 1):
        if left is None or right is None:
            yield f"{len(one['layers'])} layers and {len(other['layers'])}"
        elif left["digest"] != right["digest"]:
            yield f"layer {number}, {_first_file(first, left, second, right)}"
    yield "the configuration (environment, labels or history)"


def _first_file(first: Path, left: Node, second: Path, right: Node) -> str:
    with (
        _path(first, left["digest"]).open("rb") as a,
        _path(second, right["digest"]).open("rb") as b,
        plain(a, left["mediaType"]) as one,
        plain(b, right["mediaType"]) as other,
    ):
        for mine, theirs in zip_longest(_members(one), _members(other)):
            if mine != theirs:
                if mine is None or theirs is None or mine["name"] != theirs["name"]:
                    return (
                        f"{(mine or theirs or {}).get('name')} is in one of them only, or elsewhere"
                    )
                return f"{mine['name']}: " + ", ".join(
                    f"{key} {mine[key]} and {theirs[key]}"
                    for key in mine
                    if mine[key] != theirs[key]
                )
    return "the same files, packed otherwise"


def _members(stream: IO[bytes]) -> Iterator[dict[str, object]]:
    with tarfile.open(fileobj=stream, mode="r|", bufsize=1 << 14) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            yield {
                "name": member.name,
                "type": member.type.decode(),
                "link": member.linkname,
                "mode": oct(member.mode),
                "owner": f"{member.uid}:{member.gid}",
                "time": int(member.mtime),
                "content": _digest(content),
            }


def _digest(content: IO[bytes] | None) -> str:
    known = hashlib.sha256()
    while content and (part := content.read(1 << 16)):
        known.update(part)
    return known.hexdigest()[:12]
