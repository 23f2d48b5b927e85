"""Which programs commands find."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from shipway.effects.engine_record import Record, Service, start_time
from shipway.effects.environment import cache_folder, equip
from shipway.model.actions import Answer
from shipway.tools.cosign import knows_signing_configs

THIS_PROCESS = Service("dockerd", os.getpid(), start_time(os.getpid()) or 0)
THIS_PROCESS_JSON = json.dumps(asdict(THIS_PROCESS)).encode()
RECORD = b"""{"suite": "trixie", "path": ["/tools"], "processes": [%s], "env": {%s: "b"}}"""


class TestTools:
    """Which programs commands find."""

    def engine(self, home: Path, service: Service) -> dict[str, str]:
        """Remember an engine below ``home``; gives an environment in which it is looked for."""
        record = Record(
            suite="trixie",
            path=("/tools",),
            env={"DOCKER_HOST": "unix:///x"},
            processes=(service,),
        )
        record.write(home / ".cache/shipway/engine/engine.json")
        return {"HOME": str(home), "PATH": "/usr/bin"}

    def test_the_tools_beside_this_python_come_first(self) -> None:
        path = equip({"PATH": "/usr/bin", "HOME": "/nowhere"})["PATH"]
        assert path == f"{Path(sys.executable).parent}:/usr/bin"

    def test_a_running_engine_is_used(self, tmp_path: Path) -> None:
        environment = equip(self.engine(tmp_path, THIS_PROCESS))
        assert environment["DOCKER_HOST"] == "unix:///x"
        assert "/tools" in environment["PATH"].split(":")

    def test_one_that_is_gone_is_not(self, tmp_path: Path) -> None:
        gone = Service("dockerd", 2**22 + 1, 1)
        assert "DOCKER_HOST" not in equip(self.engine(tmp_path, gone))

    def test_another_process_with_the_id_of_one_that_is_gone_is_no_engine(
        self, tmp_path: Path
    ) -> None:
        earlier = replace(THIS_PROCESS, started=THIS_PROCESS.started - 1)
        assert "DOCKER_HOST" not in equip(self.engine(tmp_path, earlier))

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b'{"suite": "trixie"', id="cut off"),
            pytest.param(b'{"path": ["/tools"], "env": {}}', id="without processes"),
            pytest.param(b"[]", id="a list"),
            pytest.param(b"[" * 100_000, id="deep"),
            pytest.param(b"\xff", id="no text"),
            pytest.param(RECORD % (b"7", b'"A"'), id="a process that is a number"),
            pytest.param(RECORD % (b'{"name": "dockerd"}', b'"A"'), id="a process without an id"),
            pytest.param(
                RECORD % (b'{"name": "dockerd", "pid": "../1", "started": 1}', b'"A"'),
                id="a process id that is a path",
            ),
            pytest.param(
                RECORD % (b'{"name": "dockerd", "pid": %s, "started": 1}' % (b"9" * 5000), b'"A"'),
                id="a process id of 5,000 digits",
            ),
            pytest.param(RECORD % (THIS_PROCESS_JSON, b'"A\\u0000"'), id="a name with a NUL"),
            pytest.param(RECORD % (THIS_PROCESS_JSON, b'"A=B"'), id="a name with an equals sign"),
        ],
    )
    def test_a_record_that_cannot_be_read_is_no_engine(
        self, tmp_path: Path, content: bytes
    ) -> None:
        environment = self.engine(tmp_path, THIS_PROCESS)
        (tmp_path / ".cache/shipway/engine/engine.json").write_bytes(content)
        assert equip(environment) == equip({**environment, "HOME": "/nowhere"}) | {
            "HOME": str(tmp_path)
        }

    def test_one_that_the_user_names_is_not_replaced(self, tmp_path: Path) -> None:
        environment = {**self.engine(tmp_path, THIS_PROCESS), "DOCKER_HOST": "tcp://mine"}
        assert equip(environment)["DOCKER_HOST"] == "tcp://mine"

    def test_a_process_may_name_itself_in_any_bytes(self, tmp_path: Path) -> None:
        (tmp_path / "7").mkdir()
        (tmp_path / "7/stat").write_bytes(b"7 (\xff) a) S " + b"0 " * 18 + b"77 0")
        assert start_time(7, tmp_path) == 77

    def test_a_service_whose_start_was_not_seen_does_not_live(self, tmp_path: Path) -> None:
        assert not Service("dockerd", 7, 0).lives(tmp_path)

    def test_the_cache_follows_the_user(self) -> None:
        assert cache_folder({"XDG_CACHE_HOME": "/c"}) == Path("/c/shipway")
        assert cache_folder({"HOME": "/h"}) == Path("/h/.cache/shipway")

    def test_a_user_without_the_variable_has_the_listed_home(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        users = pytest.importorskip("pwd")
        monkeypatch.setattr(users, "getpwuid", lambda _: SimpleNamespace(pw_dir="/u"))
        assert cache_folder({}) == Path("/u/.cache/shipway")

        def nobody(_user: int) -> None:
            raise KeyError

        monkeypatch.setattr(users, "getpwuid", nobody)
        assert cache_folder({}) == Path("/.cache/shipway")

    @pytest.mark.parametrize(
        ("help_text", "third"), [("--signing-config string", True), ("--tlog-upload", False)]
    )
    def test_generations_of_cosign_are_told_apart_by_what_they_offer(
        self, help_text: str, third: bool
    ) -> None:
        assert knows_signing_configs(Answer(code=0, out=help_text)) is third
