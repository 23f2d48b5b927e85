"""Side effects: processes, secrets, tools, facts, GitHub's API."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from shipway.errors import ContextError, SettingsError, StepFailed, ToolMissing
from shipway.model import Answer, Command, Effect, Request
from shipway.rehearsal.releases import PREFIX, make_server
from shipway.run.api import Api
from shipway.run.facts import gather, load_project, read_event
from shipway.run.processes import Processes
from shipway.run.secrets import is_secret, redact, split
from shipway.run.tools import cache_folder, equip, is_modern
from tests.rehearsal.programs import install
from tests.repositories import commit, git, make_repository

PATH = {"PATH": os.environ["PATH"]}


def python(code: str, *, live: bool = False, expected: tuple[int, ...] = (0,), secrets: tuple[str, ...] = (),
           folder: str = "") -> Command:
    """A command that runs a line of Python."""
    return Command(name="step", why="a test", argv=(sys.executable, "-I", "-c", code), effect=Effect.LOCAL, live=live,
                   expected=expected, secrets=secrets, folder=folder)


class TestSecrets:
    """What is a secret, and where it does not show."""

    @pytest.mark.parametrize(("name", "secret"), [
        ("GITHUB_TOKEN", True), ("COSIGN_PASSWORD", True), ("AWS_SECRET_ACCESS_KEY", True), ("PATH", False),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", True), ("SSH_AUTH_SOCK", False), ("HOME", False),
    ])
    def test_names(self, name: str, secret: bool) -> None:
        assert is_secret(name) is secret
        assert (name in split({name: "x"})[1]) is secret

    def test_the_longest_value_goes_first_and_short_ones_stay(self) -> None:
        assert redact("abcdefgh abcdef a", ["abcdef", "abcdefgh", "a"]) == "*** *** a"


@pytest.mark.process
class TestProcesses:
    """Running commands."""

    def test_a_secret_reaches_only_the_command_that_names_it_and_never_its_output(self) -> None:
        run = Processes({**PATH, "MY_TOKEN": "hunter2hunter2"})
        show = "import os; print(os.environ.get('MY_TOKEN'))"
        assert run(python(show)).out == "None\n"
        assert run(python(show, secrets=("MY_TOKEN", "NOT_SET_TOKEN"))).out == "***\n"

    def test_a_failure_shows_the_last_lines_redacted_and_what_to_do(self) -> None:
        run = Processes({**PATH, "MY_TOKEN": "hunter2hunter2"})
        with pytest.raises(StepFailed) as caught:
            run(python("import sys; print('hunter2hunter2', file=sys.stderr); sys.exit(3)"))
        assert "exit code 3" in caught.value.message and "| ***" in caught.value.message
        assert "hunter2" not in str(caught.value)

    def test_a_silent_failure_is_told_all_the_same(self) -> None:
        with pytest.raises(StepFailed, match="exit code 3"):
            Processes(PATH)(python("raise SystemExit(3)"))

    def test_an_expected_exit_code_is_an_answer(self) -> None:
        assert Processes(PATH)(python("raise SystemExit(3)", expected=(0, 3))).code == 3

    def test_progress_is_shown_as_it_comes_without_empty_lines(self) -> None:
        lines: list[str] = []
        run = Processes({**PATH, "MY_TOKEN": "hunter2hunter2"}, echo=lines.append)
        answer = run(python("import sys; print('one\\n\\nhunter2hunter2', file=sys.stderr); print('out')", live=True))
        assert lines == ["one", "***"] and answer.out == "out\n"

    @pytest.mark.parametrize("live", [False, True])
    def test_a_command_that_hangs_is_ended(self, live: bool) -> None:
        with pytest.raises(StepFailed):
            Processes(PATH, patience=0.05)(python("import time; time.sleep(60)", live=live))

    def test_a_trouble_that_passes_is_waited_for(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        waited: list[float] = []
        monkeypatch.setattr("shipway.run.processes.time", SimpleNamespace(sleep=waited.append))
        asked = tmp_path / "asked"
        flaky = (f"import pathlib, sys; p = pathlib.Path({str(asked)!r}); n = p.stat().st_size if p.exists() else 0; "
                 "p.write_text('x' * (n + 1)); n < 2 and sys.exit('503 Service Unavailable')")
        command = replace(python(flaky), again="503", effect=Effect.READ)
        said: list[str] = []
        assert Processes(PATH, echo=said.append)(command).code == 0
        assert len(waited) == 2 and 0.5 <= waited[0] <= 1.0 <= waited[1] <= 2.0 and "may pass" in said[0]
        asked.unlink()
        with pytest.raises(StepFailed, match="503"):
            Processes(PATH)(replace(command, again="504"))
        assert len(waited) == 2
        always = replace(python("import sys; sys.exit('503')"), again="503", effect=Effect.READ)
        with pytest.raises(StepFailed) as caught:
            Processes(PATH)(always)
        assert len(waited) == 6 and caught.value.passes
        with pytest.raises(StepFailed):  # what changes something is not done again before somebody has looked
            Processes(PATH)(replace(always, effect=Effect.PUBLISH))
        assert len(waited) == 6

    def test_a_command_is_run_once_more_in_its_other_way(self) -> None:
        said: list[str] = []
        broken = replace(python("import sys; sys.exit('the cache broke')"), otherwise=(
            "cache broke", (sys.executable, "-I", "-c", "print('without')")))
        assert Processes(PATH, echo=said.append)(broken).out == "without\n" and "run once more" in said[0]
        with pytest.raises(StepFailed):
            Processes(PATH)(replace(broken, otherwise=("another", ())))

    def test_a_missing_program_is_named_with_what_to_install(self) -> None:
        with pytest.raises(ToolMissing, match="cosign is not installed") as caught:
            Processes({"PATH": ""})(Command(name="sign", why="", argv=("cosign",), effect=Effect.READ))
        assert "task engine" in caught.value.hint and caught.value.status == 4

    def test_an_engine_that_does_not_answer_is_a_missing_tool(self, tmp_path: Path) -> None:
        install(tmp_path, "docker", "raise SystemExit('Cannot connect to the Docker daemon at unix:///x')")
        with pytest.raises(ToolMissing, match="does not answer") as caught:
            Processes({"PATH": str(tmp_path)})(Command(name="build", why="x", argv=("docker",), effect=Effect.READ))
        assert caught.value.status == 4

    def test_a_docker_without_buildx_is_a_missing_tool(self, tmp_path: Path) -> None:
        install(tmp_path, "docker", "raise SystemExit('unknown flag: --progress')")
        with pytest.raises(ToolMissing, match="without buildx"):
            Processes({"PATH": str(tmp_path)})(Command(name="build", why="x", argv=("docker",), effect=Effect.READ))

    def test_a_folder_that_is_not_there(self) -> None:
        with pytest.raises(ContextError, match="cannot start"):
            Processes(PATH)(python("", folder="/nowhere/at/all"))

    def test_an_interrupt_ends_the_command(self, monkeypatch: pytest.MonkeyPatch) -> None:
        run = Processes(PATH)

        def interrupted(*_: object, **__: object) -> tuple[str, str]:
            raise KeyboardInterrupt

        monkeypatch.setattr(run, "_collect", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(python("import time; time.sleep(60)"))


class TestTools:
    """Which programs commands find."""

    def engine(self, home: Path, pid: int) -> dict[str, str]:
        folder = home / ".cache/shipway/engine"
        folder.mkdir(parents=True)
        (folder / "engine.json").write_text(json.dumps({
            "suite": "trixie", "path": ["/tools"], "env": {"DOCKER_HOST": "unix:///x"},
            "processes": [{"name": "dockerd", "pid": pid, "started": 1}]}))
        return {"HOME": str(home), "PATH": "/usr/bin"}

    def test_the_tools_beside_this_python_come_first(self) -> None:
        path = equip({"PATH": "/usr/bin", "HOME": "/nowhere"})["PATH"]
        assert path == f"{Path(sys.executable).parent}:/usr/bin"

    def test_a_running_engine_is_used(self, tmp_path: Path) -> None:
        found = equip(self.engine(tmp_path, os.getpid()))
        assert found["DOCKER_HOST"] == "unix:///x" and "/tools" in found["PATH"].split(":")

    def test_one_that_is_gone_is_not(self, tmp_path: Path) -> None:
        assert "DOCKER_HOST" not in equip(self.engine(tmp_path, 2 ** 22 + 1))

    def test_one_that_the_user_names_is_not_replaced(self, tmp_path: Path) -> None:
        environment = {**self.engine(tmp_path, os.getpid()), "DOCKER_HOST": "tcp://mine"}
        assert equip(environment)["DOCKER_HOST"] == "tcp://mine"

    def test_the_cache_follows_the_user(self) -> None:
        assert cache_folder({"XDG_CACHE_HOME": "/c"}) == Path("/c/shipway")

    @pytest.mark.parametrize(("said", "modern"), [("--signing-config string", True), ("--tlog-upload", False)])
    def test_generations_of_cosign_are_told_apart_by_what_they_offer(self, said: str, modern: bool) -> None:
        assert is_modern(lambda _: Answer(code=0, out=said)) is modern


@pytest.mark.process
class TestFacts:
    """What a folder shows."""

    def test_no_repository(self, tmp_path: Path) -> None:
        assert gather(PATH, tmp_path, remote="origin", runner=Processes({**PATH, "GIT_CEILING_DIRECTORIES": "/"})
                      ).git is None

    def test_a_repository_without_commits(self, tmp_path: Path) -> None:
        git(tmp_path, "init", "--quiet")
        facts = gather(PATH, tmp_path, remote="origin", runner=Processes(PATH))
        assert facts.git is not None and facts.git.commit == ""

    def test_a_branch_with_a_tag_a_remote_and_a_change(self, tmp_path: Path) -> None:
        make_repository(tmp_path)
        git(tmp_path, "tag", "v1.0.0")
        git(tmp_path, "remote", "add", "origin", "https://github.com/acme/toy.git")
        found = gather(PATH, tmp_path, remote="origin", runner=Processes(PATH)).git
        assert found is not None
        assert (found.branch, found.head_tags, found.changes, found.shallow) == ("main", ("v1.0.0",), (), False)
        assert found.remote_url.endswith("acme/toy.git") and found.epoch == 1_700_000_000
        (tmp_path / "new file").write_text("")
        (tmp_path / "Dockerfile").write_text("")
        found = gather(PATH, tmp_path, remote="x", runner=Processes(PATH)).git
        assert found is not None and found.changes == ("Dockerfile", "new file")

    def test_a_detached_head_in_a_shallow_clone(self, tmp_path: Path) -> None:
        source = make_repository(tmp_path / "source")
        commit(source, "feat: two")
        git(tmp_path, "clone", "--quiet", "--depth=1", source.as_uri(), "shallow")
        git(tmp_path / "shallow", "checkout", "--quiet", "--detach")
        found = gather(PATH, tmp_path / "shallow", remote="origin", runner=Processes(PATH)).git
        assert found is not None and found.shallow and found.branch == ""


class TestFiles:
    """The project's file and GitHub's event."""

    def test_no_pyproject(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match="no pyproject.toml"):
            load_project(tmp_path)

    def test_a_pyproject_that_is_no_text(self, tmp_path: Path) -> None:
        (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe")
        with pytest.raises(SettingsError, match="cannot be read"):
            load_project(tmp_path)

    def test_the_event_is_read_in_actions_only(self, tmp_path: Path) -> None:
        event = tmp_path / "event.json"
        event.write_text('{"number": 1}')
        assert read_event({"GITHUB_EVENT_PATH": str(event), "GITHUB_ACTIONS": "true"}) == {"number": 1}
        assert read_event({"GITHUB_EVENT_PATH": str(event)}) == {}
        event.write_text("[]")
        assert read_event({"GITHUB_EVENT_PATH": str(event), "GITHUB_ACTIONS": "true"}) == {}

    def test_a_broken_event_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "event.json").write_text("{")
        with pytest.raises(ContextError, match="GITHUB_EVENT_PATH"):
            read_event({"GITHUB_EVENT_PATH": str(tmp_path / "event.json"), "GITHUB_ACTIONS": "true"})


@pytest.fixture(name="server")
def fixture_server(tmp_path: Path) -> Iterator[ThreadingHTTPServer]:
    """The releases endpoint, in this process."""
    server = make_server(tmp_path)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class TestApi:
    """GitHub's API, through PyGithub, against the stand-in that speaks its protocol."""

    releases = "/repos/acme/toy/releases"

    def send(self, server: ThreadingHTTPServer, method: str, path: str, *, token: str = "a-token", content: bytes = b"",
             expected: tuple[int, ...] = (200, 201), **body: str | bool) -> tuple[int, str]:
        api = Api(f"http://127.0.0.1:{server.server_address[1]}{PREFIX}", token)
        answer = api(Request(name="publish", why="test", method=method, path=path, body=body, content=content,
                             effect=Effect.PUBLISH, expected=expected))
        return answer.code, answer.out

    def test_a_release_from_draft_to_published(self, server: ThreadingHTTPServer) -> None:
        _, text = self.send(server, "POST", self.releases, tag_name="v1", draft=True)
        upload = json.loads(text)["upload_url"].partition("{")[0]
        assert self.send(server, "GET", f"{self.releases}/tags/v1", expected=(404,))[0] == 404
        assert self.send(server, "POST", f"{upload}?name=image.json", content=b"{}")[0] == 201
        with pytest.raises(StepFailed, match="422"):
            self.send(server, "POST", f"{upload}?name=image.json", content=b"{}")
        self.send(server, "PATCH", f"{self.releases}/1", draft=False)
        found = json.loads(self.send(server, "GET", f"{self.releases}?per_page=100&page=1")[1])
        assert (found[0]["draft"], found[0]["assets"][0]["name"]) == (False, "image.json")
        assert self.send(server, "GET", f"{self.releases}/tags/v1")[0] == 200
        assert json.loads(self.send(server, "GET", f"{self.releases}?page=2")[1]) == []

    def test_a_published_tag_cannot_be_released_again(self, server: ThreadingHTTPServer) -> None:
        self.send(server, "POST", self.releases, tag_name="v1")
        with pytest.raises(StepFailed, match="already_exists"):
            self.send(server, "POST", self.releases, tag_name="v1")
        with pytest.raises(StepFailed, match="missing_field"):
            self.send(server, "POST", self.releases, name="x")

    @pytest.mark.parametrize(("method", "path"), [
        ("GET", "/nowhere"), ("PATCH", "/repos/acme/toy/releases/9"), ("POST", "/repos/acme/toy/releases/9/assets"),
    ])
    def test_what_is_not_there(self, server: ThreadingHTTPServer, method: str, path: str) -> None:
        with pytest.raises(StepFailed, match="404"):
            self.send(server, method, path, content=b"x" if method == "POST" else b"")

    def test_a_request_without_a_token_is_not_sent(self, server: ThreadingHTTPServer) -> None:
        with pytest.raises(StepFailed, match="no token") as caught:
            self.send(server, "GET", self.releases, token="")
        assert "GITHUB_TOKEN" in caught.value.hint

    def test_an_api_that_does_not_answer_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from requests import ConnectionError as NoConnection

        api = Api("http://127.0.0.1:1", "a-token")

        def unreachable(_: Request) -> Answer:
            raise NoConnection

        monkeypatch.setattr(api, "_connect", lambda: unreachable)
        with pytest.raises(StepFailed, match="did not answer"):
            api(Request(name="publish", why="test", method="GET", path="/x", effect=Effect.READ))
