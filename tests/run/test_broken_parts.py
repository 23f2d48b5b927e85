"""A part that is not there is a point that does not hold, by name; the rest is told all the same."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from shipway.effects import bundles
from shipway.image.contents import LAYER, BrokenPart, Contents, PlatformContents
from shipway.image.index import Index
from shipway.image.policies import Evidence, Expected, content_policy
from shipway.model.actions import Answer, Command
from shipway.run import verify as consumer
from tests.support.cosign_lists import COSIGN_3, list_entries
from tests.support.faces import run_task
from tests.support.registry import Registry
from tests.support.scanner_reports import AUDIT
from tests.support.whole_image import WholeImage

PARTS = ("manifest", "configuration", "layer", "attestation manifest", "statement")
TASKS = ("inspect", "verify", "sbom", "scan", "licenses")


@pytest.fixture(name="unsigned")
def fixture_unsigned() -> list[str]:
    """Digests of which cosign finds no signature."""
    return []


@pytest.fixture(name="image")
def fixture_image(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unsigned: list[str]
) -> WholeImage:
    """A good image, on a machine with a scanner, and with a cosign that knows what is there."""

    def run_cosign(command: Command) -> Answer:
        digest = command.argv[-1].rpartition("@")[2]
        if digest in unsigned:
            return Answer(code=10, err="Error: no signatures found")
        if digest in registry.blobs:
            return list_entries(COSIGN_3)
        return Answer(code=1, err="Error: GET manifests: unexpected status code 404 Not Found")

    scanner = tmp_path / "pip-audit"
    scanner.write_text(f"#!{sys.executable}\nprint({json.dumps(AUDIT)!r})\n")
    scanner.chmod(0o755)
    monkeypatch.setattr(consumer, "Processes", lambda _, answer: run_cosign)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    policy = tmp_path / "policy.toml"
    policy.write_text('licenses = ["MIT"]\nseverity = "critical"\n')
    return WholeImage(registry)


def ask(task: str, image: WholeImage, *more: str) -> int:
    """Run a task about the image; gives its exit status."""
    words = {
        "verify": ("--repository", "acme/toy"),
        "licenses": ("--policy", "policy.toml"),
        "scan": ("--policy", "policy.toml"),
    }
    return run_task(task, "--image", image.reference, *words.get(task, ()), *more)


def read_error(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:  # Any: JSON
    """Give the document of a task that failed."""
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert "log in" not in document["error"]["hint"]
    return document


@pytest.mark.process
class TestAnImage:
    """Its parts are looked for by each task that says something of them."""

    @pytest.mark.parametrize("task", TASKS)
    def test_that_is_whole(self, image: WholeImage, task: str) -> None:
        image.publish()
        for _ in range(2):
            assert ask(task, image) == 0

    @pytest.mark.parametrize("task", TASKS)
    @pytest.mark.parametrize("part", PARTS)
    def test_that_lacks_a_part(
        self, image: WholeImage, task: str, part: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        image.publish()
        # What was read before does not stand for what is there now.
        ask("inspect", image)
        digest = image.lose(part)
        capsys.readouterr()
        assert ask(task, image, "--json") == 7
        document = read_error(capsys)
        words = f"{part} {digest} of linux/amd64 is not there"
        assert words in document["error"]["message"]
        if task == "verify":
            arm = [point for point in document["points"] if "linux/arm64" in point["name"]]
            assert len(arm) > 5 and all(point["holds"] for point in arm)
        else:
            assert words.split()[0] in json.dumps(document["broken"])
            assert "linux/arm64" in json.dumps(document)

    @pytest.mark.parametrize("task", ["inspect", "sbom"])
    def test_that_lacks_a_part_is_shown_as_far_as_it_is_there(
        self, image: WholeImage, task: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        image.publish()
        image.lose("statement")
        assert ask(task, image) == 7
        assert (
            "linux/arm64"
            in json.loads(capsys.readouterr().out)["platforms" if task == "inspect" else "packages"]
        )

    @pytest.mark.parametrize("task", ["inspect", "verify"])
    @pytest.mark.parametrize("part", PARTS)
    def test_that_lies_about_a_size(
        self, image: WholeImage, task: str, part: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        image.sizes[part] = 12345
        image.publish()
        for _ in range(2):
            assert ask(task, image, "--json") == 7
            words = read_error(capsys)["error"]["message"]
            assert f"{part} {image.parts[part]} of linux/amd64 has " in words
            assert "bytes, not 12345" in words

    @pytest.mark.parametrize("task", TASKS)
    @pytest.mark.parametrize("part", ["manifest", "attestation manifest"])
    def test_with_an_index_below_it(
        self, image: WholeImage, task: str, part: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        image.replaced[part] = {"manifests": [{"digest": "sha256:" + "0" * 64}]}
        image.publish()
        assert ask(task, image, "--json") == 7
        words = read_error(capsys)["error"]["message"]
        assert f"{part} {image.parts[part]} of linux/amd64 is an index, not a manifest" in words

    @pytest.mark.parametrize("task", TASKS)
    @pytest.mark.parametrize("document", [{"manifests": []}, {"layers": []}, {}])
    def test_that_is_no_index(
        self,
        image: WholeImage,
        task: str,
        document: object,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        digest = image.registry.put(document)
        image.registry.names[image.tag] = digest
        assert ask(task, image, "--json") == 7
        words = read_error(capsys)["error"]["message"]
        assert f"{digest}, which is no index" in words or f"{digest} is no index" in words

    @pytest.mark.parametrize("task", TASKS)
    def test_that_could_not_be_asked_for_is_no_such_thing(
        self, image: WholeImage, task: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("shipway.effects.connections.ATTEMPTS", 0)
        image.publish()
        image.registry.refused = {image.parts["statement"]: 503}
        assert ask(task, image) == 5

    @pytest.mark.parametrize("lists", [True, False])
    @pytest.mark.parametrize("part", ["manifest", "blob", ""])
    def test_whose_signature_is_listed_and_gone(
        self,
        image: WholeImage,
        unsigned: list[str],
        lists: bool,
        part: str,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        image.publish()
        registry = image.registry
        subject = image.parts["manifest"]
        unsigned.append(subject)
        blob = registry.put(b"a signature")
        annotations = {bundles.PREDICATE: "https://example.org/other"}
        bundle = registry.put({"annotations": annotations, "layers": [{"digest": blob}]})
        if lists:
            registry.about = {subject: [bundle]}
        else:
            listed = registry.put({"manifests": [{"digest": bundle}]})
            registry.names[subject.replace(":", "-")] = listed
        if part:
            del registry.blobs[bundle if part == "manifest" else blob]
        assert ask("verify", image, "--json") == 7
        words = read_error(capsys)["error"]["message"]
        assert f"{subject[:19]} (linux/amd64): no signatures found" in words
        assert (f"{bundle} refers to it and is not there" in words) is bool(part)

    @pytest.mark.parametrize("part", ["attestation manifest", "statement"])
    def test_whose_predicate_is_gone(
        self, image: WholeImage, part: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        image.publish()
        digest = image.lose(part)
        name = f"{image.registry.name}@{image.parts['attestation manifest']}"
        words = ("--predicate", "https://spdx.dev/Document", "--json")
        assert run_task("inspect", "--image", name, *words) == 7
        assert f"{part} {digest} of " in read_error(capsys)["error"]["message"]


def test_a_platform_with_parts_that_are_broken_gets_no_point_that_would_hold_for_want_of_them() -> (
    None
):
    part = BrokenPart(kind=LAYER, digest="sha256:1", platform="linux/amd64", problem="is not there")
    platform = PlatformContents(digest="sha256:2", labels={"a": "b"})
    contents = Contents(digest="sha256:3", platforms={"linux/amd64": platform}, broken=(part,))
    expected = Expected(labels={"a": "b"}, distribution="toy", version="1")
    policy = content_policy(expected)
    evidence = Evidence(index=Index(digest="sha256:3", entries=()), contents=contents)
    points = {point.name: point.holds for point in policy.check(evidence)}
    assert points["parts of linux/amd64"] is False and points["labels of linux/amd64"] is True
    assert not [name for name in points if "compiled" in name or "installed" in name]
    assert "version of toy in linux/amd64" not in points
