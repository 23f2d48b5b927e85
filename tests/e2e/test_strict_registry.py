"""Releases to a registry as strict as one can be: a token for each action, an authority of its own, logins elsewhere.

The builder is a BuildKit that reaches it through a proxy, as every other program here does.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shipway.effects.facts import gather
from shipway.effects.processes import Processes
from shipway.rehearsal import leash, origin, remotes
from shipway.rehearsal.builders import ChosenBuilder
from shipway.settings import BuilderSettings
from shipway.target.context import detect
from tests.support.kept import shipway
from tests.support.layers import elf
from tests.support.nodes import stand_up_nodes
from tests.support.repositories import commit, make_repository
from tests.support.strict_registry import StrictRegistry, stand_up_strict
from tests.support.toy import DOCKERFILE, METADATA
from tests.support.tunnel import serve_proxy

pytestmark = pytest.mark.engine


@dataclass(frozen=True, kw_only=True)
class Dock:
    """A project, and all that its releases reach."""

    registry: StrictRegistry
    folder: Path
    environment: dict[str, str]
    key: Path

    @property
    def image(self) -> str:
        """The image's name."""
        return f"{self.registry.address}/toy/strict"

    def run(self, *words: str, code: int = 0) -> dict[str, Any]:  # Any: JSON
        """Run a task; gives its document."""
        done = subprocess.run(
            shipway(*words, "--json"),
            cwd=self.folder,
            env=self.environment,
            check=False,
            text=True,
            capture_output=True,
        )
        assert done.returncode == code, done.stdout[-2000:] + done.stderr[-4000:]
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def push(self, subject: str) -> None:
        """Commit something new, and push it."""
        (self.folder / "note").write_text(subject, encoding="utf-8")
        self.git("add", "note")
        self.git("commit", "--quiet", f"--message={subject}")
        self.git("push", "--quiet", "origin", "main")

    def git(self, *words: str) -> None:
        """Run git, which finds the origin under its real address."""
        environment = {**self.environment, **origin.IDENTITY}
        subprocess.run(("git", *words), cwd=self.folder, env=environment, check=True)


@pytest.fixture(scope="module", name="dock")
def fixture_dock(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Dock]:
    """Everything, for this file."""
    home = tmp_path_factory.mktemp("strict")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dock-")))
        tools = {**environment, **stack.enter_context(leash.hold(folder))}
        registry = stack.enter_context(stand_up_strict(folder / "strict", tools))
        proxy, _lines = stack.enter_context(serve_proxy())
        way = {"HTTPS_PROXY": proxy, "SSL_CERT_FILE": str(registry.authority.file)}
        mirrors = _find_mirrors(tools)
        (node,) = stack.enter_context(stand_up_nodes(("only",), mirrors, {**tools, **way}))
        source = _make_source(home / "source", f"{registry.address}/toy/strict", node.address)
        stood = _stand_up(source, folder / "remotes", tools)
        dock = Dock(
            registry=registry,
            folder=stood.project,
            environment={
                **stood.environment,
                **stood.secrets,
                **way,
                "GITHUB_API_URL": stood.api,
                "DOCKER_CONFIG": str(_log_in(home / "elsewhere", stood, registry)),
            },
            key=stood.public_key,
        )
        _sign_with_key(dock, stood)
        yield dock


def _find_mirrors(tools: dict[str, str]) -> tuple[str, ...]:
    """Whom the engine asks before Docker Hub."""
    question = ("docker", "info", "--format={{json .RegistryConfig.Mirrors}}")
    return tuple(json.loads(subprocess.check_output(question, env=tools)) or ())


def _stand_up(source: Path, folder: Path, tools: dict[str, str]) -> remotes.Remotes:
    """The remotes of a rehearsal, of which the registry is not used."""
    facts = gather(tools, source, remote="origin", runner=Processes(tools))
    return remotes.stand_up(
        source,
        folder,
        tools,
        context=detect(facts, "v{version}"),
        builder=ChosenBuilder(BuilderSettings()),
        progress=lambda _line: None,
    )


def _log_in(folder: Path, stood: remotes.Remotes, registry: StrictRegistry) -> Path:
    """Docker's configuration with the login, in a folder of its own."""
    text = (Path(stood.environment["DOCKER_CONFIG"]) / "config.json").read_text(encoding="utf-8")
    config = {**json.loads(text), "auths": registry.login}
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def _make_source(folder: Path, image: str, builder: str) -> Path:
    """A project with one image of two platforms."""
    source = make_repository(folder)
    for architecture, machine in (("amd64", 62), ("arm64", 183)):
        (source / "native").mkdir(exist_ok=True)
        (source / f"native/{architecture}.so").write_bytes(elf(machine))
    (source / "toy-1.0.dist-info").mkdir()
    (source / "toy-1.0.dist-info/METADATA").write_text(METADATA)
    (source / "Dockerfile").write_text(DOCKERFILE)
    (source / "pyproject.toml").write_text(
        f'[project]\nname = "strict"\nversion = "0.0.0"\n[tool.shipway]\nimage = "{image}"\n'
        f'[tool.shipway.builder]\ndriver = "remote"\n'
        f'nodes = {{"linux/amd64,linux/arm64" = "{builder}"}}\n'
    )
    commit(source, "feat: begin")
    return source


def _sign_with_key(dock: Dock, stood: remotes.Remotes) -> None:
    settings = (
        f'[tool.shipway.sign]\nkey = "{stood.key}"\npublic-key = "{stood.public_key}"\n'
        f'transparency-log = false\nsigning-config = "{stood.signing_config or ""}"\n'
    )
    with (dock.folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(settings)
    dock.git("add", "pyproject.toml")
    dock.push("feat: sign")


def test_a_release_goes_through_every_stage_and_what_comes_after_it_works(dock: Dock) -> None:
    first = dock.run("release")
    assert first["version"] == "0.1.0", first
    assert {stage["outcome"] for stage in first["stages"]} <= {"done", "skipped"}
    assert dock.run("release")["digest"] == first["digest"]
    dock.git("pull", "--quiet", "origin", "main")
    dock.push("feat: go on")
    second = dock.run("release")
    assert second["version"] == "0.2.0" and second["digest"] != first["digest"]

    image = f"{dock.image}:v0.2.0"
    verified = dock.run("verify", image, f"--key={dock.key}", "--no-transparency-log")
    assert verified["verified"] is True
    assert dock.run("sbom", image)
    stages = dock.run("rollback", "0.1.0")["stages"]
    assert "done" in {stage["outcome"] for stage in stages}

    # A branch that the origin does not have, and an image that only this branch names.
    create = ("docker", "buildx", "imagetools", "create", "--annotation=index:topic=yes")
    tag = f"--tag={dock.image}:topic"
    subprocess.run((*create, tag, image), env=dock.environment, check=True, capture_output=True)
    (pruned,) = dock.run("prune", "--delete")["images"]
    assert pruned["tags"] == ["topic"]
    assert dock.run("prune")["images"] == []
    actions = {scope.rpartition(":")[2] for scope in dock.registry.scopes}
    assert {"pull", "pull,push", "delete"} <= actions
