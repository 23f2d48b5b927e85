"""What an earlier task left: finished, started again or ended, whatever it was doing when it died."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from shipway.effects.engine_record import Record, Service, read_record, start_time
from shipway.errors import ContextError, ToolMissing
from shipway.rehearsal import engine
from shipway.rehearsal.engine import daemon, services
from shipway.rehearsal.engine.home import Home, check_length
from shipway.rehearsal.engine.sources import Source

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="an engine of shipway's own runs on Linux only"
)

ALIVE = Service("dockerd", os.getpid(), start_time(os.getpid()) or 0)
GONE = Service("mirror", 2**22 + 1, 1)


class Machine:
    """A machine whose engine answers, with every step that costs anything written down instead of done."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.steps: list[str] = []
        self.said: list[str] = []
        self.answers = True
        self.hub = False
        self.ready: list[bool] = []
        self.folder = folder
        self.environment = {"XDG_CACHE_HOME": str(folder), "PATH": "/nowhere"}
        self.base = folder / "shipway/engine"
        patch.setattr(engine, "answers", lambda _: self.answers)
        patch.setattr(engine, "is_root", lambda: True)
        patch.setattr(engine, "other_engine_runs", lambda _: False)
        patch.setattr(
            engine,
            "machine_source",
            lambda *_: Source("http://mirror.example/debian", "trixie", "/key"),
        )
        patch.setattr(engine, "hub_answers", lambda _: self.hub)
        patch.setattr(engine, "fetch_tools", lambda *_: self.steps.append("tools"))
        patch.setattr(engine, "start_mirror", lambda *_: self._start("mirror"))
        patch.setattr(
            engine, "start_engine", lambda home, port, _: self._start(f"engine:{bool(port)}")
        )
        patch.setattr(engine, "fill_mirror", lambda home, *_: self._fill(home))
        patch.setattr(engine, "remove_bridge", lambda *_: self.steps.append("bridge"))
        patch.setattr(engine, "end_service", self._end)
        patch.setattr(engine, "find_services", lambda _: [])

    def _start(self, name: str) -> Service:
        self.steps.append(name)
        return ALIVE

    def _end(self, service: Service) -> bool:
        self.steps.append(f"end {service.name}")
        return service.lives()

    def _fill(self, home: Home) -> None:
        self.steps.append("fill")
        record = read_record(home.record)
        self.ready.append(record is not None and record.ready)

    def remember(self, *processes: Service, suite: str = "trixie", ready: bool = True) -> None:
        """Leave the record of an earlier task."""
        Record(suite=suite, path=(), env={}, processes=processes, ready=ready).write(
            self.base / "engine.json"
        )
        (self.base / suite).mkdir(exist_ok=True)
        (self.base / suite / "engine.json").write_bytes((self.base / "engine.json").read_bytes())

    def ensure(self, suite: str = "trixie") -> str:
        """Make sure of the engine."""
        return engine.ensure_engine(self.said.append, environment=self.environment, suite=suite)


@pytest.fixture(name="machine")
def fixture_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    yield Machine(tmp_path, monkeypatch)


class TestRepair:
    """Nothing that answers halfway is taken for whole."""

    def test_a_whole_engine_is_left_alone(self, machine: Machine) -> None:
        machine.remember(ALIVE)
        assert "nothing to do" in machine.ensure() and not machine.steps

    def test_an_engine_whose_mirror_ended_is_started_again(self, machine: Machine) -> None:
        machine.remember(ALIVE, GONE)
        assert "is running" in machine.ensure()
        assert (
            machine.steps[-4:] == ["tools", "mirror", "engine:True", "fill"]
            and "end dockerd" in machine.steps
        )

    def test_a_mirror_that_was_not_filled_is_filled(self, machine: Machine) -> None:
        machine.remember(ALIVE, ready=False)
        assert "would unpack" in engine.preview_engine(environment=machine.environment)
        machine.ensure()
        assert "fill" in machine.steps and machine.ready == [False]
        record = read_record(machine.base / "engine.json")
        assert record is not None and record.ready

    def test_no_stand_ins_where_docker_hub_answers(self, machine: Machine) -> None:
        machine.answers, machine.hub = False, True
        machine.ensure()
        assert machine.steps[-2:] == ["tools", "engine:False"]

    def test_records_of_earlier_versions_are_whole(self, machine: Machine) -> None:
        machine.remember(ALIVE)
        file = machine.base / "engine.json"
        file.write_text(file.read_text().replace(',\n  "ready": true', ""))
        assert '"ready"' not in file.read_text() and "nothing to do" in machine.ensure()


class TestSuites:
    """Engines from two suites, side by side."""

    def test_another_suite_is_started_beside_the_first_and_used(self, machine: Machine) -> None:
        machine.remember(ALIVE)
        assert "sid is running" in machine.ensure("sid") and "end dockerd" not in machine.steps
        record = read_record(machine.base / "engine.json")
        assert record is not None and record.suite == "sid"

    def test_the_first_is_taken_back_into_use_as_it_is(self, machine: Machine) -> None:
        machine.remember(ALIVE)
        machine.ensure("sid")
        machine.steps.clear()
        assert "trixie is running" in machine.ensure() and not machine.steps
        record = read_record(machine.base / "engine.json")
        assert record is not None and record.suite == "trixie"

    def test_stopping_ends_both(self, machine: Machine) -> None:
        machine.remember(ALIVE, suite="sid")
        machine.remember(ALIVE)
        assert set(engine.stop_engine(machine.said.append, environment=machine.environment)) == {
            "dockerd"
        }
        assert machine.steps.count("bridge") == 2 and not list(machine.base.rglob("engine.json"))

    def test_a_preview_names_the_services_of_both_and_those_without_a_record(
        self, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        machine.remember(replace(ALIVE, name="dockerd of sid"), suite="sid")
        machine.remember(ALIVE, GONE)
        unrecorded = {"sid": replace(ALIVE, name="mirror of sid"), "trixie": ALIVE}

        def find_services(commands: Mapping[str, tuple[str, ...]]) -> list[Service]:
            suite = "sid" if "/sid/" in commands["dockerd"][0] else "trixie"
            return [unrecorded[suite]]

        monkeypatch.setattr(engine, "find_services", find_services)
        assert sorted(engine.preview_stop(machine.environment)) == [
            "dockerd",
            "dockerd of sid",
            "mirror of sid",
        ]


class TestRefusal:
    """Where an engine of our own would be of no use or do harm."""

    def test_an_engine_that_the_user_names_is_not_replaced(self, machine: Machine) -> None:
        machine.answers = False
        machine.environment["DOCKER_HOST"] = "unix:///run/none.sock"
        with pytest.raises(ToolMissing, match="DOCKER_HOST") as caught:
            machine.ensure()
        assert "unset" in caught.value.hint and not machine.steps

    def test_no_second_engine_beside_the_machines_own(
        self, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        machine.answers = False
        monkeypatch.setattr(engine, "other_engine_runs", lambda _: True)
        with pytest.raises(ToolMissing, match="Docker runs here") as caught:
            machine.ensure()
        assert caught.value.status == 4 and not machine.steps

    def test_the_machines_own_is_known_by_its_socket(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if sys.platform == "win32":
            pytest.skip("Docker has no such socket on Windows")
        (tmp_path / "run").mkdir()
        assert not daemon.other_engine_runs(tmp_path)
        monkeypatch.chdir(tmp_path)  # a short name for the socket
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("run/docker.sock")
            assert not daemon.other_engine_runs(Path())  # a file that nobody listens on any more
            listening.listen()
            assert daemon.other_engine_runs(Path())

    @pytest.mark.parametrize(
        ("platform", "words"), [("darwin", "brew install"), ("win32", "install Docker Engine")]
    )
    def test_elsewhere_than_on_linux_no_engine_is_started(
        self, machine: Machine, monkeypatch: pytest.MonkeyPatch, platform: str, words: str
    ) -> None:
        machine.answers = False
        monkeypatch.setattr(sys, "platform", platform)
        with pytest.raises(ToolMissing, match="on Linux only") as caught:
            engine.ensure_engine(
                machine.said.append, environment=machine.environment, root=machine.folder
            )
        assert words in caught.value.hint and not machine.steps

    def test_on_windows_nothing_is_asked_that_only_others_have(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "platform", "win32")
        assert not daemon.is_root() and not daemon.other_engine_runs()
        assert not services.end_service(ALIVE)

    def test_on_windows_there_is_no_engine_to_end(
        self, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "platform", "win32")
        with pytest.raises(ContextError, match="none to end"):
            engine.stop_engine(machine.said.append, environment=machine.environment)

    def test_a_folder_that_is_too_long_for_sockets_is_named(self) -> None:
        check_length(Home(Path("/root/.cache/shipway/engine/trixie")))
        with pytest.raises(ContextError, match="too long") as caught:
            check_length(Home(Path("/" + "long/" * 20)))
        assert "XDG_CACHE_HOME" in caught.value.hint


def test_services_without_a_record_are_found_by_their_whole_command_line(tmp_path: Path) -> None:
    lines = {
        "7": "dockerd\0--config-file\0/cache/daemon.json\0",
        "8": "dockerd\0--config-file\0/other/daemon.json\0",
    }
    for pid, line in lines.items():
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "cmdline").write_text(line)
        (tmp_path / pid / "stat").write_text(f"{pid} (dockerd) S " + "0 " * 18 + "77 0")
    (tmp_path / "9").mkdir()
    (tmp_path / "9/cmdline").mkdir()  # what cannot be read has ended
    commands = {"dockerd": ("dockerd", "--config-file", "/cache/daemon.json")}
    assert services.find_services(commands, tmp_path) == [Service("dockerd", 7, 77)]


def test_who_waits_for_another_task_is_told(machine: Machine) -> None:
    if sys.platform == "win32":
        pytest.skip("Windows has no flock")
    import fcntl

    machine.base.mkdir(parents=True)
    told = threading.Event()
    with (machine.base.parent / "engine.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said: list[str] = []

        def progress(line: str) -> None:
            said.append(line)
            told.set()

        waiting = threading.Thread(
            target=engine.stop_engine, args=(progress,), kwargs={"environment": machine.environment}
        )
        waiting.start()
        assert told.wait(10)
        fcntl.flock(lock, fcntl.LOCK_UN)
        waiting.join(10)
    assert "waiting" in said[0] and not waiting.is_alive()
