"""Two lanes on one device whose frames overlap: each gets the pictures that it would get alone."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from doppel_ipc.pixel_format import PixelFormat
from doppel_ipc.settings import FilterSettings
from doppel_ipc.verdict import Verdict
from doppel_models.detector import FaceDetector
from doppel_models.engines.crops.engine import CropEngine
from doppel_models.engines.mesh.on_device import DeviceMeshEngine
from doppel_models.landmarker import FaceLandmarker
from doppel_models.session import SessionConfig
from doppel_worker.assets import PersonaKey, PersonaLoader
from doppel_worker.compositor import Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.frame import FrameView
from doppel_worker.gpu.compositor_cuda import CudaCompositor
from doppel_worker.gpu.shared_device import SharedDevice
from doppel_worker.pipeline import FacePipeline
from doppel_worker.seat import Seat

from tests.support import reference_compositor as reference
from tests.support.faces import room
from tests.support.kernel_device import KernelDevice
from tests.support.personas import portrait_persona
from tests.support.portrait import astronaut, paste_head
from tests.support.probes import build
from tests.support.probes.stage import engine_of
from tests.support.stream_device import StreamDevice, StreamNetwork

SETTINGS = FilterSettings(persona="worn")
FRAMES = 5
HEADS = (220.0, 130.0, 150.0), (430.0, 200.0, 190.0)
"""Of each lane: (x, y, size)."""
SIZE = (640, 360)


def frame_of(lane: int, number: int) -> FrameView:
    x, y, size = HEADS[lane]
    canvas = room(*SIZE, seed=lane)
    paste_head(canvas, astronaut(), center=(x + 1.3 * number, y), height=size)
    frame = reference.make_frame(PixelFormat.NV12, *SIZE)
    mask = np.full(canvas.shape[:2], 255, np.uint8)
    CpuCompositor().paste(frame, Rect(0, 0, *SIZE), canvas, mask)
    return FrameView(frame.layout, frame.planes, frame.color, frame.flip, number, number * 33_000_000)


def probe_engine(compositor: CudaCompositor) -> CropEngine:
    return engine_of(build.swapper("inswapper", build.scale_channels))


def mesh_engine(compositor: CudaCompositor) -> DeviceMeshEngine:
    return DeviceMeshEngine(portrait_persona(), compositor.mesh)


ENGINES = {"mesh": mesh_engine, "inswapper": probe_engine}


class Desk:
    """A device with so many seats, and one engine that its lanes share."""

    def __init__(self, device: KernelDevice, engine: str, seats: int, network_s: float = 0.0) -> None:
        shared = SharedDevice(device)
        views = [shared, *(shared.beside() for _ in range(seats - 1))]
        compositors = [CudaCompositor(view) for view in views]
        made: Any = ENGINES[engine](compositors[0])
        if isinstance(device, StreamDevice) and isinstance(made, CropEngine):
            swapper = made.parts.swapper
            swapper.network = StreamNetwork(swapper.network, device, network_s)
        self.loader = PersonaLoader(lambda _key: made)
        self.loader.wait(PersonaKey.of(SETTINGS))
        self.seats = [self._seat(device, compositor) for compositor in compositors]

    def _seat(self, device: KernelDevice, compositor: CudaCompositor) -> Seat:
        view = compositor.device
        config = dataclasses.replace(SessionConfig(), meanwhile=view.meanwhile)
        detector, landmarker = FaceDetector(config), FaceLandmarker(config)
        if isinstance(device, StreamDevice):
            landmarker.network = StreamNetwork(landmarker.network, device)
        return Seat(view.turns, FacePipeline(compositor, detector, landmarker, self.loader))

    def judge(self, lane: int) -> list[FrameView]:
        """One lane's frames, on its seat."""
        seat = self.seats[lane % len(self.seats)]
        state = seat.pipeline.new_lane(SETTINGS)
        frames = [frame_of(lane, number) for number in range(1, FRAMES + 1)]
        for frame in frames:
            with seat.turn():
                report = seat.pipeline.process(frame, state)
            assert report.verdict is Verdict.SWAPPED, report
        return frames


@contextlib.contextmanager
def streaming(longest_pause_s: float = 0.0) -> Iterator[StreamDevice]:
    device = StreamDevice(longest_pause_s)
    yield device
    device.close()


def both(desk: Desk) -> list[list[FrameView]]:
    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(desk.judge, (0, 1)))


def assert_same(one: list[FrameView], other: list[FrameView]) -> None:
    for a, b in zip(one, other, strict=True):
        for x, y in zip(a.planes, b.planes, strict=True):
            assert np.array_equal(x, y)


@pytest.mark.parametrize("engine", ENGINES)
def test_lanes_whose_frames_overlap_get_the_pictures_that_they_get_alone(engine: str) -> None:
    alone = Desk(KernelDevice(), engine, 1)
    expected = [alone.judge(lane) for lane in (0, 1)]
    with streaming(longest_pause_s=0.0006) as device:
        for frames, wanted in zip(both(Desk(device, engine, 2)), expected, strict=True):
            assert_same(frames, wanted)
        turns = [who for who, _ in itertools.groupby(device.threads)]
        # One after another they would change places once a frame, and each frame waits several times.
        assert len(turns) > 2 * 2 * FRAMES, "frames overlapped"


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
    expected = alone.judge(1)
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
            frames = desk.judge(1)
            stop.set()
            failing.result()
        assert_same(frames, expected)
