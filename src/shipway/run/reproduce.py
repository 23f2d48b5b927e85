"""Two builds without cache are compared, file by file: does the same commit give the same image?

Only images are compared: a provenance holds the time of its build and never reproduces.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import IO, Any, cast

from shipway.effects.blobs import decompress
from shipway.errors import CheckFailed
from shipway.image.index import Platform, platform_name
from shipway.model.actions import Command
from shipway.model.target import Target
from shipway.run.local_builds import prepare_builder, split_target
from shipway.run.native import select_platforms
from shipway.run.preview import render_action
from shipway.run.session import Progress, Session, open_session
from shipway.run.whole_tree import require_whole
from shipway.stages.build.commands import build_layout
from shipway.target.preconditions import require_clean

Node = dict[str, Any]  # Any: the values of a JSON document
Member = dict[str, object]
"""Says what an archive holds of a file, by name: name, type, link, mode, owner, time, content."""


def check_reproducible(progress: Progress, *, platform: str, dry_run: bool) -> Node:
    """Give ``{"reproducible": true, "platforms": {name: digest}}``.

    Raises ``CheckFailed`` where the builds differ, and names what differs first.
    """
    session = open_session(progress)
    require_clean(session.context)
    require_whole(session.executor, session.folder)
    target = session.target()
    target = replace(target, parts=())
    if platform or target.settings.build.strategy != "native":
        target = select_platforms(session, target, platform)
    creation, world = prepare_builder(target, session.executor)
    parts = split_target(target, world)
    parent = session.environment.get("TMPDIR")
    with tempfile.TemporaryDirectory(prefix="shipway-", dir=parent) as folder:
        pairs = [_Pair(part, Path(folder)) for part in parts]
        builds: list[Command] = []
        for pair in pairs:
            builds += pair.builds
        if dry_run:
            lines = [render_action(command) for command in (*creation, *builds)]
            return {"commands": lines}
        _build(creation, builds, session)
        digests: dict[str, str] = {}
        for pair in pairs:
            digests |= pair.compare()
        return {
            "reproducible": True,
            "platforms": digests,
        }


def _build(creation: Iterable[Command], builds: Sequence[Command], session: Session) -> None:
    """Make the builder where it is missing, and then all builds, one after the other."""
    for command in creation:
        session.executor(command)
    count = len(builds)
    for number, command in enumerate(builds, 1):
        session.progress(f"build {number} of {count}, without cache")
        session.executor(command)


@dataclass(frozen=True, slots=True)
class Layout:
    """Reads an OCI image layout in a folder (OCI image specification, "Image Layout")."""

    folder: Path

    def path(self, digest: str) -> Path:
        """Give the file of a blob."""
        name = digest.replace(":", "/")
        return self.folder / "blobs" / name

    def document(self, digest: str) -> Node:
        """Read a blob that is a JSON document."""
        return _read_json(self.path(digest))

    def digests(self) -> dict[str, str]:
        """Give the digest of each platform's image; the layout's index may stand in another one."""
        index = _read_json(self.folder / "index.json")
        while not _names_platforms(index):
            entry = index["manifests"][0]
            digest = entry["digest"]
            document = self.document(digest)
            if "layers" in document:
                config = document["config"]
                configuration = self.document(config["digest"])
                platform = platform_name(cast(Platform, configuration))
                return {platform: digest}
            index = document
        digests: dict[str, str] = {}
        for entry in index["manifests"]:
            platform = platform_name(entry["platform"])
            digests[platform] = entry["digest"]
        return digests

    def members(self, layer: Node) -> Iterator[Member]:
        """Give the files of a layer, in their order."""
        digest = layer["digest"]
        media_type = layer["mediaType"]
        path = self.path(digest)
        # What `decompress` holds open ends with this generator, as it does itself.
        # pylint: disable-next=contextmanager-generator-missing-cleanup
        with path.open("rb") as blob, decompress(blob, media_type) as content:
            yield from _read_members(content)


def _read_json(path: Path) -> Node:
    text = path.read_text(encoding="utf-8")
    document: Node = json.loads(text)
    return document


def _names_platforms(index: Node) -> bool:
    return any("platform" in entry for entry in index["manifests"])


@dataclass(frozen=True, slots=True)
class _Pair:
    """Holds two builds of the same platforms, below a folder."""

    target: Target
    folder: Path

    @property
    def layouts(self) -> tuple[Layout, Layout]:
        """Name where the builds go."""
        name = self.target.staging
        return (
            Layout(self.folder / f"{name}-first"),
            Layout(self.folder / f"{name}-second"),
        )

    @property
    def builds(self) -> tuple[Command, ...]:
        """Give the commands of both builds."""
        commands: list[Command] = []
        for layout in self.layouts:
            place = str(layout.folder)
            command = build_layout(self.target, place)
            commands.append(command)
        return tuple(commands)

    def compare(self) -> dict[str, str]:
        """Give the digest of each platform; raises ``CheckFailed`` where they differ."""
        first, second = self.layouts
        return compare_layouts(self.target, first, second)


def compare_layouts(target: Target, first: Layout, second: Layout) -> dict[str, str]:
    """Give the digest of each platform, the same in both layouts.

    Raises ``CheckFailed`` where they differ.
    """
    before = first.digests()
    after = second.digests()
    for platform in target.platforms:
        left_digest = before[platform]
        right_digest = after[platform]
        if left_digest != right_digest:
            left = first.document(left_digest)
            right = second.document(right_digest)
            differences = _differences(first, left, second, right)
            difference = next(differences)
            raise CheckFailed(
                f"{platform} does not reproduce: {difference}",
                hint="make the step that writes it independent of time, order and chance; a "
                "Dockerfile has SOURCE_DATE_EPOCH as a build argument",
            )
    return before


def _differences(first: Layout, before: Node, second: Layout, after: Node) -> Iterator[str]:
    """Say what differs, in order: layers from the lowest up, then the configuration."""
    first_layers = before["layers"]
    second_layers = after["layers"]
    pairs = zip_longest(first_layers, second_layers)
    for number, (left, right) in enumerate(pairs, 1):
        if left is None or right is None:
            first_count = len(first_layers)
            second_count = len(second_layers)
            yield f"{first_count} layers and {second_count}"
        elif left["digest"] != right["digest"]:
            first_members = first.members(left)
            second_members = second.members(right)
            difference = _first_difference(first_members, second_members)
            yield f"layer {number}, {difference}"
    yield "the configuration (environment, labels or history)"


def _first_difference(before: Iterator[Member], after: Iterator[Member]) -> str:
    for left, right in zip_longest(before, after):
        if left == right:
            continue
        member = left or right or {}
        name = member.get("name")
        if left is None or right is None or name != right["name"]:
            return f"{name} is in one of them only, or elsewhere"
        facts = _changed_facts(left, right)
        return f"{name}: {facts}"
    return "the same files, packed otherwise"


def _changed_facts(left: Member, right: Member) -> str:
    facts: list[str] = []
    for key, before in left.items():
        after = right[key]
        if before != after:
            fact = f"{key} {before} and {after}"
            facts.append(fact)
    return ", ".join(facts)


def _read_members(stream: IO[bytes]) -> Iterator[Member]:
    with tarfile.open(
        fileobj=stream,
        mode="r|",
        bufsize=1 << 14,
    ) as archive:
        for member in archive:
            content = None
            if member.isfile():
                content = archive.extractfile(member)
            yield {
                "name": member.name,
                "type": member.type.decode(),
                "link": member.linkname,
                "mode": oct(member.mode),
                "owner": f"{member.uid}:{member.gid}",
                "time": int(member.mtime),
                "content": _short_digest(content),
            }


def _short_digest(content: IO[bytes] | None) -> str:
    """Give the first twelve digits of a content's digest, of an empty one where there is none."""
    digest = hashlib.sha256()
    if content is not None:
        while part := content.read(1 << 16):
            digest.update(part)
    digits = digest.hexdigest()
    return digits[:12]
