"""When a worker that ended may be started again."""

from __future__ import annotations

FIRST_NS = 250_000_000
"""The first wait; it doubles with each further failure in a row."""
LONGEST_NS = 30_000_000_000
USEFUL_NS = 1_000_000_000
"""A worker that served this long was worth starting: what failed before it is forgotten."""
SHORT_LIFE = 0.1
"""A worker that judged a frame and ended soon after is this part of a failure: it may have been killed."""
WORKED_NS = 200_000_000
"""One that served this long has judged a frame, said or not: it says so only every half second."""
_FREE = 2.0
"""Failures in a row from which there is a wait: a single one is no reason."""


class Backoff:
    """Waits longer and longer while workers end before they are of use."""

    def __init__(self) -> None:
        self._failures = 0.0
        self._not_before_ns = 0

    def may_start(self, now_ns: int) -> bool:
        """True when a worker may be started."""
        return now_ns >= self._not_before_ns

    def ended(self, now_ns: int, served_ns: int, *, judged: bool) -> None:
        """A worker ended.

        Args:
            now_ns: monotonic time.
            served_ns: time since it was ready; 0: it never was.
            judged: it had judged a frame.
        """
        if served_ns >= USEFUL_NS:
            self._failures = 0.0
        self._failures += SHORT_LIFE if judged or served_ns >= WORKED_NS else 1.0
        doubled = int(self._failures - _FREE)
        wait_ns = FIRST_NS << min(doubled, 20) if self._failures >= _FREE else 0
        self._not_before_ns = now_ns + min(wait_ns, LONGEST_NS)
