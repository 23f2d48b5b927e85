"""A small project whose image lies in the registry of the rehearsal."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.kept import Kept, shipway
from tests.support.layers import elf
from tests.support.repositories import commit, make_repository

DOCKERFILE = """\
ARG BASE=python:3.13-slim-trixie
FROM --platform=$BUILDPLATFORM $BASE AS made
ARG TARGETARCH
COPY native /native
RUN mkdir -p /out && cp "/native/$TARGETARCH.so" /out/native.so && echo made > /out/made
FROM scratch
COPY --link --from=made /out /app
COPY --link toy-1.0.dist-info /deps/toy-1.0.dist-info
"""
METADATA = "Metadata-Version: 2.1\nName: toy\nVersion: 1.0\nLicense: MIT\n"


@dataclass
class Toy:
    """A project whose image lies in the registry of the rehearsal."""

    folder: Path
    image: str
    environment: dict[str, str]

    def write(
        self, dockerfile: str = DOCKERFILE, settings: str = "", message: str = "feat: another"
    ) -> str:
        """Change and commit it; gives the commit."""
        (self.folder / "Dockerfile").write_text(dockerfile)
        (self.folder / "pyproject.toml").write_text(
            f'[project]\nname = "toy"\nversion = "1.0"\n[tool.shipway]\nimage = "{self.image}"\n'
            '[tool.shipway.sign]\nkey = "cosign.key"\npublic-key = "cosign.pub"\ntransparency-log = false\n'
            f'signing-config = "none.json"\n{settings}'
        )
        return commit(self.folder, message)

    def run(self, *words: str, code: int = 0) -> dict[str, Any]:
        """One task; gives its document."""
        done = subprocess.run(
            shipway(*words, "--json"),
            cwd=self.folder,
            env=self.environment,
            check=False,
            text=True,
            capture_output=True,
        )
        assert done.returncode == code, done.stderr[-3000:]
        found: dict[str, Any] = json.loads(done.stdout)
        return found | {"said": done.stderr}

    @staticmethod
    def cached(found: dict[str, Any]) -> int:
        """How many of the five steps of a build came from a cache, as its stage says."""
        said = re.search(r"(\d+) of 5 steps came from the cache", found["stages"][0]["reason"])
        assert said, found["stages"][0]["reason"]
        return int(said[1])

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """One task, in a process of its own."""
        return subprocess.Popen(
            shipway(*words),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def make_toy(kept: Kept, home: Path, name: str) -> Toy:
    """A project with a key of its own below ``home``; its image is called ``name``."""
    folder = make_repository(home / "toy")
    for architecture, machine in (("amd64", 62), ("arm64", 183)):
        (folder / "native").mkdir(exist_ok=True)
        (folder / f"native/{architecture}.so").write_bytes(elf(machine))
    (folder / "toy-1.0.dist-info").mkdir()
    (folder / "toy-1.0.dist-info/METADATA").write_text(METADATA)
    (folder / ".dockerignore").write_text("cosign.*\n")
    environment = {**kept.environment, "COSIGN_PASSWORD": "of-this-test-alone", "HOME": str(home)}
    subprocess.run(
        ("cosign", "generate-key-pair"),
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
    )
    subprocess.run(
        ("cosign", "signing-config", "create", "--out", "none.json"),
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
    )
    registry = kept.printed["image"].partition("/")[0]
    toy = Toy(folder, f"{registry}/toy/{name}", environment)
    toy.write()
    return toy
