"""Chooses the delay D of a lane: after how many source frames a frame's result is shown.

D is the smallest number of frame intervals into which the 95th percentile of the worker's turnaround
(submit to done) fits. It grows soon, because a result that is late is a held picture, and shrinks late,
because every change of D repeats or skips one frame and moves the sound. It moves by one frame at a time.
"""

from __future__ import annotations

from typing import Sequence

from doppel_obs.samples import Window, percentile

MARGIN_NS = 2_000_000
"""Room for the jitter of OBS's own tick, nanoseconds."""
HYSTERESIS = 0.15
"""D shrinks only if this share of a frame interval stays free afterwards."""
GROW_WINDOW_NS = 1_000_000_000
SHRINK_WINDOW_NS = 8_000_000_000
GROW_SAMPLES = 12
"""Fewest results that are believed when D grows."""
SHRINK_SAMPLES = 60
_INTERVAL_CHANGE = 0.2
"""A frame interval that changed by this share is a new source: its measurements start anew."""


class DelayController:
    """The delay of one lane.

    Args:
        most: largest D, from the number of slots.
        start: D until something is known.
    """

    def __init__(self, most: int, start: int = 2) -> None:
        self._most = max(1, most)
        self.frames = min(max(1, start), self._most)
        """D, 1 to ``most``."""
        self._turnarounds = Window(SHRINK_WINDOW_NS)
        self._interval_ns = 0
        self._changed_ns = 0

    def limit(self, most: int) -> None:
        """A new largest D: the lane got another number of slots."""
        self._most = max(1, most)
        self.frames = min(self.frames, self._most)

    def restart(self, now_ns: int) -> None:
        """Forgets what was measured (new worker, new geometry); D itself stays."""
        self._turnarounds.clear()
        self._changed_ns = now_ns

    def update(self, now_ns: int, turnarounds_ns: Sequence[int], interval_ns: int) -> int:
        """Takes new measurements; returns D.

        Args:
            now_ns: monotonic time.
            turnarounds_ns: of the results that were shown since the last call.
            interval_ns: distance of the source's frames; 0: unknown, D stays.
        """
        if interval_ns <= 0:
            return self.frames
        if self._interval_ns == 0:
            self._interval_ns, self._changed_ns = interval_ns, now_ns
        if abs(interval_ns - self._interval_ns) > _INTERVAL_CHANGE * self._interval_ns:
            self._interval_ns = interval_ns
            self.restart(now_ns)
        for value in turnarounds_ns:
            self._turnarounds.add(now_ns, float(value))
        if self._must_grow(now_ns):
            self._change(now_ns, 1)
        elif self._may_shrink(now_ns):
            self._change(now_ns, -1)
        return self.frames

    def _must_grow(self, now_ns: int) -> bool:
        if self.frames >= self._most or now_ns - self._changed_ns < GROW_WINDOW_NS:
            return False
        recent = self._turnarounds.values(now_ns, GROW_WINDOW_NS)
        needed = percentile(recent, 95) if len(recent) >= GROW_SAMPLES else None
        return needed is not None and needed + MARGIN_NS > self.frames * self._interval_ns

    def _may_shrink(self, now_ns: int) -> bool:
        if self.frames <= 1 or now_ns - self._changed_ns < SHRINK_WINDOW_NS:
            return False
        recent = self._turnarounds.values(now_ns)
        needed = percentile(recent, 95) if len(recent) >= SHRINK_SAMPLES else None
        room = (self.frames - 1 - HYSTERESIS) * self._interval_ns
        return needed is not None and needed + MARGIN_NS <= room

    def _change(self, now_ns: int, step: int) -> None:
        self.frames += step
        self._changed_ns = now_ns
