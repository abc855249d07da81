"""Frames of several lanes on one device: one by one, and beside each other as live lanes' are."""

from __future__ import annotations

import dataclasses
import functools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
from doppel_ipc.settings import FilterSettings
from doppel_models.types import ByteArray

from doppel_worker.frame import FrameView
from doppel_worker.seat import Seat

MOST_LANES: Final = 32
SETTINGS: Final = FilterSettings(persona="surrogate")


def seconds_together(works: Sequence[Callable[[], None]]) -> float:
    """The seconds in which all of these are done, each on a thread of its own, begun at one moment."""
    ready = threading.Barrier(len(works) + 1)

    def begin(work: Callable[[], None]) -> None:
        ready.wait()
        work()

    with ThreadPoolExecutor(len(works)) as threads:
        done = [threads.submit(begin, work) for work in works]
        ready.wait()
        start = time.perf_counter()
        for one in done:
            one.result()
        return time.perf_counter() - start


class LaneRuns:
    """Judges the frames of several lanes, each forwards and backwards through the same pictures."""

    def __init__(self, seats: Sequence[Seat], frames: Sequence[FrameView]) -> None:
        self._seats, self._frames = seats, frames
        self._lanes = [self._seat(lane).pipeline.new_lane(SETTINGS) for lane in range(MOST_LANES)]
        self._slot = tuple(plane.copy() for plane in frames[0].planes)
        self._numbers = [0] * MOST_LANES
        self.swapped = 0
        self.status = ""

    def judge(self, lane: int) -> float:
        """The seconds that the lane's next frame takes, with nothing beside it."""
        frame = self._next(lane, self._slot)
        start = time.perf_counter()
        self._process(lane, frame)
        return time.perf_counter() - start

    def together(self, lanes: int, count: int) -> float:
        """The seconds in which lanes, each on a thread of its own, have had so many frames each judged."""
        copied = [
            [self._next(lane, tuple(np.empty_like(plane) for plane in self._slot)) for _ in range(count)]
            for lane in range(lanes)
        ]

        def work(lane: int) -> None:
            for frame in copied[lane]:
                self._process(lane, frame)

        return seconds_together([functools.partial(work, lane) for lane in range(lanes)])

    def _next(self, lane: int, planes: tuple[ByteArray, ...]) -> FrameView:
        """The lane's next frame, in that memory."""
        number = self._numbers[lane] = self._numbers[lane] + 1
        count = len(self._frames)
        step = number % max(2 * count - 2, 1)
        shown = self._frames[min(step, 2 * count - 2 - step)]
        for kept, plane in zip(planes, shown.planes, strict=True):
            np.copyto(kept, plane)
        stamp = number * 16_666_667
        return dataclasses.replace(shown, planes=planes, frame_id=number, timestamp_ns=stamp)

    def _process(self, lane: int, frame: FrameView) -> None:
        seat = self._seat(lane)
        with seat.turn():
            report = seat.pipeline.process(frame, self._lanes[lane])
            self.swapped += report.swapped
            self.status = report.status

    def _seat(self, lane: int) -> Seat:
        return self._seats[lane % len(self._seats)]
