"""What is in front of a face, where the user has no model for it: found as the mesh engine does it.

That finder (:mod:`doppel_models.engines.mesh.occlusion`) knows the live face alone, so it serves any engine.
Hair is left out: these networks draw the filmed hair themselves.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np

from doppel_models import canonical, channels
from doppel_models.engines.crops import masks
from doppel_models.engines.mesh import imaging, occlusion, plan, raster, relight, uv
from doppel_models.types import ByteArray, Face, FloatArray

_EVERY = 3
"""Frames: things in front are looked for in one of so many."""
_SIDE = 64
"""Pixels of the square in which the mesh is drawn: what is found is no finer."""
_BEYOND = 13
"""Pixels of a kernel: what lies on the mesh's edge goes on so far beyond it, over the forehead."""
_VEIL = 2.0
"""Over doubt: a doubtful hole is blurred at once (as the mesh engine's)."""


class InFront:
    """Follows what is in front of one face."""

    def __init__(self) -> None:
        """Know nothing."""
        self._found = occlusion.Occlusion()
        self._turn, self._seconds = 0, 0.0
        self._anything = False

    def reset(self) -> None:
        """Forget the face."""
        self._found.reset()
        self._turn, self._seconds = 0, 0.0
        self._anything = False

    def is_due(self, seconds: float) -> bool:
        """Whether this frame, so long after the last one, shall be looked at. Asked once a frame."""
        self._seconds += seconds
        self._turn += 1
        return self._turn % _EVERY == 1

    def look(self, rgb: ByteArray, points: FloatArray, face: Face) -> None:
        """Take in a frame.

        Args:
            rgb: (n, n, 3) uint8 RGB: the live face's crop, reduced as far as one likes.
            points: (478, 3) landmarks in it, pixels.
            face: its pose tells what may look otherwise.
        """
        columns = points[:, 0]
        width = float(columns.max() - columns.min())
        factor = max(1, min(int(width / relight.SIZE), *rgb.shape[:2]))
        small = imaging.shrink_whole(rgb, factor)
        positions = uv.grid(relight.SIZE).positions(plan.scaled(points, 1 / factor, 1 / factor))
        live = relight.log_texture(imaging.remap(small, positions))
        self._found.update(live, face.yaw, face.pitch, self._seconds)
        self._anything = bool(self._found.moving.any())
        self._seconds = 0.0

    def hole(self, points: FloatArray, side: int) -> FloatArray | None:
        """Where something is in front; None: nowhere.

        Args:
            points: (478, 3) landmarks in a square crop, pixels.
            side: of that crop.

        Returns:
            (masks.SIDE, masks.SIDE) 0..1.
        """
        if not self._anything:
            return None
        covered = self._found.moving
        face, scale = canonical.load(), _SIDE / side
        drawn = channels.split(
            raster.rasterize(
                plan.scaled(points[: canonical.VERTEX_COUNT], scale, scale),
                _attributes(),
                face.triangles,
                _SIDE,
                _SIDE,
            )
        )
        shown = imaging.sample(covered, drawn[:2]) * drawn[2]
        beyond = np.asarray(cv2.dilate(shown, _disc()), np.float32)
        hole = np.where(imaging.box(drawn[2], 3) > 0.99, shown, beyond)
        return imaging.resize(np.asarray(hole, np.float32), (masks.SIDE, masks.SIDE))

    @property
    def veil(self) -> float:
        """0..1: how far what shows through the hole is to be blurred, because it may be the face itself."""
        return min(1.0, _VEIL * self._found.doubt)


@functools.cache
def _attributes() -> FloatArray:
    return raster.covering(canonical.load().uv)


@functools.cache
def _disc() -> ByteArray:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_BEYOND, _BEYOND)), np.uint8)
