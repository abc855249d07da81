"""Hair over a face in texture space: a fringe must not be painted onto the swapped face."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from doppel_models.engines.mesh import imaging, relight, uv
from doppel_models.types import FloatArray

_SIZE = 128
_MIN_SCORE = 3.2
"""Robust standard deviations from the colour of the cheeks and the nose."""
_MIN_AREA = 0.004


def find_hair(texture: FloatArray) -> FloatArray:
    """(size, size) 0..1: where the upper part of the face is covered by hair (or a hat).

    Skin is what looks like the cheeks and the nose; hair is what does not, above the brows or beside the
    temples, and reaches in from the edge of the mesh.
    """
    small = _SIZE
    size = texture.shape[:2]
    lab = cv2.cvtColor(
        cv2.resize(texture, (small, small), interpolation=cv2.INTER_AREA) / 255, cv2.COLOR_RGB2LAB
    )
    grid = uv.grid(small)
    rows, columns = np.mgrid[0:small, 0:small] / small
    middle = grid.inside & (rows > 0.42) & (rows < 0.72) & (np.abs(columns - 0.5) < 0.3)
    skin = imaging.resize(relight.skin_weight(), (small, small)) > 0.5
    sample = lab[middle & skin]
    center = np.median(sample, axis=0)
    spread = 1.4826 * np.median(np.abs(sample - center), axis=0)
    spread = np.maximum(spread, (6.0, 2.5, 3.0))
    distance = (lab - center) / spread
    # Bright skin (a highlight on the forehead) is no hair.
    dark = np.maximum(-distance[:, :, 0], 0)
    odd = np.sqrt(dark**2 + distance[:, :, 1] ** 2 + distance[:, :, 2] ** 2)
    gray = lab[:, :, 0]
    rough = imaging.box(np.abs(gray - imaging.blur(gray, 1.5)), 5) / 1.5
    score = odd + np.maximum(rough - 1, 0)
    zone = _zone(small)
    candidate = np.asarray((score > _MIN_SCORE) & zone, np.uint8)
    candidate = np.asarray(cv2.morphologyEx(candidate, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
    candidate = np.asarray(cv2.morphologyEx(candidate, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8)), np.uint8)
    candidate[~zone] = 0
    # Hair reaches in from outside: it is connected with what is beside the mesh.
    candidate[~grid.inside] = 1
    _, labels = cv2.connectedComponents(candidate)
    hair = np.asarray((labels == labels[0, 0]) & grid.inside, np.uint8)
    if float(hair.sum()) < _MIN_AREA * float(grid.inside.sum()):
        return np.zeros(size, np.float32)
    hair = np.asarray(cv2.dilate(hair, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))), np.uint8)
    soft = imaging.blur(hair.astype(np.float32), 1.6)
    return imaging.resize(soft, (size[1], size[0])).clip(0, 1)


def _zone(size: int) -> npt.NDArray[np.bool_]:
    rows, columns = np.mgrid[0:size, 0:size] / size
    side = np.abs(columns - 0.5)
    return np.asarray((rows < 0.255 + 0.35 * np.maximum(side - 0.33, 0) / 0.17 * 0.6), np.bool_)
