"""A device at which lanes have seats, one engine between them, and frames of each lane."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
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

    def judge(self, lane: int, frames: list[FrameView]) -> list[FrameView]:
        """One lane's frames, from the first on, on its seat."""
        seat = self.seats[lane % len(self.seats)]
        state = seat.pipeline.new_lane(SETTINGS)
        for frame in frames:
            with seat.turn():
                report = seat.pipeline.process(frame, state)
            assert report.verdict is Verdict.SWAPPED, report
        return frames
