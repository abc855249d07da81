"""How many cameras one device can serve: the lanes' rules played through with measured times.

As if frames came one after another, so that nothing runs beside one: the wait for the next frame need not be
waited for. Time stands still but for what frames take, and jumps where every lane is idle. Where frames of
two lanes overlap (``seat``) a device serves more.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable


@dataclasses.dataclass(frozen=True, slots=True)
class Load:
    """What became of the frames of some cameras."""

    due: int
    """Frames that the cameras sent."""
    done: int
    """Frames that were judged; the others were passed over for newer ones."""
    busy: float
    """0..1: share of the time in which a frame was in hand."""
    p50_ms: float
    """From a frame's arrival to its result."""
    p99_ms: float

    @property
    def keeps_up(self) -> bool:
        """Whether no more than one frame of a hundred was passed over."""
        return self.due - self.done <= 0.01 * self.due


def play(lanes: int, fps: float, seconds: float, judge: Callable[[int], float]) -> Load:
    """Let cameras send frames for a while, all at the same moments, which is the worst.

    Args:
        lanes: how many cameras.
        fps: of each.
        seconds: how long, of the cameras' time.
        judge: judges a frame of that lane and says how many seconds it took.
    """
    frames = max(1, round(seconds * fps))
    now, busy = 0.0, 0.0
    last = [-1] * lanes
    asked = list(range(lanes))
    latencies: list[float] = []
    while now * fps + 1e-9 < frames:
        newest = min(int(now * fps + 1e-9), frames - 1)
        # Who asked first is served first, if it has a frame that it has not judged.
        lane = next((one for one in asked if last[one] < newest), None)
        if lane is None:
            now = (newest + 1) / fps
            continue
        asked.remove(lane)
        asked.append(lane)
        last[lane] = newest
        took = judge(lane)
        now, busy = now + took, busy + took
        latencies.append(now - newest / fps)
    ordered = sorted(latencies)

    def percentile(share: float) -> float:
        return round(1000 * ordered[max(math.ceil(share * len(ordered)) - 1, 0)], 3)

    return Load(
        lanes * frames, len(ordered), min(busy / max(now, 1e-9), 1.0), percentile(0.5), percentile(0.99)
    )


def most_lanes(
    fps: float, seconds: float, judge: Callable[[int], float], most: int
) -> tuple[int, Load | None]:
    """The most cameras, up to ``most``, that a device keeps up with, and what became of their frames."""
    best: tuple[int, Load | None] = (0, None)
    for lanes in range(1, most + 1):
        load = play(lanes, fps, seconds, judge)
        if not load.keeps_up:
            break
        best = lanes, load
    return best
