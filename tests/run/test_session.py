"""What a run knows of its project."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipway.run.session import has_docs, open_session
from shipway.stages.build.commands import build_image
from tests.support.scene import Scene

pytestmark = pytest.mark.process


def test_docs_are_published_when_their_configuration_is_there(scene: Scene, tmp_path: Path) -> None:
    project = scene.session().project
    assert not has_docs(project, tmp_path)
    (tmp_path / "mkdocs.yml").write_text("")
    assert has_docs(project, tmp_path)


def test_a_project_with_its_own_release_settings_keeps_them(tmp_path: Path) -> None:
    own = (
        '[tool.semantic_release]\nversion_toml = ["pyproject.toml:project.version"]\nallow_zero_version = true\n'
        '[tool.shipway.build]\nsecrets = ["id=pip,env=PIP_TOKEN"]\ntarget = "app"\nargs = {A = "1"}\n'
    )
    scene = Scene(tmp_path, own)
    planned = scene.session(SSL_CERT_FILE="/etc/ca.pem").target()
    command = build_image(planned)
    assert command.secrets == ("PIP_TOKEN",)
    assert command.argv[-5:-1] == (
        "--build-arg=A=1",
        "--secret=id=pip,env=PIP_TOKEN",
        "--secret=id=ca-certificates,src=/etc/ca.pem",
        "--target=app",
    )
    assert scene.release(until="build").target is not None


@pytest.mark.parametrize("ci", ["", "true"])
def test_pauses_are_progress_in_ci_too(scene: Scene, ci: str) -> None:
    lines: list[str] = []
    environment = {**scene.environment, "CI": ci}
    session = open_session(lines.append, folder=scene.clone, environment=environment)
    session.executor.echo("again in 2 s")
    assert lines == ["again in 2 s"]
