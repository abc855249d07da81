"""Slows the worker down while OBS itself is late, and stops doing so where it does not help.

OBS counts the frames that it drew too late. When too many are late the worker's rate is halved (and halved
again); a halving that does not lower the lag is taken back, because then something else is to blame.
"""

from __future__ import annotations

WINDOW_NS = 2_000_000_000
"""Lag is judged over windows of this length."""
LAG_RATIO = 0.05
"""Share of late frames in a window from which OBS counts as late."""
LATE_WINDOWS = 2
"""As many late windows in a row are needed: a scene that loads is no reason."""
HELPED = 0.7
"""A halving helped if the share of late frames fell below this part of what it was."""
CALM_WINDOWS = 5
"""Windows without lag after which the next faster rate is tried."""
GIVE_UP_NS = 60_000_000_000
"""How long nothing is tried after a halving that did not help."""
MOST = 4


class Throttle:
    """The divisor of the worker's rate, from OBS's counters."""

    def __init__(self) -> None:
        self.divisor = 1
        """1: every frame; 2: every second one; 4."""
        self._window_start_ns: int | None = None
        self._total = 0
        self._lagged = 0
        self._before: float | None = None
        """Share of late frames before the halving that is on trial."""
        self._settling = False
        """True in the window in which the divisor changed, which is not judged."""
        self._late = 0
        self._calm = 0
        self._quiet_until_ns = 0

    def pause(self) -> None:
        """What is counted until the next :meth:`update` is not judged: no frame is swapped yet."""
        self._window_start_ns = None

    def update(self, now_ns: int, total: int, lagged: int) -> int:
        """Takes OBS's counters; returns the divisor.

        Args:
            now_ns: monotonic time.
            total: frames that OBS has drawn.
            lagged: of which late. Counters that fall (OBS starts them anew) begin a new window.
        """
        if self._window_start_ns is None or total < self._total or lagged < self._lagged:
            self._open(now_ns, total, lagged)
            return self.divisor
        if now_ns - self._window_start_ns < WINDOW_NS:
            return self.divisor
        drawn = total - self._total
        ratio = (lagged - self._lagged) / drawn if drawn else 0.0
        self._open(now_ns, total, lagged)
        if self._settling:
            self._settling = False
        else:
            self._judge(now_ns, ratio)
        return self.divisor

    def _open(self, now_ns: int, total: int, lagged: int) -> None:
        self._window_start_ns, self._total, self._lagged = now_ns, total, lagged

    def _judge(self, now_ns: int, ratio: float) -> None:
        if self._before is not None and ratio > HELPED * self._before:
            self._before = None
            self._quiet_until_ns = now_ns + GIVE_UP_NS
            self._set(self.divisor // 2)
            return
        self._before = None
        late = ratio > LAG_RATIO
        self._late = self._late + 1 if late else 0
        self._calm = 0 if late else self._calm + 1
        if self._late >= LATE_WINDOWS and self.divisor < MOST and now_ns >= self._quiet_until_ns:
            self._before = ratio
            self._set(self.divisor * 2)
        elif self._calm >= CALM_WINDOWS and self.divisor > 1:
            self._set(self.divisor // 2)

    def _set(self, divisor: int) -> None:
        self.divisor = max(1, divisor)
        self._settling = True
        self._late = self._calm = 0
