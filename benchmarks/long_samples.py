"""What the long runs sample of a process, and what they make of the samples."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import psutil

from tests.support.trend import Trend

WARM_UP = 4
"""One over this of the samples is the start: networks are loaded, caches fill."""


@dataclasses.dataclass(frozen=True)
class Held:
    """What a process holds."""

    rss_mb: float
    descriptors: int
    threads: int

    @classmethod
    def by(cls, process: psutil.Process) -> Held:
        """What it holds now."""
        with process.oneshot():
            return cls(round(process.memory_info().rss / 1e6, 3), process.num_fds(), process.num_threads())


@dataclasses.dataclass(frozen=True)
class Growth:
    """How a figure grew over a run, without its start."""

    per_hour: float
    error_per_hour: float
    hours: float
    first: float
    last: float

    @classmethod
    def of(cls, hours: Sequence[float], values: Sequence[float]) -> Growth | None:
        """Of samples; None where there are too few."""
        skip = len(hours) // WARM_UP
        times, kept = hours[skip:], values[skip:]
        if len(times) < 4:
            return None
        trend = Trend.of(times, kept)
        return cls(round(trend.slope, 3), round(trend.error, 3), times[-1] - times[0], values[0], values[-1])

    def is_more_than(self, least: float, *, falls: bool = False) -> bool:
        """True where the line rises (or falls) over the run by more than ``least`` and three errors."""
        slope = abs(self.per_hour) if falls else self.per_hour
        return slope * self.hours > least + 3 * self.error_per_hour * self.hours

    def __str__(self) -> str:
        return f"{self.per_hour:+.2f} ± {self.error_per_hour:.2f}"


def told(growths: dict[str, Growth | None]) -> dict[str, object]:
    """For JSON."""
    return {name: None if one is None else dataclasses.asdict(one) for name, one in growths.items()}


def more_held(first: Held, last: Held, spare: int) -> list[str]:
    """What of descriptors and threads is more by the end."""
    return [
        f"{name}: {getattr(first, name)} at first, {getattr(last, name)} at the end"
        for name in ("descriptors", "threads")
        if getattr(last, name) > getattr(first, name) + spare
    ]
