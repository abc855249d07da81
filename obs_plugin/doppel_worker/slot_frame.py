"""From a slot of the ring to the frame that a pipeline works on: views, no copies."""

from __future__ import annotations

import functools

import numpy as np
from doppel_ipc.pixel_format import FrameLayout
from doppel_ipc.ring import Slot

from doppel_worker.frame import ColorInfo, FrameView, Plane


def frame_of(slot: Slot, layout: FrameLayout) -> FrameView:
    """The frame in a slot. Its planes are views of shared memory: forget them after ``WorkerRing.done``."""
    return FrameView(
        layout,
        planes_of(slot.pixels, layout),
        _color(slot.color_matrix, slot.color_range_min, slot.color_range_max),
        slot.flip,
        slot.frame_id,
        slot.timestamp_ns,
    )


def planes_of(pixels: memoryview, layout: FrameLayout) -> tuple[Plane, ...]:
    """(rows, linesize) views of a frame's bytes, one per plane."""
    flat = np.frombuffer(pixels, np.uint8)
    return tuple(
        flat[offset : offset + rows * line].reshape(rows, line)
        for offset, rows, line in zip(layout.offset, layout.rows, layout.linesize, strict=True)
    )


@functools.lru_cache(maxsize=16)
def _color(matrix: tuple[float, ...], low: tuple[float, ...], high: tuple[float, ...]) -> ColorInfo:
    # libobs stores matrix4 row by row; the fourth row is (0, 0, 0, 1).
    rows = np.asarray(matrix, np.float32).reshape(4, 4)[:3].copy()
    return ColorInfo(rows, np.asarray(low, np.float32), np.asarray(high, np.float32))
