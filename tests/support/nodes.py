"""BuildKits on this machine, each a node of a builder of the driver `remote`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shipway.effects.processes import Processes
from shipway.rehearsal import background, leash
from shipway.rehearsal.engine.mounts import unmount_below
from shipway.rehearsal.waiting import wait_until
from tests.support.parts import require_part

PATIENCE = 60.0
"""Seconds in which a BuildKit answers."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """A BuildKit: it can be ended in the midst of a build, and be there again with what it had built."""

    folder: Path
    environment: Mapping[str, str]
    running: list[subprocess.Popen[bytes]]

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"unix://{self.folder}/socket"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        log = self.folder / "log"
        argv = (
            "buildkitd",
            f"--root={self.folder / 'root'}",
            f"--addr={self.address}",
            f"--config={self.folder / 'buildkitd.toml'}",
            f"--otel-socket-path={self.folder / 'otel'}",
            "--oci-worker-binary=buildkit-runc",
        )
        self.running.append(background.start(argv, self.environment, log, own_session=True))
        assert wait_until(self._answers, patience=PATIENCE), background.read_ending(log)

    def end(self, *, hard: bool = False) -> None:
        """End it: with ``hard`` in the midst of whatever it does."""
        process = self.running.pop()
        if hard:
            process.kill()
        else:
            process.terminate()
        process.wait(timeout=PATIENCE)

    def _answers(self) -> bool:
        question = ("buildctl", f"--addr={self.address}", "debug", "workers")
        done = subprocess.run(question, env=self.environment, capture_output=True, check=False)
        return done.returncode == 0


@contextmanager
def stand_up_nodes(
    names: tuple[str, ...], mirrors: tuple[str, ...], environment: Mapping[str, str]
) -> Iterator[tuple[Node, ...]]:
    """Start a node for each name, which asks ``mirrors`` for images of Docker Hub; all end with the block.

    Where the programs were not built, or nobody may start containers, a laptop skips, and CI fails.
    """
    if sys.platform == "win32" or os.geteuid() != 0:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("a BuildKit needs root")
    programs = [str(require_part(name)) for name in ("buildkit", "runc")]
    path = os.pathsep.join((*programs, environment["PATH"]))
    # The name of a socket may have 107 bytes.
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nodes-")))
        mark = stack.enter_context(leash.hold(folder))
        own = {**environment, **mark, "PATH": path, "HOME": str(folder)}
        # What a node that was killed had mounted stays, and its folder could not go.
        stack.callback(unmount_below, folder, Processes(own))
        nodes = []
        for name in names:
            node = Node(folder=folder / name, environment=own, running=[])
            node.folder.mkdir()
            settings = render_settings(mirrors)
            (node.folder / "buildkitd.toml").write_text(settings, encoding="utf-8")
            node.start()
            stack.callback(_end_all, node)
            nodes.append(node)
        yield tuple(nodes)


def _end_all(node: Node) -> None:
    while node.running:
        node.end()


def render_settings(mirrors: tuple[str, ...]) -> str:
    """Let a BuildKit ask the mirrors that the engine asks; they speak HTTP."""
    hosts = [urlsplit(mirror).netloc for mirror in mirrors]
    lines = ['[registry."docker.io"]', f"mirrors = {json.dumps(hosts)}"]
    for host in hosts:
        lines += [f'[registry."{host}"]', "http = true"]
    return "\n".join(lines)
