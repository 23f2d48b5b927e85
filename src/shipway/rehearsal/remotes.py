"""Stand all remotes of a release up on this machine, with an environment that reaches no others."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from shipway.effects.facts import load_project
from shipway.effects.processes import Processes
from shipway.rehearsal import background, origin, releases
from shipway.rehearsal.builders import ChosenBuilder, copy_builders
from shipway.rehearsal.files import write_json
from shipway.rehearsal.keys import PASSWORD, make_keys
from shipway.rehearsal.leash import LEASH_VARIABLE
from shipway.rehearsal.ports import free_port
from shipway.rehearsal.registry import start_registry, wait_for_address, wait_for_registry
from shipway.run.whole_tree import complete
from shipway.target.context import Context
from shipway.tools.git_environment import close_environment

_PASSED_ON = (
    "PATH",
    "LANG",
    "LC_ALL",
    "DOCKER_HOST",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "XDG_CACHE_HOME",
    "TERM",
    LEASH_VARIABLE,
)
"""All that a rehearsal takes from the user's environment: no token, no login, no CI run."""

_HOMES = {"HOME": "home", "TMPDIR": "tmp", "DOCKER_CONFIG": "docker"}
"""Variables that name a folder, and that folder below the rehearsal's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remotes:
    """Say where every remote stands.

    ``environment`` is public, ``secrets`` belong to the rehearsal alone. ``registry`` is
    ``HOST:PORT``, ``api`` a URL, ``signing_config`` a path, ``None`` for cosign 2.
    """

    folder: Path
    project: Path
    repository: str
    branch: str
    """Names the branch that is released."""
    registry: str
    api: str
    signing_config: str | None
    environment: Mapping[str, str]
    secrets: Mapping[str, str]
    builder: ChosenBuilder
    """Says which builder builds the image."""

    @property
    def key(self) -> Path:
        """Name cosign's private key."""
        return self.folder / "keys/cosign.key"

    @property
    def public_key(self) -> Path:
        """Name the key that a consumer verifies with."""
        return self.folder / "keys/cosign.pub"

    def describe(self) -> dict[str, str]:
        """Give what a person needs to look at them."""
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
    context: Context,
    builder: ChosenBuilder,
    progress: Callable[[str], None],
) -> Remotes:
    """Make the remotes of the project in ``source`` below ``folder``, of what is checked out there.

    All their processes carry the variable of the leash, where ``environment`` has it. Raises
    ``ToolMissing`` where one does not come up, ``ContextError`` where nothing could be released.
    """
    project = load_project(source)
    public = scrub(environment, folder) | builder.variables
    remote = project.settings.remote
    repository = origin.repository_of(source, project.name, remote, public)
    public |= origin.isolate(repository, folder / "origin.git")
    branch = origin.choose_branch(source, context, project.settings, public)
    progress(f"rehearsing {repository} in {folder}")
    # The services come up while git and cosign work.
    registry = start_registry(folder / "registry", public)
    api = _start_releases(folder, public)
    clone = origin.make_origin(source, folder, branch, remote, public)
    origin.point_at_github(clone, repository, remote, public)
    if context.changes:
        origin.take_working_tree(source, clone, remote, public)
    complete(Processes(public), source, clone)
    keys = make_keys(folder / "keys", public)
    _wait_for_services(registry, api, folder)
    return Remotes(
        folder=folder,
        project=clone,
        repository=repository,
        branch=branch,
        registry=registry,
        api=api,
        signing_config=keys.signing_config,
        environment=public,
        secrets={PASSWORD: keys.password, "GITHUB_TOKEN": _make_token()},
        builder=builder,
    )


def _wait_for_services(registry: str, api: str, folder: Path) -> None:
    wait_for_registry(registry, folder / "registry")
    wait_for_address(api, "the releases endpoint of the rehearsal", folder / "releases.log")


def scrub(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Make the environment of a rehearsal: a few of the user's variables, and homes of its own.

    Docker's own configuration may hold logins: only where its plugins and builders are is taken
    over.
    """
    passed_on = {name: environment[name] for name in _PASSED_ON if name in environment}
    public = close_environment(passed_on)
    for variable, place in _HOMES.items():
        home = folder / place
        home.mkdir(parents=True, exist_ok=True)
        public[variable] = str(home)
    config = {"cliPluginsExtraDirs": _plugin_folders(environment)}
    write_json(folder / "docker/config.json", config)
    copy_builders(environment, folder / "docker")
    # Modules are not compiled: the folder is gone in a minute.
    return {**public, "PYTHONDONTWRITEBYTECODE": "1"}


def _plugin_folders(environment: Mapping[str, str]) -> list[str]:
    """List where the user's Docker looks for its plugins."""
    home = Path(environment.get("HOME", "/"))
    folder = Path(environment.get("DOCKER_CONFIG") or home / ".docker")
    own = str(folder / "cli-plugins")
    try:
        text = (folder / "config.json").read_text(encoding="utf-8")
        config = json.loads(text)
    except (OSError, ValueError):
        return [own]
    return [own, *config.get("cliPluginsExtraDirs", [])]


def _make_token() -> str:
    return f"rehearsal-{secrets.token_hex(16)}"


def _start_releases(folder: Path, environment: Mapping[str, str]) -> str:
    port = free_port()
    argv = (
        sys.executable,
        "-I",
        releases.__file__,
        str(folder / "releases"),
        str(port),
    )
    background.start(argv, environment, folder / "releases.log")
    return f"http://127.0.0.1:{port}{releases.API_PATH}"
