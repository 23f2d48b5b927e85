"""All remotes on this machine, put back to a known state before each cell, and releases that run against them."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from shipway.effects.environment import equip
from shipway.effects.processes import Processes
from shipway.rehearsal import leash, origin, releases
from shipway.rehearsal.registry import start_registry, wait_for_registry
from shipway.tools.cosign import ask_for_help, knows_signing_configs
from tests.faults import docker, programs, proxy
from tests.faults.director import Director, kill_group
from tests.sigstore import flags, service
from tests.sigstore.identity import Workflow
from tests.sigstore.trust import write_trust
from tests.support import repositories

REPOSITORY = "acme/app"
PATIENCE = (8.0, 16.0, 32.0)
"""Seconds that a release waits for what hangs; an undisturbed step takes three on a busy machine, or more."""
LONGEST = 75.0
"""Seconds after which a release is not bounded in time."""
_HANGS = 4
"""How often a release may wait for what hangs, before it gives up: it asks again."""
_LOOK = 0.5
WORDS = "What a person wrote of it."
"""Stands in the draft that somebody made."""
_PAGE = "theirs.txt"
_REMOTES = ("origin.git", "project", "second", "registry/data", "releases")
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "PYTHONPATH")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How one release ended. ``code`` is negative when it was killed, ``None`` when it did not end in time."""

    code: int | None
    out: str
    err: str
    seconds: float


@dataclass(slots=True, kw_only=True)
class World:
    """The remotes below ``home``; the registry and the services stay up, their content is exchanged."""

    home: Path
    director: Director
    sigstore: service.Sigstore
    registry: str
    """Address of the registry itself, past the proxy."""
    address: str
    """Address of the proxy."""
    releases: str
    """Address of the releases, past the proxy."""
    environment: dict[str, str]
    secrets: tuple[str, ...]
    rival: Run | None = None
    patience: float = PATIENCE[0]
    """Seconds that the disturbed release waits for what hangs."""
    _acted: set[str] = field(default_factory=set)
    """What somebody else did."""
    _rival_runs: threading.Lock = field(default_factory=threading.Lock)

    @property
    def image(self) -> str:
        """The image's name, as people write it."""
        return f"{self.address}/{REPOSITORY}"

    def keep(self, name: str) -> None:
        """Remember the present state of all remotes under a name."""
        for one in _REMOTES:
            shutil.copytree(
                self.home / one,
                self.home / "states" / name / one,
                symlinks=True,
                dirs_exist_ok=True,
            )

    def reset(self, name: str) -> None:
        """Put a state back that was kept."""
        self.director.disarm()
        self.director.journal.clear()
        self.rival = None
        self._acted.clear()
        for one in _REMOTES:
            shutil.rmtree(self.home / one, ignore_errors=True)
            shutil.copytree(self.home / "states" / name / one, self.home / one, symlinks=True)
        for folder in (self.home / "tmp").iterdir():
            shutil.rmtree(folder, ignore_errors=True)

    def release(
        self, clone: str = "project", *, disturbed: bool = False, hangs: bool = False
    ) -> Run:
        """Run `shipway release` in a clone to its end; nobody is there to answer a prompt.

        A release that is ``disturbed`` may wait for a rival, which has its own time, and one that ``hangs`` for itself.
        """
        commit = repositories.git(self.home / clone, "rev-parse", "HEAD")
        self.sigstore.workflow = replace(self.sigstore.workflow, sha=commit)
        patience = self.patience if hangs else 2 * LONGEST
        longest = LONGEST + (_HANGS * patience if hangs else 0)
        begun = time.monotonic()
        process = subprocess.Popen(
            (sys.executable, "-m", "shipway", "release"),
            cwd=self.home / clone,
            text=True,
            start_new_session=True,
            env={**self.environment, "GITHUB_SHA": commit, "SHIPWAY_PATIENCE": str(patience)},
            errors="replace",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        if disturbed:
            self.director.victim = process.pid
        ended = self._await(process, longest, disturbed=disturbed)
        code = process.returncode if ended else None
        # The machine of a run goes with the run.
        kill_group(process.pid)
        out, err = process.communicate() if ended is None else ended
        if disturbed:
            self.director.disarm()
            # A rival that still runs would be taken for one of the next cell.
            with self._rival_runs:
                pass
        return Run(code=code, out=out, err=err, seconds=time.monotonic() - begun)

    def _await(
        self, process: subprocess.Popen[str], longest: float, *, disturbed: bool
    ) -> tuple[str, str] | None:
        """What a run printed, `None` where it did not end in time."""
        left = longest
        while left > 0:
            looked = time.monotonic()
            try:
                return process.communicate(timeout=_LOOK)
            except subprocess.TimeoutExpired:
                if not (disturbed and self._rival_runs.locked()):
                    left -= time.monotonic() - looked
        return None

    def release_second(self) -> None:
        """A release of the same commit from another clone, while the first one waits."""
        with self._rival_runs:
            self.rival = self.release("second")

    def release_newer(self) -> None:
        """A release of a later commit, which overtakes the one that waits."""
        with self._rival_runs:
            second = self.home / "second"
            origin_git(self, second, "pull", "--quiet", "origin", "main")
            origin.add_commit(second, "fix: mend", "origin", self.environment)
            self.rival = self.release("second")

    def make_draft(self) -> None:
        """Somebody drafts a release of the tag that is due."""
        self._acted.add("draft")
        document = {"tag_name": "v0.2.0", "draft": True, "body": WORDS}
        path = f"{releases.API_PATH}/repos/{REPOSITORY}/releases"
        # Asked under the address that everybody knows, for the addresses in its answer.
        docker.need(
            "POST",
            self.releases,
            path,
            json.dumps(document).encode(),
            Authorization="Bearer x",
            Host=self.address,
        )

    def push_pages(self) -> None:
        """Somebody pushes a page of their own to the branch of the docs."""
        self._acted.add("pages")
        bare = self.home / "origin.git"
        blob = repositories.git(bare, "hash-object", "-w", "--stdin", content="theirs\n")
        listed = repositories.git(bare, "ls-tree", "gh-pages")
        tree = repositories.git(bare, "mktree", content=f"{listed}\n100644 blob {blob}\t{_PAGE}\n")
        commit = repositories.git(bare, "commit-tree", tree, "-p", "gh-pages", "-m", "theirs")
        repositories.git(bare, "update-ref", "refs/heads/gh-pages", commit)

    def miss(self) -> list[str]:
        """What somebody else made and nobody has any more."""
        found: list[str] = []
        names = repositories.git(self.home / "origin.git", "ls-tree", "--name-only", "gh-pages")
        if "pages" in self._acted and _PAGE not in names.splitlines():
            found.append("somebody's page of the docs is gone")
        text = (self.home / "releases/releases.json").read_text(encoding="utf-8")
        if "draft" in self._acted and WORDS not in text:
            found.append("what somebody wrote in the draft is gone")
        return found


@contextmanager
def stand_up(home: Path, environment: Mapping[str, str], *, states: int = 2) -> Iterator[World]:
    """Start everything below ``home``, release 0.1.0 and add a commit (state ``due``), release that (``finished``).

    With one of the ``states`` the latter is left out.
    """
    tools = equip(environment)
    director, upstreams = Director(), dict[str, str]()
    with contextlib.ExitStack() as stack:
        mark = stack.enter_context(leash.hold(home))
        address = stack.enter_context(proxy.stand_up(director, upstreams))
        (home / "trust").mkdir(parents=True)
        services = stack.enter_context(service.stand_up(home / "trust", longest=leash.LONGEST))
        port = stack.enter_context(proxy.serve(releases.make_server(home / "releases")))
        registry = start_registry(home / "registry", tools | mark)
        upstreams |= {
            "/v2/": registry,
            releases.API_PATH: f"127.0.0.1:{port}",
            "/": services.url.rpartition("/")[2],
        }
        world = World(
            home=home,
            director=director,
            sigstore=services,
            registry=registry,
            address=address,
            releases=f"127.0.0.1:{port}",
            environment={},
            secrets=(f"ghs_{secrets.token_hex(18)}", services.issuer.bearer),
        )
        services.workflow = Workflow(repository=REPOSITORY)
        world.environment = _environment(world, tools | mark)
        director.acts = {
            "second": world.release_second,
            "newer": world.release_newer,
            "draft": world.make_draft,
            "pages": world.push_pages,
        }
        wait_for_registry(registry, home / "registry")
        _prepare(world, states)
        yield world
        director.disarm()


def _environment(world: World, tools: Mapping[str, str]) -> dict[str, str]:
    """What a job on GitHub sees, with every address that of the proxy."""
    home, services = world.home, world.sigstore
    plain = {name: tools[name] for name in (*_PASSED_ON, leash.LEASH_VARIABLE) if name in tools}
    for name, place in (
        ("HOME", "home"),
        ("TMPDIR", "tmp"),
        ("DOCKER_CONFIG", "docker"),
        ("XDG_CACHE_HOME", "cache"),
    ):
        (home / place).mkdir()
        plain[name] = str(home / place)
    programs.install(home / "bin", world.address, tools)
    plain["PATH"] = f"{home / 'bin'}:{plain['PATH']}"
    url = f"http://{world.address}"
    (home / "far").mkdir()
    seen = replace(
        services,
        url=url,
        trust=write_trust(home / "far", url, services.authority, services.timestamps),
    )
    modern = knows_signing_configs(Processes(tools)(ask_for_help("faults")))
    token = {"GITHUB_TOKEN": world.secrets[0], "GITHUB_API_URL": f"{url}{releases.API_PATH}"}
    return {
        **flags.install(
            home / "bin/signing", programs.find("cosign", tools), seen, plain, modern=modern
        ),
        **origin.isolate(REPOSITORY, home / "origin.git"),
        **token,
        "PYTHONDONTWRITEBYTECODE": "1",
        "NO_MKDOCS_2_WARNING": "1",
    }


def _prepare(world: World, states: int) -> None:
    """A project with a finished release, and one that is due."""
    source = repositories.make_repository(
        world.home / "source", f'[tool.shipway]\nimage = "{world.image}"\n'
    )
    (source / "docs").mkdir()
    (source / "docs/index.md").write_text("# app\n", encoding="utf-8")
    (source / "mkdocs.yml").write_text("site_name: app\ntheme: {name: mkdocs}\n", encoding="utf-8")
    repositories.commit(source, "docs: begin")
    clone = origin.make_origin(source, world.home, "main", "origin", world.environment)
    origin.point_at_github(clone, REPOSITORY, "origin", world.environment)
    base = docker.make_manifest(
        docker.push_blob(world.registry, "library/base", docker.CONFIG, b"{}"), []
    )
    docker.push_manifest(world.registry, "library/base", base, "1")
    _finish(world)
    origin_git(world, clone, "pull", "--quiet", "origin", "main")
    origin.add_commit(clone, "feat: go on", "origin", world.environment)
    shutil.copytree(clone, world.home / "second")
    world.keep("due")
    if states > 1:
        _finish(world)
        world.keep("finished")


def _finish(world: World) -> None:
    run = world.release()
    if run.code != 0:
        raise RuntimeError(f"an undisturbed release ended with {run.code}:\n{run.out}\n{run.err}")


def origin_git(world: World, folder: Path, *words: str) -> str:
    """Run git where the origin is found under its real address."""
    done = subprocess.run(
        (programs.find("git", os.environ), *words),
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        env={**world.environment, **origin.IDENTITY},
    )
    return done.stdout


def read_json(file: Path) -> object:
    """A document, ``None`` where there is no file."""
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
