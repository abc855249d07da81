"""Pictures as RGB: what the worker makes of a frame, against libobs's own arithmetic in floating point."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from doppel_ipc import native
from doppel_ipc.errors import SegmentError
from doppel_ipc.pixel_format import FrameLayout, PixelFormat
from doppel_ipc.ring import WorkerRing
from doppel_ipc.verdict import Verdict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.gate_side import BT709_LIMITED, GateSide

Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]
PLANAR = {PixelFormat.I420: (2, 2), PixelFormat.I422: (2, 1), PixelFormat.I444: (1, 1)}
PACKED = {PixelFormat.YUY2: (0, 1, 3), PixelFormat.UYVY: (1, 0, 2), PixelFormat.YVYU: (0, 3, 1)}
FORMATS = [*PLANAR, PixelFormat.NV12, *PACKED]
RANGE_MIN, RANGE_MAX = (16 / 255,) * 3, (235 / 255, 240 / 255, 240 / 255)


def widened(chroma: Floats) -> Floats:
    """Twice as wide; a sample lies on the left one of its two pixels."""
    following = np.concatenate([chroma[:, 1:], chroma[:, -1:]], axis=1)
    return np.stack([chroma, (chroma + following) / 2], axis=2).reshape(len(chroma), -1)


def heightened(chroma: Floats) -> Floats:
    """Twice as high; a sample lies between its two rows."""
    above = np.concatenate([chroma[:1], chroma[:-1]])
    below = np.concatenate([chroma[1:], chroma[-1:]])
    return np.stack([(3 * chroma + above) / 4, (3 * chroma + below) / 4], axis=1).reshape(-1, chroma.shape[1])


def planes(layout: FrameLayout, pixels: bytes) -> list[Bytes]:
    data = np.frombuffer(pixels, np.uint8)
    return [
        data[layout.offset[p] : layout.offset[p] + layout.linesize[p] * layout.rows[p]].reshape(
            layout.rows[p], layout.linesize[p]
        )
        for p in range(len(layout.linesize))
    ]


def samples(layout: FrameLayout, pixels: bytes) -> list[Floats]:
    """Y, U and V of every pixel, 0..255."""
    found, width = planes(layout, pixels), layout.width
    if layout.pixel_format in PACKED:
        row = found[0][:, : 2 * width]
        y, u, v = PACKED[layout.pixel_format]
        return [row[:, y::2].astype(float), *(widened(row[:, c::4].astype(float)) for c in (u, v))]
    if layout.pixel_format == PixelFormat.NV12:
        chroma = [found[1][:, c:width:2].astype(float) for c in (0, 1)]
        x_step, y_step = 2, 2
    else:
        x_step, y_step = PLANAR[layout.pixel_format]
        chroma = [plane[:, : width // x_step].astype(float) for plane in found[1:]]
    if y_step == 2:
        chroma = [heightened(plane) for plane in chroma]
    if x_step == 2:
        chroma = [widened(plane) for plane in chroma]
    return [found[0][:, :width].astype(float), *chroma]


def expected(layout: FrameLayout, pixels: bytes, *, full_range: bool = False) -> Floats:
    """(height, width, 3) RGB, 16..235, not rounded."""
    yuv = np.stack(samples(layout, pixels), axis=2) / 255
    if not full_range:
        yuv = np.clip(yuv, RANGE_MIN, RANGE_MAX)
    matrix = np.array(BT709_LIMITED)
    return 16 + np.clip(yuv @ matrix[:3, :3].T + matrix[:3, 3], 0, 1) * 219


def rgb_of(gate: GateSide, index: int) -> tuple[int, Bytes]:
    """The frame's number that the area is said to hold, and the picture: (height, width, 4) BGRX."""
    header = native.SegmentHeader.from_buffer_copy(gate.memory)
    slot = native.SlotHeader.from_buffer_copy(
        gate.memory, native.SLOT0_OFFSET + index * native.SLOT_HEADER_BYTES
    )
    width, height = gate.layout.width, gate.layout.height
    start = header.rgb_offset + index * header.rgb_stride
    data = np.frombuffer(gate.memory[start : start + width * height * 4], np.uint8)
    return slot.rgb_id, data.reshape(height, width, 4)


def converted(library: ctypes.CDLL, layout: FrameLayout, pixels: bytes, *, full_range: bool = False) -> Bytes:
    with GateSide(library, layout, rgb=True) as gate:
        ring = WorkerRing.open(library, gate.segment.descriptor)
        gate.submit(pixels)
        slot = ring.next(5)
        assert slot is not None
        if full_range:  # libobs keeps no limits then
            head = native.SlotHeader.from_buffer(
                gate.memory, native.SLOT0_OFFSET + slot.index * native.SLOT_HEADER_BYTES
            )
            head.full_range = 1
            head.color_range_min = head.color_range_max = (ctypes.c_float * 3)()
            del head
        ring.done(slot, Verdict.SWAPPED)
        number, picture = rgb_of(gate, slot.index)
        assert number == slot.frame_id
        del slot
        ring.close()
        return picture.copy()


@pytest.mark.parametrize("pixel_format", FORMATS)
@pytest.mark.parametrize("padding", [0, 24])
def test_every_format_is_converted_as_libobs_would(
    ring_library: ctypes.CDLL, pixel_format: PixelFormat, padding: int
) -> None:
    plain = FrameLayout.of(pixel_format, 98, 46)
    layout = FrameLayout.of(pixel_format, 98, 46, tuple(line + padding for line in plain.linesize))
    pixels = np.random.default_rng(3).integers(0, 256, layout.size, np.uint8).tobytes()
    picture = converted(ring_library, layout, pixels)

    assert (picture[..., 3] == 255).all()
    difference = np.abs(picture[..., 2::-1] - expected(layout, pixels))
    assert difference.max() < 0.51


def test_a_full_range_has_no_limits(ring_library: ctypes.CDLL) -> None:
    layout = FrameLayout.of(PixelFormat.I420, 98, 46)
    pixels = np.random.default_rng(3).integers(0, 256, layout.size, np.uint8).tobytes()
    picture = converted(ring_library, layout, pixels, full_range=True)
    assert np.abs(picture[..., 2::-1] - expected(layout, pixels, full_range=True)).max() < 0.51


@given(
    pixel_format=st.sampled_from(FORMATS),
    half_width=st.integers(1, 40),
    half_height=st.integers(1, 20),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_even_size_is_converted(
    ring_library: ctypes.CDLL, pixel_format: PixelFormat, half_width: int, half_height: int, seed: int
) -> None:
    layout = FrameLayout.of(pixel_format, 2 * half_width, 2 * half_height)
    pixels = np.random.default_rng(seed).integers(0, 256, layout.size, np.uint8).tobytes()
    picture = converted(ring_library, layout, pixels)
    assert np.abs(picture[..., 2::-1] - expected(layout, pixels)).max() < 0.51


@pytest.fixture
def gate(ring_library: ctypes.CDLL) -> Iterator[GateSide]:
    with GateSide(ring_library, FrameLayout.of(PixelFormat.I420, 64, 48), rgb=True) as side:
        yield side


def test_a_covered_frame_has_no_picture_as_rgb(gate: GateSide) -> None:
    ring = WorkerRing.open(gate.library, gate.segment.descriptor)
    gate.submit(bytes(gate.layout.size))
    slot = ring.next(5)
    assert slot is not None
    ring.done(slot, Verdict.COVERED)
    assert rgb_of(gate, slot.index)[0] == 0
    del slot
    ring.close()


def test_a_frame_that_is_not_the_workers_is_not_converted(gate: GateSide) -> None:
    ring = WorkerRing.open(gate.library, gate.segment.descriptor)
    gate.submit(bytes(gate.layout.size))
    slot = ring.next(5)
    assert slot is not None
    ring.done(slot, Verdict.SWAPPED)
    with pytest.raises(SegmentError, match="not the worker's"):
        ring.done(slot, Verdict.SWAPPED)
    del slot
    ring.close()


@pytest.mark.parametrize(
    ("pixel_format", "size"),
    [
        (PixelFormat.BGRA, (64, 48)),
        (PixelFormat.Y800, (64, 48)),
        (PixelFormat.I420, (63, 48)),
        (PixelFormat.NV12, (64, 47)),
        (PixelFormat.YUY2, (63, 48)),
    ],
)
def test_what_cannot_be_converted_has_a_segment_without_room_for_it(
    ring_library: ctypes.CDLL, pixel_format: PixelFormat, size: tuple[int, int]
) -> None:
    layout = FrameLayout.of(pixel_format, *size)
    assert native.segment_bytes(ring_library, layout, 6, rgb=True) == native.segment_bytes(
        ring_library, layout, 6
    )
    with GateSide(ring_library, layout, rgb=True) as gate:
        ring = WorkerRing.open(ring_library, gate.segment.descriptor)
        gate.submit(bytes(layout.size))
        slot = ring.next(5)
        assert slot is not None
        ring.done(slot, Verdict.SWAPPED)
        del slot
        ring.close()


@pytest.mark.parametrize("field", ["rgb_offset", "rgb_stride"])
def test_an_area_that_does_not_fit_the_segment_is_refused(gate: GateSide, field: str) -> None:
    header = native.SegmentHeader.from_buffer(gate.memory)
    setattr(header, field, getattr(header, field) + 4096)
    del header
    with pytest.raises(SegmentError):
        WorkerRing.open(gate.library, gate.segment.descriptor)
