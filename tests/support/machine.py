"""What tests must not see of the machine that they run on."""

from __future__ import annotations

from collections.abc import MutableMapping

from shipway.tools.git_environment import LOCAL_VARIABLES

_PREFIXES = ("GITHUB_", "ACTIONS_", "RUNNER_")
"""Of the variables that GitHub's runner sets. ``CI`` stays: it makes a missing tool a fault."""


def forget_surroundings(environment: MutableMapping[str, str]) -> None:
    """Take away what tells of the workflow run, and of the repository whose hook it is, that the tests are started in.

    They set the variables that they need.
    """
    for name in [
        name for name in environment if name.startswith(_PREFIXES) or name in LOCAL_VARIABLES
    ]:
        del environment[name]
