"""A guard that is played scripted track results, and what its decisions hide."""

from __future__ import annotations

import numpy as np
from doppel_ipc.settings import FilterSettings
from doppel_models.types import Face
from doppel_worker.face_memory import FaceMemory
from doppel_worker.guard import Decision, Guard
from doppel_worker.track_result import LostFace, TrackResult

WIDTH, HEIGHT = 640, 360
FRAME_NS = 33_000_000
BOX = (200.0, 100.0, 300.0, 220.0)
Box = tuple[float, float, float, float]


def face(track_id: int, box: Box = BOX) -> Face:
    points = np.zeros((478, 3), np.float32)
    return Face(track_id, np.array(box, np.float32), points, points, 0.0, 0.0, 0.0, 1.0)


def lost(track_id: int, ms: float = 33, box: Box = BOX) -> LostFace:
    return LostFace(track_id, np.array(box, np.float32), np.zeros((478, 3), np.float32), ms)


def result(
    faces: tuple[Face, ...] = (), lost: tuple[LostFace, ...] = (), beside: tuple[Box, ...] = ()
) -> TrackResult:
    boxes = tuple(np.array(box, np.float32) for box in beside)
    return TrackResult(faces=faces, lost=lost, bystanders=boxes, ran_detector=True)


class Script:
    """Plays track results to a guard."""

    def __init__(self, memory: FaceMemory | None = None, **settings: str | float) -> None:
        self.guard = Guard(memory)
        self.settings = FilterSettings().replace(**settings)
        self.now = 0

    def show(
        self,
        tracked: TrackResult,
        frames: int = 1,
        *,
        blurred: tuple[int, ...] = (),
        shown: tuple[int, ...] = (),
    ) -> Decision:
        for _ in range(frames):
            self.now += FRAME_NS
            decision = self.guard.judge(
                tracked, self.settings, WIDTH, HEIGHT, self.now, blurred=blurred, shown=shown
            )
        return decision


def hidden(decision: Decision) -> np.ndarray:
    """The frame's opacity of what hides it, 0..255."""
    canvas = np.zeros((HEIGHT, WIDTH), np.uint8)
    for region in decision.regions:
        see = region.visible
        part = canvas[see.y0 : see.y1, see.x0 : see.x1]
        np.maximum(part, region.mask(), out=part)
    return canvas


def part(picture: np.ndarray, box: Box) -> np.ndarray:
    x0, y0, x1, y1 = (int(value) for value in box)
    return picture[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
