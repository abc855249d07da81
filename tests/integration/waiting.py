"""How the tests wait: for what is to come, never for a time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any


def wait_for(condition: Callable[[], Any], timeout: float, what: str) -> Any:
    """Polls until the condition gives something true, and returns that; fails the test after ``timeout``
    seconds, or as many more as there are processes that want one processor."""
    begin = time.monotonic()
    while True:
        value = condition()
        if value:
            return value
        waited = time.monotonic() - begin
        if waited > timeout * _crowd():
            raise AssertionError(f"after {waited:.0f} s: {what}")
        time.sleep(0.02)


def _crowd() -> float:
    """How many processes share one processor of this machine now, 1 to 6."""
    return min(6.0, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))
