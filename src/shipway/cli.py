"""The `shipway` program: the Invoke collection for projects without a `tasks.py`."""

from __future__ import annotations

from invoke.program import Program

from shipway import __version__
from shipway.tasks import namespace


def main() -> None:
    """Run the program; it exits with the documented statuses."""
    Program(name="shipway", namespace=namespace, version=__version__).run()
