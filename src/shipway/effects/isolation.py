"""Runs code of others in this process as if it had been started alone, in a folder of its own.

python-semantic-release, GitPython and a project's own commit parser read the environment of the
process, its working folder and ``sys.path``. For as long as they run they find there what they are
meant to see; one after the other, since a process has one of each.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_LOCK = threading.RLock()


@contextmanager
def isolated(folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Work in ``folder`` with no variables but those of ``environment``, and no standard output.

    All of it is as before at the end, also after an error. Modules that were imported from the
    repository of ``folder`` are forgotten: the next one may have others of the same names.
    """
    with (
        _LOCK,
        _only_variables(environment),
        contextlib.chdir(folder),
        _modules_of(folder),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        yield


@contextmanager
def _only_variables(environment: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    try:
        _replace_variables(environment)
        yield
    finally:
        _replace_variables(before)


def _replace_variables(environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)


@contextmanager
def _modules_of(folder: Path) -> Iterator[None]:
    """Let modules of ``folder`` be found, as `python -m` does where it is started."""
    loaded = set(sys.modules)
    path = sys.path[:]
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path[:] = path
        repository = find_repository(folder.resolve())
        for name in set(sys.modules) - loaded:
            if _lies_in(repository, name):
                del sys.modules[name]


def find_repository(folder: Path) -> Path:
    """Give the root of the git repository that ``folder`` is in, else the folder itself."""
    for parent in (folder, *folder.parents):
        if (parent / ".git").exists():
            return parent
    return folder


def _lies_in(folder: Path, module_name: str) -> bool:
    module = sys.modules[module_name]
    file: str | None = getattr(module, "__file__", None)
    if file is None:
        return False
    path = Path(file).resolve()
    return path.is_relative_to(folder)
