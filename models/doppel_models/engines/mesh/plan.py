"""What of a face is to be drawn: all that is decided before the first pixel of the frame's size is made."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from doppel_models.engines.mesh.features import Patch
from doppel_models.types import ByteArray, FloatArray

_MAP_STEP = 4.5
"""Pixels of the crop for one of the maps that are enlarged to its size: they are smooth enough, but for the
line between shut lips, which becomes a stair of such steps."""
_MAP_WIDTH = (64, 104)
"""Pixels of the maps, least and most. Landmarks of swapped faces of 100 to 300 pixels jitter no more with 64
than with 160."""


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """One face; for whatever draws it, on the processor or on a device. Arrays are not to be modified."""

    size: tuple[int, int]
    """(width, height) of the crop, pixels."""
    target: FloatArray
    """(468, 3) the swapped face's points, pixels of the crop."""
    fade: float
    """0 .. 1, see ``SwapResult.pose_fade``; above 0 the cover's mask is wanted."""
    mask: FloatArray | None
    """(SIZE, SIZE) 0..1 in texture space; None: nothing is swapped, all that follows is empty."""
    veil: FloatArray | None = None
    """(SIZE, SIZE) 0..1 in texture space: what is to be blurred."""
    texture: ByteArray | None = None
    """(n, n, 3) uint8: the persona's."""
    gain: FloatArray | None = None
    """(SIZE, SIZE, 3): what the texture is multiplied by; None: it stays as it is."""
    patches: tuple[Patch, ...] = ()
    """Of the live face, in the order in which they are laid over."""

    @property
    def map_size(self) -> tuple[int, int]:
        """(width, height) of the maps that are enlarged to the crop's size."""
        width, height = self.size
        least, most = _MAP_WIDTH
        scale = min(1.0, min(max(width / _MAP_STEP, least), most) / width)
        return max(8, round(width * scale)), max(8, round(height * scale))

    @property
    def map_points(self) -> FloatArray:
        """(468, 3) :attr:`target` in pixels of the maps."""
        width, height = self.map_size
        return scaled(self.target, width / self.size[0], height / self.size[1])


def scaled(points: FloatArray, x: float, y: float) -> FloatArray:
    """Points in a picture that is enlarged by ``x`` and ``y``; pixel centres stand at whole numbers."""
    matrix = np.array([[x, 0, 0, 0.5 * x - 0.5], [0, y, 0, 0.5 * y - 0.5], [0, 0, 1, 0]])
    return np.asarray(cv2.transform(points[:, None], matrix)[:, 0], np.float32)
