from __future__ import annotations

import numpy as np
import pytest
from doppel_ipc.pixel_format import FrameLayout, PixelFormat
from doppel_ipc.ring import Slot
from doppel_worker.frame import ColorInfo
from doppel_worker.slot_frame import frame_of

from tests.support.gate_side import BT709_LIMITED


@pytest.mark.parametrize("pixel_format", list(PixelFormat))
def test_planes_are_views_of_the_slots_own_bytes(pixel_format: PixelFormat) -> None:
    tight = FrameLayout.of(pixel_format, 33, 17)
    layout = FrameLayout.of(pixel_format, 33, 17, tuple(line + 5 for line in tight.linesize))
    memory = bytearray(np.random.default_rng(1).integers(0, 256, layout.size, np.uint8).tobytes())
    expected = bytearray(memory)
    frame = frame_of(_slot(memory), layout)
    assert len(frame.planes) == len(pixel_format.planes)
    for index, plane in enumerate(frame.planes):
        assert plane.shape == (layout.rows[index], layout.linesize[index])
        plane[-1, 3] ^= 255
        expected[layout.offset[index] + (layout.rows[index] - 1) * layout.linesize[index] + 3] ^= 255
    assert memory == expected


def test_the_frame_is_described_as_the_gate_described_it() -> None:
    layout = FrameLayout.of(PixelFormat.NV12, 16, 16)
    frame = frame_of(_slot(bytearray(layout.size)), layout)
    assert (frame.frame_id, frame.timestamp_ns, frame.flip) == (9, 10, True)
    # libobs's own matrix for BT.709, limited range, is the one that the formula gives.
    reference = ColorInfo.bt709_limited()
    np.testing.assert_allclose(frame.color.matrix, reference.matrix, atol=2e-3)
    np.testing.assert_allclose(frame.color.range_min, reference.range_min, atol=1e-6)
    np.testing.assert_allclose(frame.color.range_max, reference.range_max, atol=1e-6)


def _slot(memory: bytearray) -> Slot:
    flat = tuple(number for row in BT709_LIMITED for number in row)
    low, high = (16 / 255,) * 3, (235 / 255, 240 / 255, 240 / 255)
    return Slot(0, 9, 10, 11, 12, 13, True, False, flat, low, high, memoryview(memory))
