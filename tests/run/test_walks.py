"""A few random walks; the end-to-end lane takes two hundred."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.walks import Walk


def test_random_walks() -> None:
    run_state_machine_as_test(
        Walk,
        settings=settings(
            max_examples=15,
            stateful_step_count=10,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("moment", range(12))
def test_another_commit_is_released_while_a_release_is_at_this_change(moment: int) -> None:
    walk = Walk()
    walk.race(moment=moment, other=0, place=0, pushed=True)
    walk.latest_goes_forward()
    walk.teardown()
