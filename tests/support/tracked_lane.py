"""A tracker that is fed with pictures of heads in a room."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from doppel_ipc.settings import FilterSettings
from doppel_models.geometry import bbox_center
from doppel_models.types import ByteArray, Face, FloatArray
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.frame import FrameView
from doppel_worker.track_result import TrackResult
from doppel_worker.tracker import Tracker

from tests.support.faces import room
from tests.support.frames import i420_frame
from tests.support.networks import detector, landmarker
from tests.support.portrait import Portrait, astronaut, paste_head

FPS = 30
ONE = FilterSettings()
ALL = FilterSettings(faces="all")
ANNA = astronaut()
BEA = astronaut().mirrored().tinted((0.72, 0.66, 0.62))
Placed = tuple[Portrait, tuple[float, float], float]


def scene(*heads: Placed, size: tuple[int, int] = (640, 360)) -> ByteArray:
    """A room with heads: portrait, middle of the face, height of the face; the last is in front."""
    canvas = room(*size)
    for head, center, height in heads:
        paste_head(canvas, head, center=center, height=height)
    return canvas


class Lane:
    """A tracker that is fed with pictures."""

    def __init__(self, settings: FilterSettings = ONE, fps: float = FPS) -> None:
        self.tracker = Tracker(detector(), landmarker())
        self.settings = settings
        self.fps = fps
        self.count = 0

    def show(self, picture: ByteArray) -> TrackResult:
        self.count += 1
        return self.update(i420_frame(picture, self.count, self.fps))

    def update(self, frame: FrameView) -> TrackResult:
        return self.tracker.update(frame, CpuCompositor(), self.settings)

    def run(self, pictures: Iterable[ByteArray]) -> Iterator[TrackResult]:
        return (self.show(picture) for picture in pictures)


def error(face: Face, truth: FloatArray) -> float:
    """Mean distance of the unsmoothed landmarks from the truth, pixels."""
    return float(np.linalg.norm(face.raw_landmarks[:, :2] - truth[:, :2], axis=1).mean())


def at(result: TrackResult, center: tuple[float, float], within: float = 30) -> Face:
    """The face there."""
    (face,) = [f for f in result.faces if np.hypot(*np.subtract(bbox_center(f.bbox), center)) < within]
    return face
