"""The mask of a swapped crop: model mask x landmark hull x what is in front x kept mouth and eyes, feathered.

All is done in a small square (:data:`SIDE`), whatever the crop's size: every part is feathered anyway.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
import numpy.typing as npt

from doppel_models.engines.mesh import features, imaging, regions
from doppel_models.types import ByteArray, FloatArray

SIDE = 128
"""Pixels of a mask's side."""
_SHIFT = 4
_BORDER = 0.05
"""Along the crop's edge the mask falls to 0 over so much of its side: no square may show."""
_FOREHEAD = 0.12
"""The landmarks' outline ends below the hairline; its top is moved up by so much of its height."""
_EYE_SOFT = 0.006
"""Feather of kept eyes and mouth, as a part of the face's width (as the mesh engine's)."""
_ERODE, _ERODE_SOFT = 0.008, 0.03
"""A model's mask is drawn in by so much of the crop's side, and by so much more with the softest edge."""
_LEAST = 0.15
"""Share of the face that models' masks leave to be swapped, at least. With less it is hidden by something,
or the mask is wrong, and then it would be shown as filmed."""

_SLITS = (features.MOUTH.outline, *(slit.outline for slit in features.EYES))
_POINTS = np.concatenate([regions.OVAL, *_SLITS])
"""Of the landmarks, those that masks are made of."""
_ENDS = np.cumsum([len(regions.OVAL), *map(len, _SLITS)]).tolist()
_OVAL, _MOUTH, *_EYES = (slice(start, end) for start, end in zip([0, *_ENDS], _ENDS, strict=False))
_MEAN = np.full(len(regions.OVAL), 1 / len(regions.OVAL), np.float32)


def outlines(points: FloatArray, crop_size: int) -> FloatArray:
    """The points that masks are made of, in pixels of the small square: (N, 2), for the functions below.

    Args:
        points: (478, 2 or 3) landmarks in a square crop, pixels.
        crop_size: its side.
    """
    factor = SIDE / crop_size
    taken = points[_POINTS, :2] * np.float32(factor)
    taken += np.float32(0.5 * factor - 0.5)
    return np.asarray(taken, np.float32)


def hull(points: FloatArray, growth: float, softness: float) -> FloatArray:
    """(SIDE, SIDE) 0..1: inside the face's outline with all of its forehead, falling to 0 at it.

    Args:
        points: as :func:`outlines` gives them.
        growth: of the outline about its middle.
        softness: width of the fall, 0..1 (the mesh engine's: 2 to 16 % of the face's width).
    """
    # As complex numbers: for 36 points, calling NumPy costs more than what it does.
    outline = points[_OVAL].view(np.complex64)[:, 0]
    middle = _MEAN @ outline
    around = outline - middle
    around += _forehead(around)
    around *= np.float32(growth)
    columns = around.real
    width = (0.02 + 0.14 * softness) * float(columns.max() - columns.min())
    # Drawn in by half of the fall and blurred over it: 1 % is left at the outline itself.
    radius = np.maximum(np.abs(around), np.float32(1e-3))
    around *= 1 - np.minimum(np.float32(0.5 * width) / radius, np.float32(0.9))
    around += middle
    drawn = np.asarray(around, np.complex64).view(np.float32).reshape(-1, 2)
    return imaging.blur(_filled(drawn), max(width / 4.6, 0.5)) * _ramp()


def _forehead(around: npt.NDArray[np.complex64]) -> npt.NDArray[np.complex64]:
    """(36,) how far the points of the outline, seen from its middle, are moved up: the upper ones most."""
    # The outline starts at the middle of the forehead; half way round is the chin.
    axis = complex(around[0] - around[len(around) // 2])
    height = max(abs(axis) ** 2, 1e-6)
    above = regions.smoothstep((around * np.complex64(axis.conjugate() * 2 / height)).real)
    return np.asarray(above * np.complex64(_FOREHEAD * axis), np.complex64)


def from_model(mask: FloatArray, softness: float) -> FloatArray:
    """(SIDE, SIDE) 0..1 of a network's own mask (h, w), eroded and feathered."""
    small = mask
    if mask.shape != (SIDE, SIDE):
        interpolation = cv2.INTER_AREA if mask.shape[0] > SIDE else cv2.INTER_LINEAR
        small = np.asarray(cv2.resize(mask, (SIDE, SIDE), interpolation=interpolation), np.float32)
    small = np.clip(small, 0, 1)
    radius = max(1, round((_ERODE + _ERODE_SOFT * softness) * SIDE))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    eroded = np.asarray(cv2.erode(small, kernel, borderType=cv2.BORDER_REPLICATE), np.float32)
    return imaging.blur(eroded, radius / 2)


def hidden_by_models(mask: FloatArray, outline: FloatArray) -> bool:
    """Whether models' masks leave next to nothing of a face to be swapped.

    Args:
        mask: (SIDE, SIDE) 0..1, what they leave.
        outline: (SIDE, SIDE) 0..1, all of the face (:func:`hull`).
    """
    return float(mask.sum()) < _LEAST * float(outline.sum())


def without_openings(mask: FloatArray, points: FloatArray, *, mouth: bool, eyes: bool) -> FloatArray:
    """A mask (SIDE, SIDE) in which the filmed inside of the mouth and the eyes are kept where asked for.

    Args:
        mask: is changed.
        points: as :func:`outlines` gives them.
        mouth: keep the inside of the mouth.
        eyes: keep the eyes.
    """
    kept = [_MOUTH] * mouth + _EYES * eyes
    if kept:
        columns = points[_OVAL, 0]
        soft = max(_EYE_SOFT * float(columns.max() - columns.min()), 0.5)
        shown = imaging.blur(_filled(*(points[slit] for slit in kept)), soft)
        mask *= np.subtract(1, shown, out=shown)
    return mask


def to_bytes(mask: FloatArray, size: int) -> ByteArray:
    """(size, size) uint8 of a mask (SIDE, SIDE) 0..1; at the crop's very edge it is 0."""
    small = np.asarray(cv2.convertScaleAbs(mask, alpha=255.0), np.uint8)
    return small if size == SIDE else imaging.resize(small, (size, size))


def _filled(*drawn: FloatArray) -> FloatArray:
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    for outline in drawn:
        # What lies far outside is brought near, so that it fits OpenCV's fixed point.
        fixed = np.rint(outline.clip(-4 * SIDE, 5 * SIDE) * (1 << _SHIFT)).astype(np.int32)
        cv2.fillPoly(canvas, [fixed], 255, cv2.LINE_AA, _SHIFT)
    return np.multiply(canvas, np.float32(1 / 255), dtype=np.float32)


@functools.cache
def _ramp() -> FloatArray:
    """(SIDE, SIDE): 0 on the outermost pixels, 1 from :data:`_BORDER` inwards."""
    at = np.arange(SIDE, dtype=np.float32)
    edge = regions.smoothstep(np.minimum(at, at[::-1]) / (_BORDER * SIDE))
    return np.minimum(edge[:, None], edge[None, :])
