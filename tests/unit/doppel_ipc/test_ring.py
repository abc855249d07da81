from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from doppel_ipc import native
from doppel_ipc.errors import SegmentError
from doppel_ipc.pixel_format import FrameLayout, PixelFormat
from doppel_ipc.ring import Slot, WorkerRing
from doppel_ipc.verdict import Verdict
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.support.gate_side import BT709_LIMITED, GateSide
from tests.support.handles import mappings, open_descriptors

LAYOUT = FrameLayout.of(PixelFormat.I420, 321, 123)


def frame(value: int, layout: FrameLayout = LAYOUT) -> bytes:
    return bytes([value]) * layout.size


def take(ring: WorkerRing) -> Slot:
    slot = ring.next(5)
    assert slot is not None
    return slot


@pytest.fixture
def gate(ring_library: ctypes.CDLL) -> Iterator[GateSide]:
    with GateSide(ring_library, LAYOUT) as side:
        yield side


@pytest.fixture
def ring(gate: GateSide) -> Iterator[WorkerRing]:
    opened = WorkerRing.open(gate.library, gate.segment.descriptor)
    yield opened
    opened.close()


@pytest.mark.parametrize("pixel_format", list(PixelFormat))
@pytest.mark.parametrize("size", [(16, 16), (641, 359), (1, 1)])
def test_a_frame_of_every_format_comes_through_and_back(
    ring_library: ctypes.CDLL, pixel_format: PixelFormat, size: tuple[int, int]
) -> None:
    layout = FrameLayout.of(pixel_format, *size)
    pixels = np.random.default_rng(7).integers(0, 256, layout.size, np.uint8).tobytes()
    with GateSide(ring_library, layout) as gate:
        ring = WorkerRing.open(ring_library, gate.segment.descriptor)
        assert ring.layout == layout
        gate.submit(pixels, flip=True)
        slot = take(ring)
        assert bytes(slot.pixels) == pixels
        slot.pixels[:] = bytes(255 - value for value in pixels)
        ring.done(slot, Verdict.SWAPPED, 2)
        found = gate.result()
        assert found is not None
        assert found[:2] == (Verdict.SWAPPED, bytes(255 - value for value in pixels))
        ring.close()


def test_a_slot_tells_what_the_gate_knows_of_the_frame(gate: GateSide, ring: WorkerRing) -> None:
    before = time.monotonic_ns()
    frame_id = gate.submit(frame(1), flip=True)
    slot = take(ring)
    assert slot.frame_id == frame_id
    assert slot.flip
    assert not slot.full_range
    assert np.allclose(np.reshape(slot.color_matrix, (4, 4)), BT709_LIMITED)
    assert slot.color_range_min == pytest.approx((16 / 255,) * 3)
    assert slot.color_range_max == pytest.approx((235 / 255, 240 / 255, 240 / 255))
    # One clock: what the C side noted lies between two readings of ours.
    assert before <= slot.capture_ns <= slot.submit_ns <= slot.start_ns <= time.monotonic_ns()


def test_the_newest_frame_comes_first_and_older_ones_go_back(gate: GateSide, ring: WorkerRing) -> None:
    for value in range(4):
        gate.submit(frame(value))
    assert take(ring).frame_id == 4
    assert ring.given_back == 3
    assert ring.submitted == 4
    assert ring.next(0) is None


def test_a_wait_ends_when_a_frame_comes(gate: GateSide, ring: WorkerRing) -> None:
    taken: list[Slot | None] = []
    waiting = threading.Thread(target=lambda: taken.append(ring.next(20)))
    waiting.start()
    gate.submit(frame(3))
    waiting.join(60)
    assert taken
    assert taken[0] is not None


def test_a_wait_without_a_frame_ends(ring: WorkerRing) -> None:
    started = time.monotonic()
    assert ring.next(0.05) is None
    assert time.monotonic() - started > 0.04
    assert not ring.closed


def test_the_end_of_the_lane_is_seen(gate: GateSide, ring: WorkerRing) -> None:
    ring.look()
    assert not ring.closed
    gate.library.doppel_ring_close(gate.ring)
    assert ring.next(20) is None
    assert ring.closed


def test_a_frame_is_handed_back_once(gate: GateSide, ring: WorkerRing) -> None:
    gate.submit(frame(1))
    slot = take(ring)
    ring.done(slot, Verdict.NO_FACE)
    with pytest.raises(SegmentError, match="slot 0 is not the worker's"):
        ring.done(slot, Verdict.SWAPPED)


def test_a_frame_in_hand_is_not_shown(gate: GateSide, ring: WorkerRing) -> None:
    gate.submit(frame(1))
    take(ring)
    assert gate.result() is None


def test_the_slate_is_seen_only_when_it_is_complete(gate: GateSide, ring: WorkerRing) -> None:
    ring.slate()[:] = frame(77)
    assert gate.slate() is None
    ring.set_slate(True)
    assert gate.slate() == frame(77)
    ring.set_slate(False)
    assert gate.slate() is None


def test_closing_leaves_no_handle_and_no_mapping(gate: GateSide) -> None:
    before = open_descriptors(), mappings("doppel")
    for _ in range(30):
        ring = WorkerRing.open(gate.library, gate.segment.descriptor)
        gate.submit(frame(1))
        ring.done(take(ring), Verdict.SWAPPED)
        gate.result()
        ring.close()
        ring.close()
    assert (open_descriptors(), mappings("doppel")) == before


def test_a_view_that_outlives_the_lane_keeps_its_memory(gate: GateSide) -> None:
    before = open_descriptors()
    ring = WorkerRing.open(gate.library, gate.segment.descriptor)
    gate.submit(frame(9))
    pixels = take(ring).pixels
    ring.close()
    assert bytes(pixels[:4]) == b"\x09" * 4
    del pixels, ring
    assert open_descriptors() == before


WIDTH_BYTES = range(native.Geometry.width.offset, native.Geometry.width.offset + 4)
HEADER_WORDS = [name for name, *_ in native.SegmentHeader._fields_ if "reserved" not in name][:8]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(word=st.sampled_from(HEADER_WORDS), change=st.integers(1, 2**32 - 1))
def test_no_word_of_the_header_may_be_wrong(gate: GateSide, word: str, change: int) -> None:
    header = native.SegmentHeader.from_buffer(gate.memory)
    good = bytes(gate.memory[:256])
    value = getattr(header, word)
    if word == "geometry":
        raw = bytearray(bytes(value))
        # A narrower picture in rows as long as before is no contradiction: rows may be padded.
        assume(change % len(raw) not in WIDTH_BYTES)
        raw[change % len(raw)] ^= change % 255 + 1
        setattr(header, word, native.Geometry.from_buffer_copy(raw))
    else:
        setattr(header, word, (value + change) & 0xFFFFFFFF)
    before = open_descriptors()
    try:
        with pytest.raises(SegmentError, match="cannot be used"):
            WorkerRing.open(gate.library, gate.segment.descriptor)
    finally:
        del header
        gate.memory[:256] = good
    assert open_descriptors() == before
