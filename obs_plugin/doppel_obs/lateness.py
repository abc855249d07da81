"""Whether a lane that swaps is covered again and again, because its results come too late."""

from __future__ import annotations

import collections

from doppel_ipc import gate_abi

WINDOW_NS = 4_000_000_000
"""What is looked at: long enough that one hiccup of a second is no state of its own."""
LEAST_FRAMES = 8
"""Of fewer, a share says nothing."""
BEGINS, ENDS = 0.25, 0.1
"""Share of the frames without a result with which the state begins, and below which it ends."""


class Lateness:
    """Follows one lane's counters, from look to look."""

    def __init__(self) -> None:
        self._looks: collections.deque[tuple[int, int, int]] = collections.deque()
        self._late = False

    def look(self, now_ns: int, gate: gate_abi.Status, *, swapping: bool) -> bool:
        """Takes the counters of one look; True: of the last seconds' frames too many had no result in time.

        Args:
            now_ns: monotonic time.
            gate: the filter's counters.
            swapping: the lane swaps; while it does not, other states say what is shown.
        """
        if not swapping:
            self._looks.clear()
            self._late = False
            return False
        # Without a result a frame is covered, or shown as filmed where the user chose that.
        self._looks.append((now_ns, gate.frames_in, gate.covered + gate.original))
        while len(self._looks) > 1 and self._looks[1][0] <= now_ns - WINDOW_NS:
            self._looks.popleft()
        began_ns, frames_before, without_before = self._looks[0]
        _, frames_now, without_now = self._looks[-1]
        frames = frames_now - frames_before
        if now_ns - began_ns >= WINDOW_NS and frames >= LEAST_FRAMES:
            self._late = (without_now - without_before) / frames >= (ENDS if self._late else BEGINS)
        return self._late
