"""The sessions of this project are shipway's own, and one that only its own tests need."""

import os
import shutil
import sys

import nox

import shipway.sessions  # noqa: F401  pylint: disable=unused-import


@nox.session(default=False, venv_backend="none")
def parts(session: nox.Session) -> None:
    """Build the real programs that the end-to-end tests use, from their Go modules, once."""
    if not shutil.which("go") and not os.environ.get("CI"):
        session.skip("there is no Go: the tests that need these programs are skipped, too")
    # The interpreter that read this file has shipway.
    session.run(sys.executable, "-m", "tests.parts", *session.posargs, external=True)
