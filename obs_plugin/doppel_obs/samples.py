"""A sliding window of measurements and its percentiles."""

from __future__ import annotations

import collections
import math
from typing import Sequence


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The nearest-rank percentile: the smallest value that ``percent`` % of the values do not exceed.

    Args:
        values: in any order; empty gives None.
        percent: above 0, at most 100.
    """
    if not values:
        return None
    rank = math.ceil(percent / 100.0 * len(values))
    return sorted(values)[max(rank, 1) - 1]


class Window:
    """Measurements with their times, the old ones forgotten.

    Args:
        length_ns: how far back the window reaches, nanoseconds.
        most: most measurements that are kept.
    """

    def __init__(self, length_ns: int, most: int = 2000) -> None:
        self._length_ns = length_ns
        self._items: collections.deque[tuple[int, float]] = collections.deque(maxlen=most)

    def add(self, now_ns: int, value: float) -> None:
        """Adds a measurement; times never go back."""
        self._items.append((now_ns, value))
        self._forget(now_ns)

    def values(self, now_ns: int, length_ns: int | None = None) -> Sequence[float]:
        """The values of the last ``length_ns`` (default: the whole window), oldest first."""
        self._forget(now_ns)
        since = now_ns - (self._length_ns if length_ns is None else length_ns)
        return [value for time_ns, value in self._items if time_ns > since]

    def clear(self) -> None:
        """Forgets everything."""
        self._items.clear()

    def _forget(self, now_ns: int) -> None:
        while self._items and self._items[0][0] <= now_ns - self._length_ns:
            self._items.popleft()
