"""When a worker that ended may be started again."""

from __future__ import annotations

FIRST_NS = 250_000_000
LONGEST_NS = 30_000_000_000
USEFUL_NS = 1_000_000_000
"""A worker that served this long was worth starting: the next start does not wait."""


class Backoff:
    """Waits longer after each worker that ended before it was of use."""

    def __init__(self) -> None:
        self._failures = 0
        self._not_before_ns = 0

    def may_start(self, now_ns: int) -> bool:
        """True when a worker may be started."""
        return now_ns >= self._not_before_ns

    def ended(self, now_ns: int, served_ns: int) -> None:
        """A worker ended, ``served_ns`` after it was ready; 0: it never was."""
        if served_ns >= USEFUL_NS:
            self._failures, self._not_before_ns = 0, now_ns
            return
        self._not_before_ns = now_ns + min(FIRST_NS << min(self._failures, 20), LONGEST_NS)
        self._failures += 1
