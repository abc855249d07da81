"""A lane of the real pipeline that is fed with pictures, and what it did to them."""

from __future__ import annotations

import functools
from collections.abc import Callable

import cv2
import numpy as np
from doppel_ipc.settings import FilterSettings
from doppel_models.engines.base import FaceEngine
from doppel_models.engines.mesh.engine import MeshEngine
from doppel_models.masks_builtin import load as load_mask
from doppel_models.types import ByteArray
from doppel_worker.assets import PersonaKey, PersonaLoader
from doppel_worker.compositor import Rect
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.frame import ColorInfo, FrameView
from doppel_worker.pipeline import FacePipeline
from doppel_worker.report import Report

from tests.support.faces import room
from tests.support.frames import i420_frame
from tests.support.networks import detector, landmarker
from tests.support.portrait import astronaut, paste_head

SIZE = (640, 360)
CENTER = (300.0, 170.0)
FACE_PX = 150.0
FACE = Rect(250, 110, 350, 240)
"""Inside the face of :func:`picture`."""
BARE = Rect(262, 112, 338, 146)
"""What is left of the face in :func:`half_hidden`: forehead and eyes."""
compositor = CpuCompositor()


@functools.cache
def mask_engine(name: str) -> FaceEngine:
    return MeshEngine(load_mask(name))


def picture(dx: float = 0.0) -> ByteArray:
    canvas = room(*SIZE)
    paste_head(canvas, astronaut(), center=(CENTER[0] + dx, CENTER[1]), height=FACE_PX)
    return canvas


def half_hidden() -> ByteArray:
    """The same face with a thing before nose, mouth and chin: no detector finds it."""
    canvas = picture()
    (x, y), far = CENTER, 0.8 * FACE_PX
    corners = (int(x - far), int(y - 0.15 * FACE_PX)), (int(x + far), int(y + far))
    cv2.rectangle(canvas, *corners, (120, 105, 90), -1)
    return canvas


class Stage:
    """A lane that is fed with pictures."""

    def __init__(
        self,
        load: Callable[[PersonaKey], FaceEngine] | None = None,
        *,
        ready: bool = True,
        **settings: object,
    ) -> None:
        self.loader = PersonaLoader(load or (lambda key: mask_engine(key.persona)))
        self.pipeline = FacePipeline(compositor, detector(), landmarker(), self.loader)
        chosen = FilterSettings(label=False, persona="porcelain")
        self.lane = self.pipeline.new_lane(chosen.replace(**settings))
        if ready:
            self.loader.wait(PersonaKey("porcelain"))
        self.count = 0
        self.before: FrameView
        self.frame: FrameView

    def show(self, rgb: ByteArray, color: ColorInfo | None = None, stamp: int | None = None) -> Report:
        """Judge a picture as the next frame, or with the time stamp of frame ``stamp``."""
        self.count = self.count + 1 if stamp is None else stamp
        self.before = i420_frame(rgb, self.count)
        self.frame = i420_frame(rgb, self.count)
        if color is not None:
            self.frame = FrameView(
                self.frame.layout, self.frame.planes, color, False, self.count, self.frame.timestamp_ns
            )
        return self.pipeline.process(self.frame, self.lane)

    def change(self, rect: Rect = FACE) -> float:
        """Mean difference of a rectangle from the original, 0..255."""
        return float(
            np.abs(compositor.read(self.frame, rect).astype(int) - compositor.read(self.before, rect)).mean()
        )

    def untouched(self) -> bool:
        pairs = zip(self.frame.planes, self.before.planes, strict=True)
        return all((after == before).all() for after, before in pairs)

    def changed_rect(self) -> Rect:
        rows, columns = np.nonzero(self.frame.planes[0] != self.before.planes[0])
        return Rect(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


def is_mosaic(frame: FrameView) -> bool:
    """A cover has 16 rows of blocks: nearly all neighbouring rows are equal."""
    luma = frame.planes[0].astype(int)
    return float((np.abs(np.diff(luma, axis=0)).max(axis=1) == 0).mean()) > 0.9
