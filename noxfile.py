"""The sessions of this project are shipway's own."""

import shipway.sessions  # noqa: F401  pylint: disable=unused-import
