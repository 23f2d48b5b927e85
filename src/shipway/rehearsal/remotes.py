"""All remotes of a release, standing on one machine, and an environment that reaches nothing else."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from shipway.effects.facts import load_project
from shipway.rehearsal import origin, releases
from shipway.rehearsal.keys import PASSWORD, make_keys
from shipway.rehearsal.ports import free_port
from shipway.rehearsal.registry import start_registry, wait_for

_PASSED_ON = (
    "PATH",
    "LANG",
    "LC_ALL",
    "DOCKER_HOST",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "XDG_CACHE_HOME",
    "TERM",
)
"""All that a rehearsal knows of the user's environment: no token, no login, nothing of a CI run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remotes:
    """Where everything stands. ``environment`` is public, ``secrets`` belong to the rehearsal alone."""

    folder: Path
    project: Path
    repository: str
    registry: str
    api: str
    signing_config: str
    environment: Mapping[str, str]
    secrets: Mapping[str, str]

    @property
    def key(self) -> Path:
        """cosign's private key."""
        return self.folder / "keys/cosign.key"

    @property
    def public_key(self) -> Path:
        """The key that a consumer verifies with."""
        return self.folder / "keys/cosign.pub"

    def describe(self) -> dict[str, str]:
        """What a person needs to look at them."""
        return {
            "folder": str(self.folder),
            "origin": str(self.folder / "origin.git"),
            "registry": self.registry,
            "releases": f"{self.api}/repos/{self.repository}/releases",
            "public key": str(self.public_key),
        }


def stand_up(
    source: Path,
    folder: Path,
    environment: Mapping[str, str],
    *,
    mark: Mapping[str, str],
    progress: Callable[[str], None],
) -> Remotes:
    """Make the remotes of the project in ``source`` below ``folder``; their processes carry ``mark``."""
    project = load_project(source)
    remote, branch = project.settings.remote, project.settings.release.branches[0]
    public = scrub(environment, folder) | dict(mark)
    repository = origin.repository_of(source, project.name, remote, public)
    public |= origin.isolate(repository, folder / "origin.git")
    progress(f"rehearsing {repository} in {folder}")
    # The services come up while git and cosign work.
    registry = start_registry(folder / "registry", free_port(), public)
    api = _start_releases(folder, public)
    clone = origin.make_origin(source, folder, branch, remote, public)
    origin.point_at_github(clone, repository, remote, public)
    password, config = make_keys(folder / "keys", public)
    wait_for(f"http://{registry}/v2/", "the registry of the rehearsal", folder / "registry/log")
    wait_for(api, "the releases endpoint of the rehearsal", folder / "releases.log")
    return Remotes(
        folder=folder,
        project=clone,
        repository=repository,
        registry=registry,
        api=api,
        signing_config=config,
        environment=public,
        secrets={PASSWORD: password, "GITHUB_TOKEN": f"rehearsal-{secrets.token_hex(16)}"},
    )


def scrub(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The environment of a rehearsal: a few variables of the user's, and homes of its own for everything else.

    Docker's own configuration may hold logins: only where its plugins are is taken over.
    """
    public = {name: environment[name] for name in _PASSED_ON if name in environment}
    for name, place in (("HOME", "home"), ("TMPDIR", "tmp"), ("DOCKER_CONFIG", "docker")):
        (folder / place).mkdir(parents=True, exist_ok=True)
        public[name] = str(folder / place)
    theirs = Path(
        environment.get("DOCKER_CONFIG") or Path(environment.get("HOME", "/")) / ".docker"
    )
    plugins = [str(theirs / "cli-plugins")]
    try:
        plugins += json.loads((theirs / "config.json").read_text(encoding="utf-8")).get(
            "cliPluginsExtraDirs", []
        )
    except (OSError, ValueError):
        pass
    (folder / "docker/config.json").write_text(
        json.dumps({"cliPluginsExtraDirs": plugins}), encoding="utf-8"
    )
    # Modules are not compiled: the folder is gone in a minute.
    return public | {"PYTHONDONTWRITEBYTECODE": "1", "GIT_TERMINAL_PROMPT": "0"}


def _start_releases(folder: Path, environment: Mapping[str, str]) -> str:
    port = free_port()
    with (folder / "releases.log").open("ab") as log:
        subprocess.Popen(
            (sys.executable, "-I", releases.__file__, str(folder / "releases"), str(port)),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    return f"http://127.0.0.1:{port}{releases.PREFIX}"
