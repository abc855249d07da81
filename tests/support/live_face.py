"""One live face as an engine meets it: a crop, its landmarks, and what the tracker says of them."""

from __future__ import annotations

import dataclasses
import functools

import cv2
import numpy as np
from doppel_models.engines.base import LookSettings, SwapResult
from doppel_models.engines.mesh.engine import MeshEngine
from doppel_models.engines.mesh.persona import MeshPersona
from doppel_models.engines.mesh.state import MeshState
from doppel_models.geometry import bbox_of
from doppel_models.pose import head_pose
from doppel_models.types import ByteArray, Face, FloatArray

from tests.support.portrait import astronaut

FRAME_NS = 33_333_333


@dataclasses.dataclass(frozen=True, slots=True)
class LiveFace:
    """A picture of one face."""

    rgb: ByteArray
    """(h, w, 3)."""
    points: FloatArray
    """(478, 3) pixels of ``rgb``."""

    @property
    def face(self) -> Face:
        """What a tracker would say."""
        pose = head_pose(self.points)
        return Face(
            1, bbox_of(self.points), self.points, self.points, pose.yaw, pose.pitch, pose.roll, presence=1.0
        )

    def with_points(self, points: FloatArray) -> LiveFace:
        """The same picture with other landmarks."""
        return dataclasses.replace(self, points=np.asarray(points, np.float32))

    def with_picture(self, rgb: ByteArray) -> LiveFace:
        """Another picture with the same landmarks."""
        return dataclasses.replace(self, rgb=np.ascontiguousarray(rgb))


@functools.cache
def live_face(scale: float = 2.0) -> LiveFace:
    """The astronaut, enlarged: a face of about 90 pixels times ``scale``."""
    portrait = astronaut()
    x0, y0, x1, y1 = 140, 0, 320, 220
    crop = portrait.rgb[y0:y1, x0:x1]
    size = (round((x1 - x0) * scale), round((y1 - y0) * scale))
    rgb = cv2.resize(crop, size, interpolation=cv2.INTER_CUBIC)
    half = np.array([0.5, 0.5, 0], np.float32)
    points = (portrait.landmarks - [x0, y0, 0] + half) * scale - half
    return LiveFace(np.asarray(rgb, np.uint8), np.asarray(points, np.float32))


def swap(
    engine: MeshEngine,
    live: LiveFace,
    look: LookSettings | None = None,
    state: MeshState | None = None,
    index: int = 0,
) -> SwapResult:
    """One frame through an engine, with copies of its arrays."""
    result = engine.swap(
        live.rgb,
        live.points,
        live.face,
        look or LookSettings(),
        state or engine.new_state(),
        index * FRAME_NS,
    )
    return dataclasses.replace(result, rgb=result.rgb.copy(), mask=result.mask.copy())


def blended(live: LiveFace, result: SwapResult) -> ByteArray:
    """The swapped picture."""
    share = result.mask[:, :, None].astype(np.float32) / 255
    return np.asarray(live.rgb * (1 - share) + result.rgb * share + 0.5, np.uint8)


def plain_persona(color: tuple[int, int, int] = (40, 200, 60), *, own_color: bool = True) -> MeshPersona:
    """A persona of one colour and without proportions of its own."""
    texture = np.empty((256, 256, 3), np.uint8)
    texture[:] = color
    return MeshPersona(texture, np.full((256, 256), 255, np.uint8), None, own_color)
