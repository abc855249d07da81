"""When a worker that ended may be started again."""

from __future__ import annotations

FIRST_NS = 250_000_000
"""The wait after the second failure in a row; it doubles with each further one."""
LONGEST_NS = 30_000_000_000
USEFUL_NS = 1_000_000_000
"""A worker that served this long was worth starting: what failed before it is forgotten."""


class Backoff:
    """The first failure is no reason to wait; each further one in a row is, longer and longer."""

    def __init__(self) -> None:
        self._failures = 0
        self._not_before_ns = 0

    def may_start(self, now_ns: int) -> bool:
        """True when a worker may be started."""
        return now_ns >= self._not_before_ns

    def ended(self, now_ns: int, served_ns: int) -> None:
        """A worker ended, ``served_ns`` after it was ready; 0: it never was."""
        if served_ns >= USEFUL_NS:
            self._failures = 0
        wait_ns = FIRST_NS << min(self._failures - 1, 20) if self._failures else 0
        self._not_before_ns = now_ns + min(wait_ns, LONGEST_NS)
        self._failures += 1
