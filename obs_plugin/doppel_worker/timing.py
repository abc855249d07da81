"""Percentiles and rates over the last few hundred frames."""

from __future__ import annotations

import bisect
import collections
import time


class RollingTimes:
    """The last ``window`` values, kept sorted, so that percentiles cost nothing when they are asked for."""

    def __init__(self, window: int = 256) -> None:
        self._order: collections.deque[float] = collections.deque()
        self._sorted: list[float] = []
        self._window = window

    def __len__(self) -> int:
        return len(self._order)

    def add(self, value: float) -> None:
        """Takes a value; the oldest goes when there are too many."""
        if len(self._order) == self._window:
            del self._sorted[bisect.bisect_left(self._sorted, self._order.popleft())]
        self._order.append(value)
        bisect.insort(self._sorted, value)

    def percentile(self, percent: float) -> float:
        """The smallest value that ``percent`` of all do not exceed (nearest rank); 0 without values."""
        if not self._sorted:
            return 0.0
        rank = -(-len(self._sorted) * percent // 100)
        return self._sorted[max(int(rank), 1) - 1]


class Rate:
    """Events per second over the last ``seconds`` seconds."""

    def __init__(self, seconds: float = 2.0) -> None:
        self._times: collections.deque[float] = collections.deque()
        self._seconds = seconds

    def count(self, now: float | None = None) -> None:
        """One event, now (seconds of ``time.monotonic``)."""
        self._times.append(time.monotonic() if now is None else now)
        self._forget(self._times[-1])

    def per_second(self, now: float | None = None) -> float:
        """The rate; 0 when nothing happened lately."""
        current = time.monotonic() if now is None else now
        self._forget(current)
        if len(self._times) < 2:
            return 0.0
        return (len(self._times) - 1) / max(current - self._times[0], 1e-3)

    def _forget(self, now: float) -> None:
        while self._times and self._times[0] < now - self._seconds:
            self._times.popleft()
