"""Which programs commands find."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from shipway.effects.environment import cache_folder, equip, is_modern
from shipway.model.actions import Answer


class TestTools:
    """Which programs commands find."""

    def engine(self, home: Path, pid: int) -> dict[str, str]:
        folder = home / ".cache/shipway/engine"
        folder.mkdir(parents=True)
        (folder / "engine.json").write_text(
            json.dumps(
                {
                    "suite": "trixie",
                    "path": ["/tools"],
                    "env": {"DOCKER_HOST": "unix:///x"},
                    "processes": [{"name": "dockerd", "pid": pid, "started": 1}],
                }
            )
        )
        return {"HOME": str(home), "PATH": "/usr/bin"}

    def test_the_tools_beside_this_python_come_first(self) -> None:
        path = equip({"PATH": "/usr/bin", "HOME": "/nowhere"})["PATH"]
        assert path == f"{Path(sys.executable).parent}:/usr/bin"

    def test_a_running_engine_is_used(self, tmp_path: Path) -> None:
        found = equip(self.engine(tmp_path, os.getpid()))
        assert found["DOCKER_HOST"] == "unix:///x" and "/tools" in found["PATH"].split(":")

    def test_one_that_is_gone_is_not(self, tmp_path: Path) -> None:
        assert "DOCKER_HOST" not in equip(self.engine(tmp_path, 2**22 + 1))

    def test_one_that_the_user_names_is_not_replaced(self, tmp_path: Path) -> None:
        environment = {**self.engine(tmp_path, os.getpid()), "DOCKER_HOST": "tcp://mine"}
        assert equip(environment)["DOCKER_HOST"] == "tcp://mine"

    def test_the_cache_follows_the_user(self) -> None:
        assert cache_folder({"XDG_CACHE_HOME": "/c"}) == Path("/c/shipway")

    @pytest.mark.parametrize(
        ("said", "modern"), [("--signing-config string", True), ("--tlog-upload", False)]
    )
    def test_generations_of_cosign_are_told_apart_by_what_they_offer(
        self, said: str, modern: bool
    ) -> None:
        assert is_modern(lambda _: Answer(code=0, out=said)) is modern
