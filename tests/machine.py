"""What tests must not see of the machine that they run on."""

from __future__ import annotations

from collections.abc import MutableMapping

_PREFIXES = ("GITHUB_", "ACTIONS_", "RUNNER_")
"""Of the variables that GitHub's runner sets. ``CI`` stays: it makes a missing tool a fault."""


def forget_surroundings(environment: MutableMapping[str, str]) -> None:
    """Take away what tells of the workflow run that the tests are a part of: they set the variables that they need."""
    for name in [name for name in environment if name.startswith(_PREFIXES)]:
        del environment[name]
