"""Two builds compared: layouts as BuildKit writes them."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from shipway.errors import CheckFailed
from shipway.model.actions import Answer, Command
from shipway.model.target import Target
from shipway.run import reproduce
from shipway.run.reproduce import Layout, check_reproducible, compare_layouts
from shipway.stages.build.commands import build_layout
from tests.support.scene import Scene

TAR = "application/vnd.oci.image.layer.v1.tar"


def layer(*files: tuple[str, bytes, int]) -> bytes:
    """A layer with (name, content, time)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content, time in files:
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), time
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def put(layout: Path, content: bytes | object) -> str:
    """Keep a blob."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    digest = hashlib.sha256(data).hexdigest()
    path = layout / "blobs/sha256" / digest
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return f"sha256:{digest}"


def image(layout: Path, *layers: bytes, labels: str = "") -> str:
    """An image with these layers."""
    config = put(layout, {"os": "linux", "architecture": "amd64", "labels": labels})
    return put(
        layout,
        {
            "config": {"digest": config},
            "layers": [{"digest": put(layout, one), "mediaType": TAR} for one in layers],
        },
    )


def write(layout: Path, *layers: bytes, labels: str = "", alone: bool = False) -> Layout:
    """A layout of one image, in an index of its own, or alone as of a build for one platform."""
    digest = image(layout, *layers, labels=labels)
    index = {
        "manifests": [{"digest": digest, "platform": {"os": "linux", "architecture": "amd64"}}]
    }
    outer = {"manifests": [{"digest": digest if alone else put(layout, index)}]}
    (layout / "index.json").write_text(json.dumps(outer))
    return Layout(layout)


BASE, APP = layer(("base", b"b", 0)), layer(("a", b"x", 1), ("b", b"y", 1))


@pytest.fixture(name="one")
def fixture_one(target: Target) -> Target:
    """A target of one platform."""
    return replace(target, platforms=("linux/amd64",))


@pytest.mark.parametrize("alone", [False, True])
def test_the_same_image_twice(one: Target, tmp_path: Path, alone: bool) -> None:
    first, second = (write(tmp_path / name, BASE, APP, alone=alone) for name in ("1", "2"))
    digests = compare_layouts(one, first, second)
    assert digests["linux/amd64"].startswith("sha256:")


@pytest.mark.parametrize(
    ("layers", "difference"),
    [
        ((BASE, layer(("a", b"x", 1), ("b", b"y", 2))), "layer 2, b: time 1 and 2"),
        ((BASE, layer(("a", b"z", 1), ("b", b"y", 1))), "layer 2, a: content"),
        ((BASE, layer(("a", b"x", 1))), "layer 2, b is in one of them only"),
        (
            (BASE, layer(("b", b"y", 1), ("a", b"x", 1))),
            "layer 2, a is in one of them only, or elsewhere",
        ),
        ((BASE, APP + bytes(512)), "layer 2, the same files, packed otherwise"),
        ((BASE,), "2 layers and 1"),
    ],
)
def test_the_first_difference_is_named(
    one: Target, tmp_path: Path, layers: tuple[bytes, ...], difference: str
) -> None:
    first, second = write(tmp_path / "1", BASE, APP), write(tmp_path / "2", *layers)
    with pytest.raises(
        CheckFailed, match=f"linux/amd64 does not reproduce: {difference}"
    ) as caught:
        compare_layouts(one, first, second)
    assert caught.value.status == 1 and "SOURCE_DATE_EPOCH" in caught.value.hint


def test_a_configuration_that_differs(one: Target, tmp_path: Path) -> None:
    first, second = write(tmp_path / "1", BASE), write(tmp_path / "2", BASE, labels="x")
    with pytest.raises(CheckFailed, match="the configuration"):
        compare_layouts(one, first, second)


def test_the_build_uses_no_cache_and_pushes_nothing(target: Target) -> None:
    command = build_layout(target, "out")
    assert "--no-cache" in command.argv and command.effect == "local"
    assert "--output=type=oci,dest=out,tar=false,rewrite-timestamp=true" in command.argv
    assert not [
        word for word in command.argv if "push" in word or "sbom" in word or "cache-" in word
    ]


@pytest.mark.process
def test_the_check_builds_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(tmp_path)
    session = scene.session()
    progress: list[str] = []
    run = session.executor.runner

    def runner(command: Command) -> Answer:
        if command.argv[0] == "git" or command.effect == "read":
            return run(command)
        output = next(word for word in command.argv if word.startswith("--output="))
        write(Path(output.split("dest=")[1].split(",")[0]), BASE, APP)
        return Answer(code=0)

    executor = replace(session.executor, runner=runner)
    double = replace(session, executor=executor, progress=progress.append)
    open_session: Callable[[object], object] = lambda _progress: double
    monkeypatch.setattr(reproduce, "open_session", open_session)
    document = check_reproducible(progress.append, platform="linux/amd64", dry_run=False)
    assert document["reproducible"] and list(document["platforms"]) == ["linux/amd64"]
    assert len(progress) == 2
    plan = check_reproducible(progress.append, platform="", dry_run=True)
    assert len(plan["commands"]) == 2


@pytest.mark.process
def test_on_two_nodes_each_platform_is_built_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = '{"linux/amd64" = "tcp://amd:1", "linux/arm64" = "tcp://arm:1"}'
    scene = Scene(tmp_path, f'[tool.shipway]\nbuilder = {{driver = "remote", nodes = {nodes}}}\n')
    open_session: Callable[[object], object] = lambda _progress: scene.session()
    monkeypatch.setattr(reproduce, "open_session", open_session)
    plan = check_reproducible(scene.progress.append, platform="", dry_run=True)["commands"]
    assert ["create --name" in line for line in plan] == [True, True] + [False] * 4
    # buildx exports no layout of several nodes.
    platforms = [re.findall("--platform=([^ ]+)", line) for line in plan[2:]]
    assert platforms == [["linux/amd64"]] * 2 + [["linux/arm64"]] * 2
    folders = [re.findall("dest=([^,]+)", line)[0] for line in plan[2:]]
    assert len(set(folders)) == 4
