"""A clone reaches what the checkout reaches: by its ssh, its headers, its helpers, its addresses."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from shipway.errors import ContextError, StepFailed
from shipway.model.actions import Answer, Command
from shipway.run.clone import Clone
from shipway.run.fresh_clone import open_clone
from shipway.tools.git import push
from tests.support.repositories import git
from tests.support.scene import Scene

pytestmark = pytest.mark.process

SECRET = "AUTHORIZATION: basic c2VjcmV0"
SSH = """#!/bin/sh
# Stands in for ssh: it knows one key, and runs what it is asked to run here.
test -e "$2" || {{ echo "no such key: $2" >&2; exit 255; }}
for last; do :; done
exec sh -c "$(echo "$last" | sed 's|/acme/toy.git|{bare}|')"
"""


@contextmanager
def clone_of(scene: Scene, **environment: str) -> Iterator[tuple[Clone, list[str]]]:
    """Open a clone; gives it, and every word of a command and every variable that it was made with."""
    session = scene.session(GIT_ALLOW_PROTOCOL="file:http:ssh", **environment)
    words: list[str] = []

    def runner(command: Command) -> Answer:
        words.extend((*command.argv, *command.env.values()))
        return session.executor.runner(command)

    watched = replace(session, executor=replace(session.executor, runner=runner))
    with open_clone(watched) as clone:
        yield clone, words


def push_topic(clone: Clone) -> None:
    """Push a branch to the clone's remote."""
    clone.executor(push("x", "x", clone.folder, "origin", "HEAD:refs/heads/topic"))


def make_ssh(scene: Scene) -> None:
    """Let the remote be reached by an ssh and a key of the checkout alone."""
    ssh = scene.clone / "my ssh"
    ssh.write_text(SSH.format(bare=scene.folder / "origin.git"))
    ssh.chmod(0o755)
    (scene.clone / "deploy.key").write_text("")
    git(scene.clone, "remote", "set-url", "origin", "ssh://git@host.invalid/acme/toy.git")


def test_an_ssh_command_of_the_checkout(scene: Scene) -> None:
    make_ssh(scene)
    with pytest.raises(StepFailed), clone_of(scene):
        pass
    git(scene.clone, "config", "core.sshCommand", "'./my ssh' -i deploy.key")
    with clone_of(scene) as (clone, _):
        push_topic(clone)
    assert git(scene.folder / "origin.git", "rev-parse", "topic") == git(
        scene.clone, "rev-parse", "HEAD"
    )


def test_an_ssh_command_of_the_environment(scene: Scene) -> None:
    make_ssh(scene)
    with clone_of(scene, GIT_SSH_COMMAND="'./my ssh' -i deploy.key") as (clone, _):
        push_topic(clone)


def test_settings_that_the_user_bound_to_the_checkouts_folder(scene: Scene) -> None:
    make_ssh(scene)
    settings = scene.folder / "gitconfig"
    (scene.folder / "work").write_text(
        "[core]\n\tsshCommand = './my ssh' -i deploy.key\n", encoding="utf-8"
    )
    with settings.open("a", encoding="utf-8") as file:
        file.write(f'[includeIf "gitdir:{scene.clone}/"]\n\tpath = work\n')
    with clone_of(scene):
        pass


class Gate(SimpleHTTPRequestHandler):
    """Serves a folder to whoever brings the right header, once."""

    def do_GET(self) -> None:
        """Serve a file."""
        if self.headers.get_all("Authorization") == [SECRET.partition(": ")[2]]:
            super().do_GET()
        else:
            self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture(name="gate")
def fixture_gate(scene: Scene) -> Iterator[str]:
    """Let the remote be a web server that wants a header; gives its address."""
    git(scene.folder / "origin.git", "update-server-info")
    handler = partial(Gate, directory=str(scene.folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    git(scene.clone, "remote", "set-url", "origin", f"{address}origin.git")
    yield address
    server.shutdown()
    server.server_close()


def test_a_header_of_the_checkout_is_sent_and_seen_nowhere(scene: Scene, gate: str) -> None:
    with pytest.raises(StepFailed), clone_of(scene):
        pass
    git(scene.clone, "config", f"http.{gate}.extraheader", SECRET)
    with clone_of(scene) as (clone, words):
        assert not any("c2VjcmV0" in word for word in words)
        for file in clone.folder.rglob("*"):
            assert not file.is_file() or b"c2VjcmV0" not in file.read_bytes()
        settings = clone.folder.parent / "remote.conf"
        assert "c2VjcmV0" in settings.read_text() and settings.stat().st_mode & 0o777 == 0o600


def test_a_header_of_the_users_own_settings_is_sent_once(scene: Scene, gate: str) -> None:
    with (scene.folder / "gitconfig").open("a", encoding="utf-8") as file:
        file.write(f'[http "{gate}"]\n\textraheader = "{SECRET}"\n')
    with clone_of(scene):
        pass


def test_a_header_of_the_environment_is_sent(scene: Scene, gate: str) -> None:
    given = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{gate}.extraheader",
        "GIT_CONFIG_VALUE_0": SECRET,
    }
    with clone_of(scene, **given) as (_, words):
        assert not any("c2VjcmV0" in word for word in words)


def test_an_address_that_only_the_checkout_rewrites(scene: Scene) -> None:
    bare = scene.folder / "origin.git"
    git(scene.clone, "remote", "set-url", "origin", "toy:acme")
    git(scene.clone, "config", f"url.{bare}.insteadOf", "toy:acme")
    with clone_of(scene) as (clone, _):
        assert clone.remote_head() == git(bare, "rev-parse", "main")


def test_an_address_that_is_a_path_from_the_checkout(scene: Scene) -> None:
    git(scene.clone, "remote", "set-url", "origin", "../origin.git")
    with clone_of(scene) as (clone, _):
        push_topic(clone)
    assert git(scene.folder / "origin.git", "rev-parse", "topic")


def test_another_address_to_push_to(scene: Scene) -> None:
    git(scene.folder, "init", "--quiet", "--bare", "other.git")
    git(scene.clone, "remote", "set-url", "--push", "origin", "../other.git")
    with clone_of(scene) as (clone, _):
        push_topic(clone)
    assert git(scene.folder / "other.git", "rev-parse", "topic")
    assert not git(scene.folder / "origin.git", "for-each-ref", "refs/heads/topic")


def test_an_address_with_a_password_is_in_no_command(scene: Scene) -> None:
    address = "https://ann:hunter2222@github.com/acme/toy.git"
    git(scene.clone, "remote", "set-url", "origin", address)
    git(scene.clone, "config", f"url.{scene.folder / 'origin.git'}.insteadOf", address)
    with clone_of(scene, GITHUB_TOKEN="hunter2222") as (clone, words):
        push_topic(clone)
        assert not any("hunter2222" in word for word in words)


def test_trust_that_stands_in_the_environment(scene: Scene) -> None:
    if sys.platform == "win32" or os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    settings = scene.folder / "gitconfig"
    settings.write_text(settings.read_text().replace("directory = *", "directory = /nowhere"))
    for folder in (scene.clone, scene.clone / ".git"):
        os.chown(folder, 54321, 54321)
    with pytest.raises(ContextError, match="somebody else's"), clone_of(scene):
        pass
    trust = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": str(scene.clone),
    }
    with clone_of(scene, **trust):
        pass
