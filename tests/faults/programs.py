"""The programs that a disturbed release finds on its PATH before the real ones."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.faults import announce, docker

_GIT = """#!/bin/sh
case " $* " in
  *" fetch "*"+refs/tags/"*) point=version ;;
  *" push "*:refs/heads/main*) point=push ;;
  *" push "*gh-pages*) point=docs ;;
  *) exec {git} "$@" ;;
esac
exec {python} -IS {announce} {address} "$point" {git} "$@"
"""
_DOCKER = """#!/bin/sh
exec {python} -IS {docker} "$@"
"""


def find(name: str, environment: Mapping[str, str]) -> str:
    """Path of a real program, empty when it is not installed."""
    return shutil.which(name, path=environment.get("PATH", os.defpath)) or ""


def install(folder: Path, address: str, environment: Mapping[str, str]) -> None:
    """Put `git`, which announces itself at ``address``, and `docker` into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    words = {
        "git": find("git", environment),
        "python": sys.executable,
        "announce": announce.__file__,
        "docker": docker.__file__,
        "address": address,
    }
    quoted = {name: shlex.quote(str(value)) for name, value in words.items()}
    for name, script in (("git", _GIT), ("docker", _DOCKER)):
        program = folder / name
        program.write_text(script.format(**quoted), encoding="utf-8")
        program.chmod(0o755)
