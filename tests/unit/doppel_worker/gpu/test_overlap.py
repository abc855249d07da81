"""Two lanes on one device whose frames overlap: each gets the pictures that it would get alone."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from doppel_worker.compositor import Rect
from doppel_worker.frame import FrameView

from tests.support.desk import ENGINES, Desk, frame_of
from tests.support.kernel_device import KernelDevice
from tests.support.stream_device import StreamDevice

FRAMES = 5


def frames_of(lane: int) -> list[FrameView]:
    return [frame_of(lane, number) for number in range(1, FRAMES + 1)]


@contextlib.contextmanager
def streaming(longest_pause_s: float = 0.0) -> Iterator[StreamDevice]:
    device = StreamDevice(longest_pause_s)
    yield device
    device.close()


def both(desk: Desk) -> list[list[FrameView]]:
    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(desk.judge, (0, 1), map(frames_of, (0, 1))))


def assert_same(one: list[FrameView], other: list[FrameView]) -> None:
    for a, b in zip(one, other, strict=True):
        for x, y in zip(a.planes, b.planes, strict=True):
            assert np.array_equal(x, y)


@pytest.mark.parametrize("engine", ENGINES)
def test_lanes_whose_frames_overlap_get_the_pictures_that_they_get_alone(engine: str) -> None:
    alone = Desk(KernelDevice(), engine, 1)
    expected = [alone.judge(lane, frames_of(lane)) for lane in (0, 1)]
    with streaming(longest_pause_s=0.0006) as device:
        for frames, wanted in zip(both(Desk(device, engine, 2)), expected, strict=True):
            assert_same(frames, wanted)
        turns = [who for who, _ in itertools.groupby(device.threads)]
        # One after another they would change places once a frame; each frame waits several times.
        assert len(turns) > 2 * FRAMES, "frames overlapped"


def test_while_one_lanes_network_works_the_other_lane_puts_its_own_work_on_the_device() -> None:
    with streaming() as device:
        desk = Desk(device, "inswapper", 2, network_s=0.05)
        both(desk)
        overlapped = [who for who, _ in itertools.groupby(device.threads)]
        device.threads.clear()
        one_seat = Desk(device, "inswapper", 1, network_s=0.05)
        both(one_seat)
        in_turns = [who for who, _ in itertools.groupby(device.threads)]
    assert len(in_turns) <= 2 * FRAMES, "lanes of one seat come one after another"
    assert len(overlapped) > len(in_turns)


def test_a_lane_that_fails_in_mid_frame_leaves_the_other_lanes_pictures_as_they_are() -> None:
    alone = Desk(KernelDevice(), "mesh", 1)
    expected = alone.judge(1, frames_of(1))
    with streaming(longest_pause_s=0.0006) as device:
        desk = Desk(device, "mesh", 2)
        compositor = desk.seats[0].compositor
        stop = threading.Event()

        def fail() -> None:
            """Frames that end with an error while their work is on its way."""
            number = 0
            while not stop.is_set():
                frame = frame_of(0, number := number + 1)
                with desk.seats[0].turn(), contextlib.suppress(ZeroDivisionError), compositor.sharing():
                    compositor.read(frame, Rect(0, 0, 64, 64))
                    compositor.paste(
                        frame,
                        Rect(0, 0, 64, 64),
                        np.zeros((64, 64, 3), np.uint8),
                        np.full((64, 64), 9, np.uint8),
                    )
                    raise ZeroDivisionError

        with ThreadPoolExecutor(1) as threads:
            failing = threads.submit(fail)
            frames = desk.judge(1, frames_of(1))
            stop.set()
            failing.result()
        assert_same(frames, expected)
