"""What one filter did, counted: the figures of docs/report.md."""

from __future__ import annotations

import collections
import ctypes
from typing import Mapping, Sequence

from doppel_ipc import gate_abi
from doppel_ipc.messages import LaneStatus, StageTime
from doppel_ipc.pixel_format import UNSUPPORTED_NAMES, PixelFormat

from doppel_obs.samples import percentile

KEPT = 6000
"""Frames over which percentiles are taken: the last three minutes at 30 fps."""
_COUNTS = ("swapped", "held", "covered", "blurred", "no_face", "original", "dropped")
_MS = 1e-6


class LaneStats:
    """The figures of one filter; kept after the filter is gone.

    Args:
        source: name of the filter's source.
        name: name of the filter.
    """

    def __init__(self, source: str, name: str) -> None:
        self.source = source
        self.name = name
        self._status = gate_abi.Status()
        self._before_swap: dict[str, int] | None = None
        self._delay: collections.deque[int] = collections.deque(maxlen=KEPT)
        self._graphics: collections.deque[int] = collections.deque(maxlen=KEPT)
        self._copies: collections.deque[int] = collections.deque(maxlen=KEPT)
        self._lane: LaneStatus | None = None
        self._persona = ""

    def look(self, status: gate_abi.Status, samples: Sequence[gate_abi.Sample], persona: str) -> None:
        """Takes the gate's counters and samples, of one look of the control loop."""
        if self._before_swap is None and status.first_swapped_ns:
            self._before_swap = _counts(self._status)
        ctypes.memmove(ctypes.byref(self._status), ctypes.byref(status), ctypes.sizeof(status))
        self._persona = persona
        if self._before_swap is None:
            return  # the start: the segment's memory is touched for the first time, the cover is drawn
        for sample in samples:
            self._graphics.append(sample.total_ns)
            self._copies.append(sample.copy_ns)
            if sample.delay_ns:
                self._delay.append(sample.delay_ns)

    def look_at_worker(self, status: LaneStatus) -> None:
        """Takes what the worker says of the lane."""
        self._lane = status

    def to_json(self) -> dict[str, object]:
        """The lane's object in the statistics file."""
        status = self._status
        geometry = status.geometry
        counts = _counts(status)
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
            "frames": counts,
            "frames_since_swap": _difference(counts, self._before_swap),
            "first_frame_ns": status.first_frame_ns or None,
            "first_swapped_ns": status.first_swapped_ns or None,
            "delay_frames": status.delay_frames or None,
            "delay_ms": _percentiles(self._delay, (50, 95, 99)),
            "graphics_ms": _percentiles(self._graphics, (50, 99)),
            "copies_ms": _percentiles(self._copies, (50, 99)),
            "worker_ms": times,
            "submitted": status.submitted,
            "given_back": status.given_back,
            "renders_blocked": status.renders_blocked,
            "flushes": status.flushes,
        }

    def _stages(self) -> Sequence[StageTime]:
        return () if self._lane is None else self._lane.stages


def format_name(number: int) -> str | None:
    """A pixel format's name; None for 0."""
    if not number:
        return None
    try:
        return PixelFormat(number).name
    except ValueError:
        return UNSUPPORTED_NAMES.get(number, f"number {number}")


def _counts(status: gate_abi.Status) -> dict[str, int]:
    return {"in": status.frames_in, **{name: getattr(status, name) for name in _COUNTS}}


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
