"""A lane of the worker between a gate that is driven by hand and the box backend."""

from __future__ import annotations

import ctypes
import dataclasses
import threading
from collections.abc import Callable
from pathlib import Path

from doppel_ipc import native
from doppel_ipc.pixel_format import FrameLayout
from doppel_ipc.ring import Slot, WorkerRing
from doppel_ipc.settings import FilterSettings
from doppel_worker.backend import BackendConfig, Judgement
from doppel_worker.face_memory import FaceMemory
from doppel_worker.frame import FrameView
from doppel_worker.lane import Lane, LaneSnapshot
from doppel_worker.lane_slate import LaneSlate
from doppel_worker.turns import Turns

from tests.support.box_backend import BoxBackend, BoxProcessor
from tests.support.gate_side import GateSide
from tests.support.lanes import LAYOUT
from tests.support.worker_process import wait_until


class HeldBackend(BoxBackend):
    """The box backend, whose processors can be held up and are counted."""

    def __init__(self) -> None:
        super().__init__(BackendConfig(Path(), lambda code, text: None))
        self.opened: list[BoxProcessor] = []
        self.memories: list[FaceMemory] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.seen: list[tuple[int, str]] = []
        self.settled = True
        self.turns = Turns()

    def open_lane(self, settings: FilterSettings, memory: FaceMemory) -> BoxProcessor:
        backend = self

        class Processor(BoxProcessor):
            def turn(self) -> Turns:
                return backend.turns

            def process(self, frame: FrameView) -> Judgement:
                backend.entered.set()
                assert backend.gate.wait(60)
                with backend.turns:
                    backend.seen.append((frame.frame_id, self.persona))
                return dataclasses.replace(super().process(frame), settled=backend.settled)

        self.memories.append(memory)
        self.opened.append(Processor(settings))
        return self.opened[-1]


class CountingRing(WorkerRing):
    """The worker's ring, which counts how often no frame came."""

    in_vain = 0

    def next(self, timeout: float) -> Slot | None:
        slot = super().next(timeout)
        self.in_vain += slot is None
        return slot


class LaneRig:
    """A lane between a gate driven by hand and the box backend."""

    def __init__(self, library: ctypes.CDLL, persona: str, layout: FrameLayout = LAYOUT) -> None:
        self.gate = GateSide(library, layout, slots=8)
        self.backend = HeldBackend()
        self.reports: list[tuple[str, str, str]] = []
        self.answered = 0
        self._ring = CountingRing.open(library, self.gate.segment.descriptor)
        slate = LaneSlate(self._ring, self._background, self._report)
        self.settings = FilterSettings(persona=persona)
        self.lane = Lane(1, self._ring, 7, self.settings, report=self._report, slate=slate)
        self.lane.serve(self.backend)
        self.lane.start()

    def judged(self, value: int = 100) -> tuple[int, bytes]:
        """Submits a frame and waits for its verdict and pixels."""
        assert self.gate.submit(bytes([value]) * self.gate.layout.size)
        return self.wait_for_result()

    def wait_for_result(self) -> tuple[int, bytes]:
        found: list[tuple[int, bytes, int]] = []

        def look() -> bool:
            result = self.gate.result()
            if result is not None:
                found.append(result)
            return bool(found)

        wait_until(look, "a result")
        return found[0][:2]

    def wait_for(self, check: Callable[[LaneSnapshot], object]) -> LaneSnapshot:
        wait_until(lambda: check(self.lane.snapshot()), f"a status, now {self.lane.snapshot()}")
        return self.lane.snapshot()

    @property
    def asked(self) -> int:
        """How often the worker has asked for the newest frame again."""
        return int(native.SegmentHeader.from_buffer_copy(self.gate.memory).again)

    def wait_idle(self, times: int = 3) -> None:
        """Waits until the lane has so often waited for a frame in vain."""
        until = self._ring.in_vain + times
        wait_until(lambda: self._ring.in_vain >= until, "the lane waits")

    def close(self) -> None:
        self.backend.gate.set()
        self.lane.stop()
        assert self.lane.join(60)
        self.gate.close()

    def _background(self, job: Callable[[], None]) -> None:
        threading.Thread(target=job).start()

    def _report(self, code: str, message: str, advice: str) -> None:
        self.reports.append((code, message, advice))
