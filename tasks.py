"""The tasks of this project are shipway's own."""

from shipway.tasks import namespace

__all__ = ["namespace"]
