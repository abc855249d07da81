"""What one filter did, counted: the figures of docs/report.md."""

from __future__ import annotations

import collections
import ctypes
from typing import Mapping, Sequence

from doppel_ipc import gate_abi
from doppel_ipc.diagnostics import changed_settings
from doppel_ipc.messages import LaneStatus, StageTime
from doppel_ipc.pixel_format import UNSUPPORTED_NAMES, PixelFormat
from doppel_ipc.settings import FilterSettings

from doppel_obs.samples import percentile

ALL_SAMPLES = 6000
"""Frames over which percentiles are taken where they are a run's result: the last three minutes at 30 fps."""
FEW_SAMPLES = 600
"""... where they are a status that is written each second: sorting all takes 3 ms of OBS's interpreter."""
MOST_NAMES = 50
"""Names of a filter and its source that are remembered."""
MOST_CLOSED = 200
"""Filters that are gone whose figures are kept."""
_MS = 1e-6


class LaneStats:
    """The figures of one filter; kept after the filter is gone.

    Args:
        source: name of the filter's source.
        name: name of the filter.
        kept: frames over which percentiles are taken.
    """

    def __init__(self, source: str, name: str, kept: int = ALL_SAMPLES) -> None:
        self.source = source
        self.name = name
        self.names: dict[str, None] = dict.fromkeys((source, name))
        """Both, and what they were called before; the last ones."""
        self.state = ""
        """The status line's first sentence, in English."""
        self.settings = FilterSettings()
        self._status = gate_abi.Status()
        self._before_swap: dict[str, int] | None = None
        self._delay: collections.deque[int] = collections.deque(maxlen=kept)
        self._graphics: collections.deque[int] = collections.deque(maxlen=kept)
        self._copies: collections.deque[int] = collections.deque(maxlen=kept)
        self._waits: collections.deque[int] = collections.deque(maxlen=kept)
        self._lane: LaneStatus | None = None
        self._persona = ""
        self._closed: dict[str, object] | None = None

    def close(self) -> None:
        """The filter is gone: the figures stay, what they were made of (some 0.7 MB) goes."""
        if self._closed is None:
            self.state = "Gone."
            self._closed = self.to_json()
            for samples in (self._delay, self._graphics, self._copies, self._waits):
                samples.clear()

    def rename(self, source: str, name: str) -> None:
        """What both are called now; a source that is gone (empty) keeps its name."""
        if not source or (source, name) == (self.source, self.name):
            return
        self.source, self.name = source, name
        for one in (source, name):
            self.names.pop(one, None)
            self.names[one] = None
        while len(self.names) > MOST_NAMES:
            del self.names[next(iter(self.names))]

    def look(self, status: gate_abi.Status, samples: Sequence[gate_abi.Sample], persona: str) -> None:
        """Takes the gate's counters and samples, of one look of the control loop."""
        if self._before_swap is None and status.first_swapped_ns:
            self._before_swap = gate_abi.frame_counts(self._status)
        ctypes.memmove(ctypes.byref(self._status), ctypes.byref(status), ctypes.sizeof(status))
        self._persona = persona
        if self._before_swap is None:
            return  # the start: the segment's memory is touched for the first time, the cover is drawn
        for sample in samples:
            self._graphics.append(sample.total_ns)
            self._copies.append(sample.copy_ns)
            if status.readback_frames:
                self._waits.append(sample.wait_ns)
            if sample.delay_ns:
                self._delay.append(sample.delay_ns)

    def look_at_worker(self, status: LaneStatus) -> None:
        """Takes what the worker says of the lane."""
        self._lane = status

    def to_json(self) -> dict[str, object]:
        """The lane's object in the statistics file."""
        if self._closed is not None:
            return self._closed
        status = self._status
        geometry = status.geometry
        counts = gate_abi.frame_counts(status)
        times = {stage.name: {"p50": stage.p50, "p95": stage.p95} for stage in self._stages()}
        if self._lane is not None:
            # Waiting in the ring included.
            times["turnaround"] = {"p50": self._lane.turnaround_ms_p50, "p95": self._lane.turnaround_ms_p95}
        return {
            "source": self.source,
            "filter": self.name,
            "width": geometry.width or None,
            "height": geometry.height or None,
            "pixel_format": format_name(status.unsupported_format or geometry.pixel_format),
            "persona": self._persona,
            "state": self.state,
            "settings": changed_settings(self.settings),
            "fps": round(self._lane.fps, 1) if self._lane is not None else None,
            "frames": counts,
            "frames_since_swap": _difference(counts, self._before_swap),
            "first_frame_ns": status.first_frame_ns or None,
            "first_swapped_ns": status.first_swapped_ns or None,
            "delay_frames": status.delay_frames or None,
            "delay_ms": _percentiles(self._delay, (50, 95, 99)),
            "graphics_ms": _percentiles(self._graphics, (50, 99)),
            "copies_ms": _percentiles(self._copies, (50, 99)),
            "card_wait_ms": _percentiles(self._waits, (50, 99)),
            "worker_ms": times,
            "submitted": status.submitted,
            "given_back": status.given_back,
            "rgb_answers": status.rgb_answers,
            "renders_blocked": status.renders_blocked,
            "flushes": status.flushes,
        }

    def _stages(self) -> Sequence[StageTime]:
        return () if self._lane is None else self._lane.stages


class LaneBook:
    """The figures of all filters, in the order of creation; of those that are gone the last ones.

    Args:
        keep_closed: somebody wants the figures of filters that are gone.
    """

    def __init__(self, *, keep_closed: bool) -> None:
        self._most_closed = MOST_CLOSED if keep_closed else 0
        self._closed: collections.deque[LaneStats] = collections.deque()
        self._lanes: dict[LaneStats, None] = {}

    def add(self, stats: LaneStats) -> None:
        """A filter is there."""
        self._lanes[stats] = None

    def close(self, stats: LaneStats) -> None:
        """The filter is gone."""
        stats.close()
        self._closed.append(stats)
        while len(self._closed) > self._most_closed:
            self._lanes.pop(self._closed.popleft(), None)

    def lanes(self) -> Sequence[LaneStats]:
        """What there is."""
        return list(self._lanes)


def format_name(number: int) -> str | None:
    """A pixel format's name; None for 0."""
    if not number:
        return None
    try:
        return PixelFormat(number).name
    except ValueError:
        return UNSUPPORTED_NAMES.get(number, f"number {number}")


def _difference(counts: Mapping[str, int], before: Mapping[str, int] | None) -> dict[str, int]:
    if before is None:
        return dict.fromkeys(counts, 0)
    return {name: count - before[name] for name, count in counts.items()}


def _percentiles(
    values_ns: Sequence[int] | collections.deque[int], percents: Sequence[int]
) -> dict[str, float | None]:
    ordered = sorted(values_ns)
    found = {f"p{percent}": percentile(ordered, percent) for percent in percents}
    return {name: None if value is None else round(value * _MS, 4) for name, value in found.items()}
