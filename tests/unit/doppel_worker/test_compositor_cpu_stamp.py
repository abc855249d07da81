"""CpuCompositor's stamps: pictures that are pasted into every frame, prepared once."""

from __future__ import annotations

import numpy as np
import pytest
from doppel_ipc.pixel_format import PixelFormat
from doppel_worker.compositor import Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.errors import FrameError
from doppel_worker.frame import FrameView
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import reference_compositor as reference
from tests.support.compositor_frames import frames_with_rect, picture_and_mask


@given(frames_with_rect(), st.integers(0, 2**16))
@settings(max_examples=60, deadline=None)
def test_a_stamp_is_what_would_be_pasted_the_first_time_and_later(
    case: tuple[FrameView, Rect], seed: int
) -> None:
    frame, rect = case
    rgb, mask = picture_and_mask(rect, seed)
    stamping = CpuCompositor()
    for _ in range(3):
        pasted = reference.copy_frame(frame)
        stamping.paste(pasted, rect, rgb, mask)
        stamping.stamp(frame, rect, rgb, mask)
        for one, other in zip(frame.planes, pasted.planes, strict=True):
            assert np.abs(one.astype(int) - other).max() <= 1


def test_another_picture_or_another_kind_of_frame_gets_its_own_stamp() -> None:
    stamping, rect = CpuCompositor(), Rect(4, 4, 20, 12)
    opaque = np.full((8, 16), 255, np.uint8)
    for number in range(12):
        # A new array may lie where a forgotten one was.
        rgb = np.full((8, 16, 3), 20 * number, np.uint8)
        for pixel_format in (PixelFormat.I420, PixelFormat.BGRA):
            for color in ("709 limited", "601 full"):
                frame = reference.make_frame(pixel_format, 32, 24, color=reference.COLORS[color])
                stamping.stamp(frame, rect, rgb, opaque)
                # Away from the edge, where chroma is read between that of the picture and the frame's.
                inner = stamping.read(frame, Rect(8, 6, 16, 10)).astype(int)
                assert np.abs(inner - 20 * number).max() <= 2


def test_a_stamp_that_does_not_fit_is_refused() -> None:
    stamping = CpuCompositor()
    frame = reference.make_frame(PixelFormat.I420, 32, 24)
    with pytest.raises(FrameError, match="does not fit"):
        stamping.stamp(frame, Rect(0, 0, 8, 8), np.zeros((8, 9, 3), np.uint8), np.zeros((8, 8), np.uint8))
    with pytest.raises(FrameError, match="not inside"):
        stamping.stamp(frame, Rect(0, 0, 80, 8), np.zeros((8, 80, 3), np.uint8), np.zeros((8, 80), np.uint8))
