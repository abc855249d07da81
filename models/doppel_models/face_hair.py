"""Hair over a face in texture space: a fringe must not be painted onto the swapped face."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from doppel_models import canonical
from doppel_models.engines.mesh import imaging, regions, relight, uv
from doppel_models.types import FloatArray

_SIZE = 128
_MIN_SCORE = 3.2
"""Robust standard deviations from the colour of the cheeks and the nose."""
_MIN_AREA = 0.004
_USUAL_SKIN = (214.0, 178.0, 157.0)
"""RGB."""
_SIDES, _SIDES_APART = 0.1, 0.34
"""The cheeks begin this far apart, and their middles are; as parts of the texture's side."""
_MAX_SLOPE = 3.0
"""Of the logarithm of the light over the texture's side."""
_BROWS = (regions.RIGHT_BROW, regions.LEFT_BROW)
_BETWEEN: regions.Indices = np.array([107, 66, 65, 55, 336, 296, 295, 285])
"""Inner ends of both brows."""
_BROW_REACH, _AROUND_REACH = 0.012, 0.035
"""How far past the landmarks a brow's hairs reach, and how far the skin around it is the persona's."""
_NEAR_COLUMNS, _FREE_SHARE = 13, 0.3
"""A part of a brow with skin above it in so large a share of so many columns is not under a fringe."""


def find_hair(texture: FloatArray) -> FloatArray:
    """(size, size) 0..1: where the upper part of the face is covered by hair (or a hat).

    Skin is what looks like the cheeks and the nose; hair is what does not, above the brows or beside the
    temples, and reaches in from the edge of the mesh.
    """
    small = _SIZE
    size = texture.shape[:2]
    grid = uv.grid(small)
    rows, columns = np.mgrid[0:small, 0:small] / small
    middle = grid.inside & (rows > 0.42) & (rows < 0.72) & (np.abs(columns - 0.5) < 0.3)
    middle &= imaging.resize(relight.skin_weight(), (small, small)) > 0.5
    lab = cv2.cvtColor(_in_usual_light(imaging.shrink(texture, (small, small)), middle), cv2.COLOR_RGB2LAB)
    sample = lab[middle]
    center = np.median(sample, axis=0)
    spread = 1.4826 * np.median(np.abs(sample - center), axis=0)
    spread = np.maximum(spread, (6.0, 2.5, 3.0))
    distance = (lab - center) / spread
    # Bright skin (a highlight on the forehead) is no hair, nor is skin that is redder than the cheeks.
    dark = np.maximum(-distance[:, :, 0], 0)
    flushed = (distance[:, :, 1] > 0) & (dark < 1)
    odd = np.sqrt(dark**2 + (~flushed) * (distance[:, :, 1] ** 2 + distance[:, :, 2] ** 2))
    gray = lab[:, :, 0]
    rough = imaging.box(np.abs(gray - imaging.blur(gray, 1.5)), 5) / 1.5
    # Smooth and bright: a highlight of another colour is likelier than grey hair.
    odd = np.where((dark < 0.5) & (rough < 1), 0.6 * odd, odd)
    score = odd + np.maximum(rough - 1, 0)
    zone = _zone(small)
    odd_places = score > _MIN_SCORE
    brows = np.zeros((small, small), np.float32)
    for outline in _BROWS:
        brows = np.maximum(
            brows, _around(small, outline, _BROW_REACH) * _free(odd_places, grid.inside, outline)
        )
    candidate = np.asarray(odd_places & zone & (brows < 0.5), np.uint8)
    candidate = np.asarray(cv2.morphologyEx(candidate, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
    candidate = np.asarray(cv2.morphologyEx(candidate, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8)), np.uint8)
    candidate[~zone] = 0
    # Hair reaches in from outside: it is connected with what is beside the mesh.
    candidate[~grid.inside] = 1
    _, labels = cv2.connectedComponents(candidate)
    hair = np.asarray((labels == labels[0, 0]) & grid.inside, np.uint8)
    if float(hair.sum()) < _MIN_AREA * float(grid.inside.sum()):
        return np.zeros(size, np.float32)
    # A fringe throws a shadow.
    hair = np.asarray(cv2.dilate(hair, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11))), np.uint8)
    soft = imaging.blur(hair.astype(np.float32), 2.0) * (1 - brows)
    return imaging.resize(soft, (size[1], size[0])).clip(0, 1)


def around_brows(hair: FloatArray) -> FloatArray:
    """(size, size) 0..1: free brows and the skin close to them, which are the persona's even beside hair.

    The live brows lie there: where they stayed, a face would have four.

    Args:
        hair: (size, size) of :func:`find_hair`.
    """
    size = hair.shape[0]
    around = np.zeros((size, size), np.float32)
    # A brow under hair is taken from the other side.
    hair = np.minimum(hair, hair[:, ::-1])
    inside = _around(size, _BROWS[0], _BROW_REACH)
    if float((hair * inside).sum()) > 0.5 * float(inside.sum()):
        return around
    for outline in (*_BROWS, _BETWEEN):
        around = np.maximum(around, _around(size, outline, _AROUND_REACH))
    return around


def _free(odd: npt.NDArray[np.bool_], inside: npt.NDArray[np.bool_], outline: regions.Indices) -> FloatArray:
    """(size,) 0..1 the columns in which skin shows between a brow and the upper edge of the face."""
    free = np.zeros(odd.shape[1], np.float32)
    brow = _around(odd.shape[0], outline, 0) > 0.5
    columns = np.flatnonzero(brow.any(axis=0))
    skin = ~odd & inside
    for column in columns:
        free[column] = skin[: brow[:, column].argmax(), column].any()
    # What lies beside the brow's ends is as free as they are.
    free[: columns[0]], free[columns[-1] + 1 :] = free[columns[0]], free[columns[-1]]
    near = cv2.blur(free[None], (_NEAR_COLUMNS, 1)) > _FREE_SHARE
    return np.asarray(cv2.blur(near.astype(np.float32), (5, 1))[0], np.float32)


def _around(size: int, indices: regions.Indices, reach: float) -> FloatArray:
    """(size, size) 0..1 what these points of the mesh enclose, and what is within ``reach`` of it; soft."""
    points = np.rint(canonical.load().uv[indices] * size - 0.5).astype(np.int32)
    hull = cv2.fillConvexPoly(np.zeros((size, size), np.uint8), cv2.convexHull(points), 1)
    away = cv2.distanceTransform(1 - hull, cv2.DIST_L2, 5) / size
    return regions.smoothstep(1 - (away - reach) / 0.015)


def _in_usual_light(texture: FloatArray, skin: npt.NDArray[np.bool_]) -> FloatArray:
    """The texture, 0..1, as if its ``skin`` were light skin in even, white light."""
    log = np.log(np.maximum(texture, 1.0))
    columns = np.mgrid[0 : texture.shape[0], 0 : texture.shape[1]][1] / texture.shape[1] - 0.5
    x, y = columns[skin], log[skin].mean(axis=1)
    slope = 0.0
    if np.ptp(x) > _SIDES:
        right, left = y[x > _SIDES / 2], y[x < -_SIDES / 2]
        slope = (
            (float(np.median(right)) - float(np.median(left))) / _SIDES_APART
            if len(right) and len(left)
            else 0
        )
    slope = float(np.clip(slope, -_MAX_SLOPE, _MAX_SLOPE))
    log = log - (slope * columns)[:, :, None]
    log += np.log(np.array(_USUAL_SKIN)) - np.median(log[skin], axis=0)
    return np.asarray(np.clip(np.exp(log) / 255, 0, 1), np.float32)


def _zone(size: int) -> npt.NDArray[np.bool_]:
    rows, columns = np.mgrid[0:size, 0:size] / size
    side = np.abs(columns - 0.5)
    return np.asarray((rows < 0.255 + 0.35 * np.maximum(side - 0.33, 0) / 0.17 * 0.6), np.bool_)
