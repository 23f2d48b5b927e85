"""A few random walks; the end-to-end lane takes two hundred."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.walks import Walk


def test_random_walks() -> None:
    run_state_machine_as_test(Walk, settings=settings(
        max_examples=15, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)))
