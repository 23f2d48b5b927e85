"""Tests see nothing of the workflow run that they are a part of."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.machine import forget_surroundings

PROJECT = Path(__file__).parents[2]
RUN = {"GITHUB_ACTIONS": "true", "GITHUB_API_URL": "https://api.invalid", "GITHUB_SHA": "5eed", "RUNNER_OS": "Linux",
       "ACTIONS_RUNTIME_TOKEN": "t"}


def test_what_tells_of_a_run_is_taken_away_and_no_more() -> None:
    environment = {**RUN, "CI": "true", "PATH": "/bin", "MY_GITHUB_NAME": "octocat"}
    forget_surroundings(environment)
    assert environment == {"CI": "true", "PATH": "/bin", "MY_GITHUB_NAME": "octocat"}


def test_nothing_of_the_machine_reaches_a_test() -> None:
    before = dict(os.environ)
    forget_surroundings(os.environ)
    assert before == dict(os.environ)


@pytest.mark.process
def test_nothing_of_a_run_reaches_tests_that_are_started_in_one() -> None:
    done = subprocess.run((sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"{__file__}::"
                           f"{test_nothing_of_the_machine_reaches_a_test.__name__}"), cwd=PROJECT, check=False,
                          env={"PATH": os.environ["PATH"], **RUN}, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout
