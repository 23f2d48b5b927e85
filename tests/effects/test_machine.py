"""Tests see nothing of the workflow run that they are a part of, nor of the repository whose hook runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.machine import forget_surroundings

PROJECT = Path(__file__).parents[2]
RUN = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_API_URL": "https://api.invalid",
    "GITHUB_SHA": "5eed",
    "RUNNER_OS": "Linux",
    "ACTIONS_RUNTIME_TOKEN": "t",
}


def test_what_tells_of_a_run_or_a_hook_is_taken_away_and_no_more() -> None:
    environment = {
        **RUN,
        "GIT_DIR": ".git",
        "CI": "true",
        "PATH": "/bin",
        "MY_GITHUB_NAME": "octocat",
    }
    forget_surroundings(environment)
    assert environment == {"CI": "true", "PATH": "/bin", "MY_GITHUB_NAME": "octocat"}


def test_nothing_of_the_machine_reaches_a_test() -> None:
    before = dict(os.environ)
    forget_surroundings(os.environ)
    assert before == dict(os.environ)


@pytest.mark.process
def test_nothing_of_it_reaches_tests_that_a_run_or_a_hook_starts() -> None:
    hook = {"GIT_DIR": "/nowhere/.git", "GIT_INDEX_FILE": "/nowhere/.git/index"}
    test = f"{__file__}::{test_nothing_of_the_machine_reaches_a_test.__name__}"
    done = subprocess.run(
        (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test),
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], **RUN, **hook},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
