"""Wait for what other processes bring about."""

from __future__ import annotations

from collections.abc import Callable

_INTERVAL = 0.02
"""Seconds between two questions."""


def wait_until(holds: Callable[[], bool], *, patience: float) -> bool:
    """Ask ``holds`` until it says yes; say whether it did within ``patience`` seconds.

    It is asked at least once, and an exception that it raises ends the waiting.
    """
    # Slow to import, and most tasks never wait.
    from tenacity import Retrying, retry_if_not_result, stop_after_delay, wait_fixed

    ask = Retrying(
        retry=retry_if_not_result(bool),
        wait=wait_fixed(_INTERVAL),
        stop=stop_after_delay(patience),
        retry_error_callback=lambda _: False,
    )
    return ask(holds)
