"""Plans and states, as people read them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from shipway.run import documents, session
from tests.support.faces import run_task
from tests.support.scene import Scene

pytestmark = pytest.mark.process

Golden = Callable[[str, str], None]
TakeUp = Callable[[str], Scene]
DOCS = "[tool.shipway.docs]\nenabled = true\n"


@pytest.fixture(name="take_up")
def fixture_take_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Scene]:
    """Give a function that makes a project with the settings it is given; the tasks work on it."""

    def take_up(settings: str) -> Scene:
        scene = Scene(tmp_path, settings)
        for module in (documents, session):
            monkeypatch.setattr(
                module, "open_session", lambda _progress, override=None: scene.session()
            )
        return scene

    return take_up


def test_the_plan_of_a_release(
    take_up: TakeUp, golden: Golden, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = take_up(DOCS)
    assert run_task("release", "--dry-run") == 0 and scene.remotes.changes == 0
    golden("plan-release", capsys.readouterr().out)


def test_the_plan_of_a_stage(
    take_up: TakeUp, golden: Golden, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = take_up("")
    assert run_task("build", "--push", "--dry-run") == 0 and scene.remotes.changes == 0
    golden("plan-build", capsys.readouterr().out)


def test_the_plan_of_a_build_on_two_nodes(
    take_up: TakeUp, golden: Golden, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = take_up(
        '[tool.shipway]\ncache = {type = "registry"}\n'
        '[tool.shipway.builder]\ndriver = "remote"\n'
        'nodes = {"linux/amd64" = "tcp://amd.example:1234", "linux/arm64" = "tcp://arm.example:1234"}\n'
    )
    assert run_task("build", "--push", "--dry-run") == 0 and scene.remotes.changes == 0
    golden("plan-build-nodes", capsys.readouterr().out)


def test_the_status_before_and_after_a_release(
    take_up: TakeUp, golden: Golden, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = take_up("")
    assert run_task("status") == 0
    before = capsys.readouterr().out
    scene.release()
    assert run_task("status") == 0
    golden(
        "status", f"# before the release\n{before}\n# after the release\n{capsys.readouterr().out}"
    )
